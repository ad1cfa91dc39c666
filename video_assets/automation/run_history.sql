-- Dagster's own tables, of the pinned release: it has no public way to remove what happened to a partition.

-- name: wipe(checksums)
-- What happened to these partitions, whatever run it was in.
WITH gone AS (
    DELETE FROM event_logs
     WHERE asset_key IS NOT NULL AND partition = ANY(:checksums)
 RETURNING id
), tags AS (
    DELETE FROM asset_event_tags t USING gone g WHERE t.event_id = g.id
)
SELECT count(*) AS events FROM gone;

-- name: runs_of(checksums)
-- Ended runs of one of these partitions alone.
SELECT run_id FROM runs
 WHERE partition = ANY(:checksums) AND status IN ('SUCCESS', 'FAILURE', 'CANCELED');

-- name: delete_keys(name, checksums)!
DELETE FROM dynamic_partitions WHERE partitions_def_name = :name AND partition = ANY(:checksums);

-- name: forget_latest()!
-- What an asset shows as its latest materialization, and the statuses of its partitions, are copies.
UPDATE asset_keys k
   SET cached_status_data = NULL,
       last_materialization = (SELECT e.event
                                 FROM event_logs e
                                WHERE e.asset_key = k.asset_key
                                  AND e.dagster_event_type = 'ASSET_MATERIALIZATION'
                                ORDER BY e.id DESC
                                LIMIT 1);

-- name: old_runs(older_than_s, after, at_most)
-- Runs that ended long ago. One is held while the UI tells from it that a partition is materialized, or failed.
SELECT r.id, r.run_id,
       EXISTS (SELECT FROM event_logs e
                WHERE e.run_id = r.run_id AND e.dagster_event_type = 'ASSET_MATERIALIZATION'
                  AND NOT EXISTS (SELECT FROM event_logs n
                                   WHERE n.asset_key = e.asset_key
                                     AND n.dagster_event_type = e.dagster_event_type
                                     AND n.partition IS NOT DISTINCT FROM e.partition
                                     AND n.id > e.id))
       OR r.status <> 'SUCCESS'
      AND EXISTS (SELECT FROM event_logs e
                   WHERE e.run_id = r.run_id
                     AND e.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED'
                     AND NOT EXISTS (SELECT FROM event_logs n
                                      WHERE n.asset_key = e.asset_key
                                        AND n.dagster_event_type IN (
                                            'ASSET_MATERIALIZATION',
                                            'ASSET_MATERIALIZATION_PLANNED')
                                        AND n.partition IS NOT DISTINCT FROM e.partition
                                        AND n.id > e.id)) AS is_held
  FROM runs r
 WHERE r.status IN ('SUCCESS', 'FAILURE', 'CANCELED') AND r.id > :after
   AND coalesce(r.end_time, extract(epoch FROM r.update_timestamp AT TIME ZONE 'utc'))
       < extract(epoch FROM now()) - :older_than_s
 ORDER BY r.id
 LIMIT :at_most;

-- name: trim(run_ids)
-- Of a run that is held: its log lines and steps, but not its end, its errors and what it made.
WITH gone AS (
    DELETE FROM event_logs
     WHERE run_id = ANY(:run_ids)
       AND NOT (coalesce(dagster_event_type, '') = 'STEP_FAILURE'
                OR starts_with(coalesce(dagster_event_type, ''), 'PIPELINE_')
                OR starts_with(coalesce(dagster_event_type, ''), 'ASSET_'))
 RETURNING id
)
SELECT count(*) AS events FROM gone;

-- name: trim_superseded(older_than_s)
-- Materializations that were long since made anew.
WITH gone AS (
    DELETE FROM event_logs e
     WHERE e.dagster_event_type = 'ASSET_MATERIALIZATION'
       AND e.timestamp < now() AT TIME ZONE 'utc' - make_interval(secs => :older_than_s)
       AND EXISTS (SELECT FROM event_logs n
                    WHERE n.asset_key = e.asset_key
                      AND n.dagster_event_type = e.dagster_event_type
                      AND n.partition IS NOT DISTINCT FROM e.partition
                      AND n.id > e.id)
 RETURNING id
), tags AS (
    DELETE FROM asset_event_tags t USING gone g WHERE t.event_id = g.id
)
SELECT count(*) AS events FROM gone;
