-- name: project(checksum, owner)!
-- The paths of the stills, and one artifact row for each and for the contact sheet; a rerun that
-- gives fewer leaves none of the old ones behind.
WITH made AS (
    SELECT result
      FROM results
     WHERE file_checksum = :checksum AND asset = 'thumbnails' AND status = 'done'
), files AS (
    SELECT 'thumbnail_' || (i ->> 'index') AS artifact_type, i ->> 'name' AS file_path,
           (i ->> 'size_bytes')::bigint AS size_bytes
      FROM made, jsonb_array_elements(result -> 'thumbnails') i
     UNION ALL
    SELECT 'contact_sheet', result ->> 'contact_sheet', NULL
      FROM made
     WHERE result ->> 'contact_sheet' IS NOT NULL
), owners AS (
    SELECT id, user_id
      FROM clips
     WHERE file_checksum = :checksum AND (:owner::uuid IS NULL OR user_id = :owner)
), listed AS (
    UPDATE clips c
       SET thumbnails = (SELECT array_agg(file_path ORDER BY file_path)
                           FROM files WHERE artifact_type ^@ 'thumbnail')
      FROM owners o
     WHERE c.id = o.id AND EXISTS (SELECT FROM made)
), removed AS (
    DELETE FROM artifacts a
     USING owners o
     WHERE a.video_id = o.id AND a.step_name = 'thumbnails'
       AND a.artifact_type NOT IN (SELECT artifact_type FROM files)
       AND EXISTS (SELECT FROM made)
)
INSERT INTO artifacts (video_id, user_id, step_name, artifact_type, file_path, size_bytes)
SELECT o.id, o.user_id, 'thumbnails', f.artifact_type, f.file_path, f.size_bytes
  FROM owners o
 CROSS JOIN files f
ON CONFLICT (video_id, artifact_type) DO UPDATE
   SET step_name = excluded.step_name, file_path = excluded.file_path,
       size_bytes = excluded.size_bytes, created_at = now();
