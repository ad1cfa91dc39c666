-- name: nobodys(checksums)
-- Which of these contents nobody has any more.
SELECT w.checksum
  FROM unnest(:checksums::text[]) AS w(checksum)
 WHERE NOT EXISTS (SELECT FROM clips c WHERE c.file_checksum = w.checksum);

-- name: in_ledger()
-- Contents of which the ledger knows although nobody has them any more.
SELECT DISTINCT r.file_checksum
  FROM results r
 WHERE NOT EXISTS (SELECT FROM clips c WHERE c.file_checksum = r.file_checksum);

-- name: claim(assets, checksums)
-- The contents of which nobody makes anything now: the locks of `claim` in ledger.sql, of all their cells.
SELECT c.file_checksum
  FROM unnest(:checksums::text[]) AS c(file_checksum)
 CROSS JOIN unnest(:assets::text[]) AS a(asset)
 GROUP BY c.file_checksum
HAVING bool_and(pg_try_advisory_lock(hashtextextended(a.asset || ' ' || c.file_checksum, 0)))
 ORDER BY c.file_checksum;

-- name: hold_results(checksums)!
-- Whoever registers one of these contents meanwhile waits for us, or we for them.
SELECT FROM results WHERE file_checksum = ANY(:checksums) ORDER BY file_checksum, asset FOR UPDATE;

-- name: delete_results(checksums)!
DELETE FROM results WHERE file_checksum = ANY(:checksums);

-- name: forget_calls(checksums)!
-- What was answered about these contents; that it was paid for stays.
WITH left_for_later AS (
    DELETE FROM private.postponed_cells WHERE file_checksum = ANY(:checksums)
)
UPDATE ai_calls
   SET answer = NULL, error = NULL, is_reusable = false,
       status = CASE status WHEN 'waiting' THEN 'lost' ELSE status END,
       cost_usd = CASE status WHEN 'waiting' THEN reserved_usd ELSE cost_usd END
 WHERE file_checksum = ANY(:checksums);

-- name: settle(kinds, targets, items, sizes, by)!
UPDATE deletions d
   SET removed_at = now(), removed_by = :by, items = g.items, size_bytes = g.size_bytes
  FROM unnest(:targets::text[], :items::int[], :sizes::bigint[]) AS g(target, items, size_bytes)
 WHERE d.kind = ANY(:kinds) AND d.removed_at IS NULL AND d.target = g.target;

-- name: tell_again(checksums)!
-- Dagster is to be told of these results anew.
UPDATE results SET reported = false WHERE file_checksum = ANY(:checksums) AND status = 'done';
