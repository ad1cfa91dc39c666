-- name: project(checksums, owner)!
-- How far a clip has come, derived from the ledger: of the steps that were planned for it, those
-- that are done. Written by no one else.
UPDATE clips c
   SET processing_status = s.by_step,
       total_steps = cardinality(c.planned_steps),
       processing_progress = CASE WHEN cardinality(c.planned_steps) = 0 THEN 0
                                  ELSE 100 * s.done / cardinality(c.planned_steps) END,
       last_step_completed = s.last_done,
       current_step = (SELECT step
                         FROM unnest(c.planned_steps) WITH ORDINALITY AS p(step, place)
                        WHERE NOT coalesce(s.by_step -> step ->> 'status' IN ('completed', 'failed'),
                                           false)
                        ORDER BY place LIMIT 1)
  FROM clips me
 CROSS JOIN LATERAL (
       SELECT coalesce(jsonb_object_agg(r.asset, CASE WHEN r.status = 'done'
                  THEN jsonb_build_object('status', 'completed', 'completed_at', r.measured_at)
                  ELSE jsonb_build_object('status', 'failed', 'failed_at', r.measured_at,
                                          'error', r.error) END), '{}') AS by_step,
              count(*) FILTER (WHERE r.status = 'done' AND r.asset = ANY(me.planned_steps)) AS done,
              (array_agg(r.asset ORDER BY r.measured_at DESC)
                  FILTER (WHERE r.status = 'done'))[1] AS last_done
         FROM results r
        WHERE r.file_checksum = me.file_checksum) s
 WHERE me.id = c.id AND c.file_checksum = ANY(:checksums)
   AND (:owner::uuid IS NULL OR c.user_id = :owner);
