-- name: project(checksum, owner)!
-- Where the proxy and the measures of its source lie, and how loud the clip is.
WITH made AS (
    SELECT result
      FROM results
     WHERE file_checksum = :checksum AND asset = 'proxy' AND status = 'done'
), owners AS (
    UPDATE clips c
       SET loudness_lufs = (result -> 'sound' ->> 'integrated_lufs')::double precision,
           true_peak_dbtp = (result -> 'sound' ->> 'true_peak_dbtp')::double precision,
           technical_metadata = coalesce(technical_metadata, '{}')
                             || jsonb_build_object('sound', result -> 'sound')
      FROM made
     WHERE c.file_checksum = :checksum AND (:owner::uuid IS NULL OR c.user_id = :owner)
 RETURNING c.id, c.user_id
), files AS (
    SELECT 'proxy' AS artifact_type, result ->> 'file' AS file_path,
           (result ->> 'size_bytes')::bigint AS size_bytes, result ->> 'file_digest' AS blake3
      FROM made
     UNION ALL
    SELECT 'measurements', result ->> 'measurements', NULL, result ->> 'measurements_digest'
      FROM made
)
INSERT INTO artifacts (video_id, user_id, step_name, artifact_type, file_path, size_bytes, blake3)
SELECT o.id, o.user_id, 'proxy', f.artifact_type, f.file_path, f.size_bytes, f.blake3
  FROM owners o
 CROSS JOIN files f
ON CONFLICT (video_id, artifact_type) DO UPDATE
   SET step_name = excluded.step_name, file_path = excluded.file_path,
       size_bytes = excluded.size_bytes, blake3 = excluded.blake3, created_at = now();
