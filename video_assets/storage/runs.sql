-- These run as service_role and name the owner, all but the last two, which run as `authenticated`.

-- name: begin(run_id, owner, name, kind, preset, preset_document, roots, host, process, started_at)!
INSERT INTO runs (run_id, user_id, name, kind, preset, preset_document, roots, host, process, started_at)
VALUES (:run_id, :owner, :name, :kind, :preset, :preset_document, :roots::text[], :host, :process,
        coalesce(:started_at::timestamptz, now()));

-- name: take_in(run_id, owner, checksums, taken_as)!
-- A copy of what the run has already is no second clip.
INSERT INTO run_clips (run_id, clip_id, user_id, taken_as)
SELECT :run_id, c.id, c.user_id, t.taken_as
  FROM unnest(:checksums::text[], :taken_as::text[]) WITH ORDINALITY AS t (checksum, taken_as, place)
  JOIN clips c ON c.file_checksum = t.checksum AND c.user_id = :owner
 ORDER BY t.place
ON CONFLICT DO NOTHING;

-- name: note_unreadable(run_id, owner, paths, reasons)!
INSERT INTO run_unreadable_files (run_id, user_id, path, reason)
SELECT :run_id, :owner, t.path, t.reason
  FROM unnest(:paths::text[], :reasons::text[]) AS t (path, reason);

-- name: end(run_id, owner, status, note)!
UPDATE runs SET status = :status, note = :note, ended_at = greatest(now(), started_at)
 WHERE run_id = :run_id AND user_id = :owner AND status = 'active';

-- name: leave_to_daemon(run_id, owner)!
-- What it took in is processed by whoever works in the background.
UPDATE runs SET process = NULL WHERE run_id = :run_id AND user_id = :owner AND status = 'active';

-- name: active(owner, host)
SELECT run_id, process FROM runs
 WHERE user_id = :owner AND status = 'active' AND host = :host AND process IS NOT NULL;

-- name: end_killed(owner, run_ids, note)!
-- It ended when the last result of its clips was saved, as far as anybody can tell.
UPDATE runs u
   SET status = 'stopped', note = :note,
       ended_at = greatest(u.started_at, (
           SELECT max(r.measured_at)
             FROM run_clips t
             JOIN clips c ON c.id = t.clip_id
             JOIN results r USING (file_checksum)
            WHERE t.run_id = u.run_id))
 WHERE u.user_id = :owner AND u.run_id = ANY(:run_ids::text[]) AND u.status = 'active';

-- name: end_background(owner, quiet_s)
-- Runs that were left to the daemon end with the last of their clips.
UPDATE runs u
   SET status = 'completed', ended_at = greatest(u.started_at, w.last_at)
  FROM (SELECT t.run_id, max(c.updated_at) AS last_at,
               bool_and(s.state = 'complete'
                        OR (s.state = 'failed' AND c.updated_at < now() - make_interval(secs => :quiet_s))) AS is_over
          FROM runs a
          JOIN run_clips t ON t.run_id = a.run_id
          JOIN clips c ON c.id = t.clip_id
          JOIN clip_states s ON s.clip_id = c.id
         WHERE a.user_id = :owner AND a.status = 'active' AND a.process IS NULL
         GROUP BY t.run_id) w
 WHERE u.run_id = w.run_id AND w.is_over
RETURNING u.run_id;

-- name: delete(run_id, owner)!
DELETE FROM runs WHERE run_id = :run_id AND user_id = :owner AND status <> 'active';

-- name: ended(keep, older_than_s)
-- Ended runs, newest first, without the newest of them and those that ended lately.
SELECT run_id
  FROM (SELECT run_id, coalesce(ended_at, started_at) AS ended_at,
               row_number() OVER (ORDER BY started_at DESC, run_id DESC) AS place
          FROM runs
         WHERE status <> 'active') r
 WHERE place > :keep AND ended_at <= now() - make_interval(secs => :older_than_s)
 ORDER BY place;

-- name: list_runs(at_most, named)
-- Runs, newest first, with what has become of their clips; `named` is an id or a name.
WITH shown AS (
    SELECT *, count(*) OVER () AS total
      FROM runs
     WHERE :named::text IS NULL OR run_id = :named OR name = :named OR starts_with(run_id, :named)
     ORDER BY run_id = :named DESC, started_at DESC, run_id DESC
     LIMIT :at_most
), states AS MATERIALIZED (
    SELECT clip_id, state FROM clip_states
     WHERE clip_id IN (SELECT clip_id FROM run_clips JOIN shown USING (run_id))
)
SELECT u.run_id, u.user_id, u.name, u.kind, u.preset, u.preset_document, u.roots, u.status, u.note, u.host,
       u.started_at, u.ended_at, u.total,
       count(t.clip_id) AS clips,
       count(*) FILTER (WHERE s.state = 'complete') AS complete,
       count(*) FILTER (WHERE s.state = 'failed') AS failed,
       count(*) FILTER (WHERE t.taken_as = 'new') AS new,
       (SELECT count(*) FROM run_unreadable_files f WHERE f.run_id = u.run_id) AS unreadable,
       coalesce(sum(c.duration_seconds), 0)::float8 AS duration_s,
       coalesce(sum(c.file_size_bytes), 0)::bigint AS size_bytes
  FROM shown u
  LEFT JOIN run_clips t ON t.run_id = u.run_id
  LEFT JOIN clips c ON c.id = t.clip_id
  LEFT JOIN states s ON s.clip_id = t.clip_id
 GROUP BY u.run_id, u.user_id, u.name, u.kind, u.preset, u.preset_document, u.roots, u.status, u.note, u.host,
          u.started_at, u.ended_at, u.total
 ORDER BY u.run_id = :named DESC, u.started_at DESC, u.run_id DESC;
