-- name: project(checksum, owner)!
-- The clip is complete: everything that is known of it stands in one document.
WITH made AS (
    SELECT result ->> 'document' AS file_path, measured_at
      FROM results
     WHERE file_checksum = :checksum AND asset = 'video_document' AND status = 'done'
), owners AS (
    UPDATE clips c
       SET processed_at = greatest(made.measured_at, c.created_at)
      FROM made
     WHERE c.file_checksum = :checksum AND (:owner::uuid IS NULL OR c.user_id = :owner)
 RETURNING c.id, c.user_id
)
INSERT INTO artifacts (video_id, user_id, step_name, artifact_type, file_path)
SELECT o.id, o.user_id, 'video_document', 'video_document', made.file_path
  FROM owners o
 CROSS JOIN made
ON CONFLICT (video_id, artifact_type) DO UPDATE
   SET file_path = excluded.file_path, created_at = now();
