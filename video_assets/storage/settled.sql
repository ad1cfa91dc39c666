-- name: presets_in_use()
SELECT DISTINCT preset FROM clips ORDER BY preset;

-- name: unsettled(presets, plans, taken, at_most)
-- Clips of which the plan of their preset may want something: first those of which a result has changed,
-- then those to look at anew; the owners take turns, each clip in the order of its registration.
WITH open AS (
    SELECT c.id, p.preset, s.clip_id IS NULL AS is_changed
      FROM clips AS c
      JOIN unnest(:presets::text[], :plans::text[]) AS p(preset, plan) ON p.preset = c.preset
      LEFT JOIN private.settled_clips AS s ON s.clip_id = c.id
     WHERE s.clip_id IS NULL OR s.plan <> p.plan OR s.until <= now()
), free AS (
    SELECT o.*, c.file_checksum,
           row_number() OVER (PARTITION BY o.is_changed, c.user_id
                                  ORDER BY c.created_at, c.file_checksum) AS turn
      FROM open AS o
      JOIN clips AS c ON c.id = o.id
     WHERE c.file_checksum NOT IN (SELECT unnest(:taken::text[]))
)
SELECT id, file_checksum, preset
  FROM free
 ORDER BY is_changed DESC, turn, file_checksum
 LIMIT :at_most;

-- name: settle(clips, plans, waits_s)!
-- Nothing is wanted of these clips for a while, at most a day: looking again costs little and finds what
-- no trigger told. A result that is just being committed may have been overlooked.
INSERT INTO private.settled_clips (clip_id, plan, until)
SELECT w.clip_id, w.plan,
       now() + make_interval(secs => least(w.wait_s, 43200 * (1 + random())))
  FROM unnest(:clips::uuid[], :plans::text[], :waits_s::float8[]) AS w(clip_id, plan, wait_s)
  JOIN clips AS c ON c.id = w.clip_id
 WHERE NOT EXISTS (
       SELECT FROM results AS r
        WHERE r.file_checksum = c.file_checksum AND r.measured_at > now() - interval '1 minute')
ON CONFLICT (clip_id) DO UPDATE SET plan = excluded.plan, until = excluded.until;
