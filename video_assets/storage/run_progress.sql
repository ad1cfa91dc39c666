-- All of these run as `authenticated`: row level security leaves the caller's own rows.

-- name: find(name)
-- Output runs by their id, or how it begins; `latest` is the one that began last.
SELECT run_id, preset, status, started_at, ended_at
  FROM runs
 WHERE starts_with(run_id, :name)
    OR (:name = 'latest' AND started_at = (SELECT max(started_at) FROM runs))
 ORDER BY run_id <> :name, started_at DESC
 LIMIT 20;

-- name: clips_of_output(run_id)^
-- How the clips of an output run stand, and how many of their cells are done.
SELECT count(*)::int AS clips,
       (count(*) FILTER (WHERE s.state = 'complete'))::int AS complete,
       (count(*) FILTER (WHERE s.state = 'failed'))::int AS failed,
       coalesce(sum(c.total_steps), 0)::int AS cells,
       coalesce(sum(round(c.total_steps * c.processing_progress / 100.0)), 0)::int AS cells_done
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
  JOIN clip_states s ON s.clip_id = c.id
 WHERE t.run_id = :run_id;

-- name: clips_of_run(run_id, since)^
-- What one run of Dagster took up, and what became of it.
WITH cells AS (
    SELECT video_id, step_name, (array_agg(status ORDER BY "timestamp" DESC))[1] AS status
      FROM processing_events
     WHERE "timestamp" > to_timestamp(:since) - interval '1 minute' AND metadata ->> 'run' = :run_id
     GROUP BY video_id, step_name
)
SELECT count(DISTINCT video_id)::int AS clips,
       (count(DISTINCT video_id) FILTER (WHERE status IN ('failed', 'error')))::int AS failed,
       count(*)::int AS cells,
       (count(*) FILTER (WHERE status <> 'starting'))::int AS cells_done
  FROM cells;

-- name: steps(run_id, output_run, since, until)
-- What was done in the time of a run, by a run of Dagster or for the clips of an output run: how many clips by step,
-- how long they took, and which took longest.
WITH ends AS (
    SELECT e.step_name, e.step_index, e.status, e.video_id, c.file_name,
           (e.metadata ->> 'seconds')::float8 AS seconds
      FROM processing_events e
      JOIN clips c ON c.id = e.video_id
     WHERE e."timestamp" BETWEEN to_timestamp(:since) - interval '1 minute'
                             AND coalesce(to_timestamp(:until), now()) + interval '1 minute'
       AND e.status <> 'starting'
       -- Noted in this run's time, but of one that was killed before.
       AND e.metadata ->> 'error_class' IS DISTINCT FROM 'Interrupted'
       AND (e.metadata ->> 'run' = :run_id
            OR e.video_id IN (SELECT clip_id FROM run_clips WHERE run_id = :output_run))
)
SELECT step_name AS step,
       (count(*) FILTER (WHERE status = 'completed'))::int AS done,
       (count(DISTINCT video_id) FILTER (WHERE status <> 'completed'))::int AS failed,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE status = 'completed')
           AS median_s,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE status = 'completed')
           AS p95_s,
       max(seconds) FILTER (WHERE status = 'completed') AS slowest_s,
       (array_agg(file_name ORDER BY seconds DESC NULLS LAST, file_name)
           FILTER (WHERE status = 'completed'))[1] AS slowest
  FROM ends
 GROUP BY step_name
 ORDER BY min(step_index) NULLS LAST, step_name;
