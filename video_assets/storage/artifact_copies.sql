-- name: owners(checksum)
SELECT user_id FROM clips WHERE file_checksum = :checksum ORDER BY created_at, user_id;

-- name: begin(store, checksum, asset, keys, owners, names, sizes, digests)
-- Writes down what is about to be put into a store: whoever is killed then leaves word of it.
INSERT INTO private.artifact_copies AS c (store, key, user_id, name, file_checksum, asset, size_bytes, blake3)
SELECT :store, f.key, f.user_id, f.name, :checksum, :asset, f.size_bytes, f.blake3
  FROM unnest(:keys::text[], :owners::uuid[], :names::text[], :sizes::bigint[], :digests::text[])
       AS f(key, user_id, name, size_bytes, blake3)
ON CONFLICT (store, key) DO UPDATE SET begun_at = now()
RETURNING key, upload_url, done_at IS NOT NULL AS is_done;

-- name: note_upload(store, key, upload_url)!
UPDATE private.artifact_copies SET upload_url = :upload_url WHERE store = :store AND key = :key;

-- name: end_(store, keys)!
UPDATE private.artifact_copies SET done_at = coalesce(done_at, now()), upload_url = NULL
 WHERE store = :store AND key = ANY(:keys);

-- name: find(store, names, owner)
-- What these files must be, and where one of each lies in a store.
SELECT d.name, d.size_bytes, d.blake3,
       (SELECT c.key
          FROM private.artifact_copies c
         WHERE c.store = :store AND c.name = d.name AND c.blake3 = d.blake3 AND c.done_at IS NOT NULL
           AND (:owner::uuid IS NULL OR c.user_id IS NULL OR c.user_id = :owner)
         ORDER BY c.key
         LIMIT 1) AS key
  FROM private.artifact_digests d
 WHERE d.name = ANY(:names);

-- name: unshared(store, checksums, at_most)
-- Files of which an owner has no copy although they have the content: they came to it later than others.
SELECT d.file_checksum, d.asset, d.name, d.size_bytes, d.blake3, o.user_id,
       (SELECT c.key
          FROM private.artifact_copies c
         WHERE c.store = :store AND c.name = d.name AND c.blake3 = d.blake3 AND c.done_at IS NOT NULL
         ORDER BY c.key
         LIMIT 1) AS source
  FROM private.artifact_digests d
  JOIN clips o USING (file_checksum)
 WHERE NOT EXISTS (SELECT FROM private.artifact_copies x
                    WHERE x.store = :store AND x.name = d.name AND x.blake3 = d.blake3
                      AND x.user_id = o.user_id AND x.done_at IS NOT NULL)
   AND EXISTS (SELECT FROM private.artifact_copies x
                WHERE x.store = :store AND x.name = d.name AND x.blake3 = d.blake3 AND x.done_at IS NOT NULL)
   AND (:checksums::text[] IS NULL OR d.file_checksum = ANY(:checksums))
 ORDER BY d.file_checksum, d.asset, o.user_id
 LIMIT :at_most;

-- name: lose(store, keys)!
UPDATE private.artifact_copies SET done_at = NULL, verified_at = NULL WHERE store = :store AND key = ANY(:keys);

-- name: assets()
-- Every asset that is known to the catalogue, whose cells somebody may have in hand.
SELECT asset FROM results
 UNION
SELECT unnest(planned_steps) FROM clips;
