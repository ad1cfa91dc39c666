-- name: postpone(checksum, asset, reason, until)!
INSERT INTO private.postponed_cells (file_checksum, asset, reason, until)
VALUES (:checksum, :asset, :reason, coalesce(:until::timestamptz, 'infinity'))
ON CONFLICT (file_checksum, asset) DO UPDATE
   SET reason = excluded.reason, until = excluded.until, noted_at = now();

-- name: take_up(checksums, assets)!
DELETE FROM private.postponed_cells
 WHERE file_checksum = ANY(:checksums::text[])
   AND (:assets::text[] IS NULL OR asset = ANY(:assets::text[]));

-- name: reasons(checksums)
-- Why cells of the caller's clips are left for later, the most frequent reason first; runs as `authenticated`.
SELECT asset, reason, clips, until FROM private.own_waits(:checksums) ORDER BY clips DESC, asset, reason;
