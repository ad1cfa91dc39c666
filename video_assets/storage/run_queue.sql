-- name: has_runs()$
-- Whether Dagster has made its tables.
SELECT to_regclass('runs') IS NOT NULL AND to_regclass('dynamic_partitions') IS NOT NULL;

-- name: count_runs()
-- Runs that are not over, and what became of those of the last day.
SELECT lower(status) AS status, count(*) AS runs
  FROM runs
 WHERE status IN ('QUEUED', 'NOT_STARTED', 'STARTING', 'STARTED', 'CANCELING')
    OR end_time > extract(epoch FROM now()) - 86400
 GROUP BY 1
 ORDER BY array_position('{queued,not_started,starting,started,canceling}'::text[], lower(status)), 1;

-- name: in_progress()
-- Runs that are not over, the longest in work first; a range of clips is named by its two ends.
SELECT r.run_id, r.pipeline_name AS job, lower(r.status) AS status,
       (extract(epoch FROM now()) - coalesce(r.start_time,
            extract(epoch FROM r.create_timestamp AT TIME ZONE current_setting('TimeZone'))))::float8
           AS seconds,
       CASE WHEN t.single IS NOT NULL THEN 1
            WHEN t.first IS NOT NULL THEN (
                 SELECT count(*)
                   FROM dynamic_partitions AS a
                   JOIN dynamic_partitions AS b USING (partitions_def_name)
                   JOIN dynamic_partitions AS p USING (partitions_def_name)
                  WHERE a.partitions_def_name = 'clips' AND a.partition = t.first
                    AND b.partition = t.last AND p.id BETWEEN a.id AND b.id)
       END AS clips
  FROM runs AS r
 CROSS JOIN LATERAL (
       SELECT max(value) FILTER (WHERE key = 'dagster/partition') AS single,
              max(value) FILTER (WHERE key = 'dagster/asset_partition_range_start') AS first,
              max(value) FILTER (WHERE key = 'dagster/asset_partition_range_end') AS last
         FROM run_tags
        WHERE run_id = r.run_id) AS t
 WHERE r.status IN ('QUEUED', 'NOT_STARTED', 'STARTING', 'STARTED', 'CANCELING')
 ORDER BY r.start_time NULLS LAST, r.id;

-- name: find(prefix)
SELECT run_id, pipeline_name AS job, lower(status) AS status, end_time,
       coalesce(start_time, extract(epoch FROM create_timestamp
                                          AT TIME ZONE current_setting('TimeZone')))::float8
           AS start_time
  FROM runs
 WHERE starts_with(run_id, :prefix)
 ORDER BY id DESC
 LIMIT 20;
