-- name: project(checksum, owner)!
-- Where the sound for speech lies; a clip without sound has none.
WITH made AS (
    SELECT result
      FROM results
     WHERE file_checksum = :checksum AND asset = 'audio_track' AND status = 'done'
), owners AS (
    SELECT id, user_id
      FROM clips
     WHERE file_checksum = :checksum AND (:owner::uuid IS NULL OR user_id = :owner)
), removed AS (
    DELETE FROM artifacts a
     USING owners o, made
     WHERE a.video_id = o.id AND a.artifact_type = 'audio_track'
       AND made.result ->> 'file' IS NULL
)
INSERT INTO artifacts (video_id, user_id, step_name, artifact_type, file_path, blake3)
SELECT o.id, o.user_id, 'audio_track', 'audio_track', result ->> 'file', result ->> 'file_digest'
  FROM owners o
 CROSS JOIN made
 WHERE result ->> 'file' IS NOT NULL
ON CONFLICT (video_id, artifact_type) DO UPDATE
   SET step_name = excluded.step_name, file_path = excluded.file_path,
       blake3 = excluded.blake3, created_at = now();
