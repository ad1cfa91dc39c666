-- All of these run as `authenticated`: row level security leaves the caller's own rows.

-- name: lately(within_s)
-- What was made lately, by step, and how long ago the first and the last of it began to be known.
SELECT step_name AS step, count(*)::int AS made,
       coalesce(sum((metadata ->> 'seconds')::float8), 0)::float8 AS seconds,
       extract(epoch FROM now() - min("timestamp"))::float8 AS first_s,
       extract(epoch FROM now() - max("timestamp"))::float8 AS last_s
  FROM processing_events
 WHERE "timestamp" > now() - make_interval(secs => :within_s) AND status = 'completed'
 GROUP BY step_name;

-- name: causes(at_most)
-- Why steps failed, the commonest first.
SELECT asset AS step, fault, error_class, count(*)::int AS clips
  FROM failed_steps()
 GROUP BY asset, fault, error_class
 ORDER BY count(*) DESC, asset, fault, error_class
 LIMIT :at_most;

-- name: attempts(clip_id)
-- What was tried with one clip, the latest first: each attempt by its end, or by its beginning while it has none.
SELECT step_name AS step, step_index, status, error, metadata ->> 'run' AS run_id,
       (metadata ->> 'seconds')::float8 AS seconds, metadata ->> 'error_class' AS error_class,
       "timestamp" AS at
  FROM (SELECT e.*, lead(status) OVER (PARTITION BY step_name ORDER BY "timestamp") AS following
          FROM processing_events e
         WHERE e.video_id = :clip_id) AS e
 WHERE status <> 'starting' OR following IS NULL
 ORDER BY "timestamp" DESC;

-- name: quiet_s()$
-- How long nothing has happened to any clip.
SELECT extract(epoch FROM now() - max("timestamp"))::float8 FROM processing_events;
