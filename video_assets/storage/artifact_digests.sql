-- name: forget_others(checksum, asset, names)!
-- The files of an earlier result are known no more.
DELETE FROM private.artifact_digests
 WHERE file_checksum = :checksum AND asset = :asset AND name <> ALL(:names::text[]);

-- name: add(checksum, asset, names, sizes, digests)!
INSERT INTO private.artifact_digests AS d (name, file_checksum, asset, size_bytes, blake3)
SELECT f.name, :checksum, :asset, f.size_bytes, f.blake3
  FROM unnest(:names::text[], :sizes::bigint[], :digests::text[]) AS f(name, size_bytes, blake3)
ON CONFLICT (name) DO UPDATE SET size_bytes = excluded.size_bytes, blake3 = excluded.blake3;
