-- As `authenticated` these count what row level security leaves: the caller's own. As `service_role` they count all.

-- name: states()
-- What is complete says so in its own row; only of the rest is asked how they stand.
SELECT 'complete' AS state, count(*) AS clips
  FROM clips
 WHERE processing_progress = 100 AND missing_since IS NULL
 UNION ALL
SELECT s.state, count(*)
  FROM clips c
  JOIN clip_states s ON s.clip_id = c.id
 WHERE c.processing_progress < 100 OR c.missing_since IS NOT NULL
 GROUP BY s.state;

-- name: unreadable_files()$
SELECT count(*) FROM unreadable_files;

-- name: steps()
-- Clips by step and state, blocked where another step failed; steps in the order of the plan, then those that are planned no more.
-- A complete clip needs no look at its steps, which takes ten times as long as all else: how many there are of each plan
-- is read from an index, and the plan from one of them. Of the rest, clips of one plan that stand alike are counted as
-- one: a row for each step of each clip takes twice as long.
WITH running AS MATERIALIZED (
    SELECT clip_id, step FROM running_steps
), complete AS (
    SELECT user_id, plan_key, count(*) AS clips
      FROM clips
     WHERE processing_progress = 100 AND id NOT IN (SELECT clip_id FROM running)
     GROUP BY user_id, plan_key
), open AS (
    SELECT planned_steps, processing_status, id FROM clips WHERE processing_progress < 100
     UNION ALL
    SELECT planned_steps, processing_status, id
      FROM clips
     WHERE processing_progress = 100 AND id IN (SELECT clip_id FROM running)
), alike AS (
    SELECT (SELECT planned_steps
              FROM clips
             WHERE processing_progress = 100 AND user_id = c.user_id AND plan_key = c.plan_key
             LIMIT 1) AS planned_steps,
           NULL::text[] AS found, c.clips
      FROM complete c
     UNION ALL
    SELECT o.planned_steps, f.found, count(*)
      FROM open o
     CROSS JOIN LATERAL (
           SELECT ARRAY(SELECT CASE WHEN (o.id, p.step) IN (SELECT clip_id, step FROM running) THEN 'running'
                                    ELSE o.processing_status -> p.step ->> 'status' END
                          FROM unnest(o.planned_steps) WITH ORDINALITY AS p(step, place)
                         ORDER BY p.place) AS found) AS f
     GROUP BY o.planned_steps, f.found
), cells AS (
    SELECT p.step, p.place,
           CASE WHEN a.found IS NULL OR a.found[p.place] = 'completed' THEN 'done'
                WHEN a.found[p.place] IN ('failed', 'running') THEN a.found[p.place]
                WHEN 'failed' = ANY (a.found) THEN 'blocked'
                ELSE 'waiting' END AS state,
           a.clips
      FROM alike a
     CROSS JOIN unnest(a.planned_steps) WITH ORDINALITY AS p(step, place)
     UNION ALL
    SELECT k.step, NULL, CASE k.found ->> 'status' WHEN 'completed' THEN 'done' ELSE 'failed' END, 1
      FROM clips c
     CROSS JOIN jsonb_each(c.processing_status - c.planned_steps) AS k(step, found)
     WHERE c.processing_status - c.planned_steps <> '{}'
)
SELECT step,
       coalesce(sum(clips) FILTER (WHERE state = 'done'), 0)::int AS done,
       coalesce(sum(clips) FILTER (WHERE state = 'failed'), 0)::int AS failed,
       coalesce(sum(clips) FILTER (WHERE state = 'running'), 0)::int AS running,
       coalesce(sum(clips) FILTER (WHERE state = 'waiting'), 0)::int AS waiting,
       coalesce(sum(clips) FILTER (WHERE state = 'blocked'), 0)::int AS blocked
  FROM cells
 GROUP BY step
 ORDER BY min(place) NULLS LAST, step;
