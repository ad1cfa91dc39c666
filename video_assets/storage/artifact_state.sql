-- name: state(store)^
SELECT (SELECT count(*) FROM private.artifact_copies WHERE store = :store AND done_at IS NOT NULL) AS files,
       (SELECT coalesce(sum(size_bytes), 0)::bigint
          FROM private.artifact_copies WHERE store = :store AND done_at IS NOT NULL) AS size_bytes,
       (SELECT count(*) FROM private.unneeded_copies(:store)) AS unneeded,
       (SELECT count(*)
          FROM private.artifact_digests d
         WHERE EXISTS (SELECT FROM clips c WHERE c.file_checksum = d.file_checksum)
           AND NOT EXISTS (SELECT FROM private.artifact_copies x
                            WHERE x.store = :store AND x.name = d.name AND x.blake3 = d.blake3
                              AND x.done_at IS NOT NULL)) AS elsewhere;

-- name: unknown()$
-- Results that name files of which nothing is known: they were made before there was a store.
SELECT count(*)
  FROM results r
 WHERE r.status = 'done'
   AND EXISTS (SELECT FROM clips c WHERE c.file_checksum = r.file_checksum)
   AND NOT EXISTS (SELECT FROM private.artifact_digests d
                    WHERE d.file_checksum = r.file_checksum AND d.asset = r.asset)
   AND jsonb_path_exists(
       r.result, 'strict $.** ? (@.type() == "string" && @ starts with $folder)',
       jsonb_build_object('folder', left(r.file_checksum, 2) || '/' || r.file_checksum || '/' || r.asset || '/'));
