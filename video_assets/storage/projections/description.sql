-- name: project(checksum, owner)!
-- Whose words stand for the clip is each owner's own choice.
SELECT private.describe(ARRAY(
       SELECT id FROM clips WHERE file_checksum = :checksum AND (:owner::uuid IS NULL OR user_id = :owner)));
