-- name: postpone(checksum, asset, reason, until)!
INSERT INTO private.postponed_cells (file_checksum, asset, reason, until)
VALUES (:checksum, :asset, :reason, coalesce(:until::timestamptz, 'infinity'))
ON CONFLICT (file_checksum, asset) DO UPDATE
   SET reason = excluded.reason, until = excluded.until, noted_at = now();

-- name: take_up(checksums, assets)!
DELETE FROM private.postponed_cells
 WHERE file_checksum = ANY(:checksums::text[])
   AND (:assets::text[] IS NULL OR asset = ANY(:assets::text[]));

-- name: reasons(owner, checksums)
-- Why cells of an owner's clips are left for later, the most frequent reason first.
SELECT p.asset, p.reason, count(*) AS clips, nullif(max(p.until), 'infinity') AS until
  FROM private.postponed_cells p
  JOIN clips c ON c.file_checksum = p.file_checksum AND c.user_id = :owner
 WHERE p.until > now() AND (:checksums::text[] IS NULL OR p.file_checksum = ANY(:checksums::text[]))
 GROUP BY p.asset, p.reason
 ORDER BY clips DESC, p.asset, p.reason;
