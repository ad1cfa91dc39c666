-- name: now()$
SELECT clock_timestamp();

-- name: mark(kind, targets, items, sizes, mtimes, wait_s, by)
-- Notes that these are unneeded, and tells which have been for long enough. One that was written since waits anew.
INSERT INTO deletions AS d (kind, target, items, size_bytes, mtime_ns, marked_by)
SELECT :kind, f.target, f.items, f.size_bytes, f.mtime_ns, :by
  FROM unnest(:targets::text[], :items::int[], :sizes::bigint[], :mtimes::bigint[])
       AS f(target, items, size_bytes, mtime_ns)
ON CONFLICT (kind, target) WHERE removed_at IS NULL DO UPDATE
   SET marked_at = CASE WHEN d.mtime_ns IS DISTINCT FROM excluded.mtime_ns THEN now()
                        ELSE d.marked_at END,
       mtime_ns = excluded.mtime_ns, items = excluded.items, size_bytes = excluded.size_bytes,
       seen_at = clock_timestamp()
RETURNING target, (xmax = 0) AS is_new,
          marked_at <= now() - make_interval(secs => :wait_s) AS is_due;

-- name: waiting(kind, targets, wait_s)
-- The same question without marking anything.
SELECT target, mtime_ns, marked_at <= now() - make_interval(secs => :wait_s) AS is_due
  FROM deletions
 WHERE kind = :kind AND removed_at IS NULL AND target = ANY(:targets);

-- name: open_targets(kind)
SELECT target FROM deletions WHERE kind = :kind AND removed_at IS NULL ORDER BY marked_at, target;

-- name: not_seen(kind, since)
-- What was unneeded at an earlier look and was not found to be at this one.
SELECT target FROM deletions WHERE kind = :kind AND removed_at IS NULL AND seen_at < :since;

-- name: withdraw(kind, targets)!
DELETE FROM deletions WHERE kind = :kind AND removed_at IS NULL AND target = ANY(:targets);

-- name: settle(kind, targets, by)!
-- They are gone.
UPDATE deletions SET removed_at = now(), removed_by = :by
 WHERE kind = :kind AND removed_at IS NULL AND target = ANY(:targets);

-- name: record(kind, target, items, size_bytes, by)!
-- Something that needed no mark, because its age was its wait.
INSERT INTO deletions (kind, target, items, size_bytes, marked_by, removed_at, removed_by)
VALUES (:kind, :target, :items, :size_bytes, :by, now(), :by);
