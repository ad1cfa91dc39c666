-- name: cells(after_asset, after_checksum, at_most)
-- Results with the files that each names of its own, in the order of their assets.
SELECT r.asset, r.file_checksum, n.names
  FROM results r
 CROSS JOIN LATERAL (
       SELECT array_agg(DISTINCT each #>> '{}') AS names
         FROM jsonb_path_query(
              r.result, 'strict $.** ? (@.type() == "string" && @ starts with $folder)',
              jsonb_build_object('folder', left(r.file_checksum, 2) || '/' || r.file_checksum || '/' || r.asset || '/'))
              AS each) AS n
 WHERE (r.asset, r.file_checksum) > (:after_asset, :after_checksum)
   AND r.status = 'done' AND n.names IS NOT NULL
   AND EXISTS (SELECT FROM clips c WHERE c.file_checksum = r.file_checksum)
 ORDER BY r.asset, r.file_checksum
 LIMIT :at_most;

-- name: verified(store, names)
-- Which of these files lie in a store for everybody who has the content, read back and found right.
SELECT d.name
  FROM private.artifact_digests d
 WHERE d.name = ANY(:names)
   AND EXISTS (SELECT FROM private.artifact_copies c
                WHERE c.store = :store AND c.name = d.name AND c.blake3 = d.blake3)
   AND NOT EXISTS (SELECT FROM private.artifact_copies c
                    WHERE c.store = :store AND c.name = d.name AND c.blake3 = d.blake3
                      AND c.verified_at IS NULL);

-- name: known(names)
-- What files are, as far as a result says it.
SELECT DISTINCT file_path AS name, blake3 FROM artifacts WHERE file_path = ANY(:names) AND blake3 IS NOT NULL;

-- name: unverified(store, names)
SELECT c.key, c.name, c.size_bytes, c.blake3
  FROM private.artifact_copies c
 WHERE c.store = :store AND c.name = ANY(:names) AND c.done_at IS NOT NULL AND c.verified_at IS NULL;

-- name: verify(store, key)!
UPDATE private.artifact_copies SET verified_at = now() WHERE store = :store AND key = :key;

-- name: other_stores(store)
SELECT DISTINCT store FROM private.artifact_copies WHERE store <> :store ORDER BY store;

-- name: copies_in(store, after, at_most)
SELECT c.key, c.name, c.file_checksum, c.asset, c.size_bytes, c.blake3,
       EXISTS (SELECT FROM private.artifact_digests d WHERE d.name = c.name AND d.blake3 = c.blake3) AS is_needed
  FROM private.artifact_copies c
 WHERE c.store = :store AND c.key > :after
 ORDER BY c.key
 LIMIT :at_most;
