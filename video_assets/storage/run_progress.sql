-- All of these run as `authenticated`: row level security leaves the caller's own rows.

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

-- name: steps(run_id, since, until)
-- What a run did: how many clips by step, how long they took, and which took longest.
WITH ends AS (
    SELECT e.step_name, e.step_index, e.status, c.file_name,
           (e.metadata ->> 'seconds')::float8 AS seconds
      FROM processing_events e
      JOIN clips c ON c.id = e.video_id
     WHERE e."timestamp" BETWEEN to_timestamp(:since) - interval '1 minute'
                             AND coalesce(to_timestamp(:until), now()) + interval '1 minute'
       AND e.status <> 'starting'
       AND e.metadata ->> 'run' = :run_id
)
SELECT step_name AS step,
       (count(*) FILTER (WHERE status = 'completed'))::int AS done,
       (count(*) FILTER (WHERE status <> 'completed'))::int AS failed,
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
