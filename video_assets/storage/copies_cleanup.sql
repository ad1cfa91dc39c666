-- name: unneeded(store)
SELECT key, file_checksum, asset, size_bytes, begun_at FROM private.unneeded_copies(:store) ORDER BY asset, key;

-- name: still_unneeded(store, keys)
SELECT key FROM private.unneeded_copies(:store) WHERE key = ANY(:keys);

-- name: given_up(store)
-- What lies there of contents that owners have just given up: of these owners, and of contents nobody has.
SELECT c.key, c.file_checksum, c.asset, c.size_bytes, c.begun_at
  FROM deletions d
  JOIN private.artifact_copies c ON c.file_checksum = split_part(d.target, '/', 2) AND c.store = :store
 WHERE d.kind = 'forgotten' AND d.removed_at IS NULL
   AND NOT EXISTS (SELECT FROM clips o
                    WHERE o.file_checksum = c.file_checksum
                      AND (c.user_id IS NULL OR o.user_id = c.user_id))
 ORDER BY c.asset, c.key;

-- name: forget(store, keys)!
DELETE FROM private.artifact_copies WHERE store = :store AND key = ANY(:keys);

