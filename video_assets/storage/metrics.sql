-- All of these run as service_role: they count every owner's rows.

-- name: totals()^
SELECT coalesce(sum(file_size_bytes), 0)::float8 AS bytes,
       coalesce(sum(duration_seconds), 0)::float8 AS seconds
  FROM clips;

-- name: failures()
SELECT asset, fault, error_class, count(*) AS cells
  FROM results
 WHERE status = 'failed'
 GROUP BY asset, fault, error_class
 ORDER BY asset, fault, error_class;

-- name: times()
SELECT asset, count(*) AS results, coalesce(sum(seconds), 0)::float8 AS seconds,
       coalesce(sum(cpu_seconds), 0)::float8 AS cpu_seconds
  FROM results
 WHERE status = 'done'
 GROUP BY asset
 ORDER BY asset;

-- name: oldest_waiting_s()$
-- Of the clips that have a step to come; one that failed waits for nothing.
SELECT coalesce(max(extract(epoch FROM now() - c.created_at)), 0)::float8
  FROM clips c
  JOIN clip_states s ON s.clip_id = c.id
 WHERE c.processing_progress < 100 AND s.state <> 'failed';
