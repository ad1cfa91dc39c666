-- name: project(checksum, owner)!
-- What a model sees stands beside what the camera wrote, and never replaces it.
UPDATE clips c
   SET camera_details = CASE WHEN found ->> 'source' = 'AI'
                             THEN coalesce(camera_details, '{}')
                               || jsonb_build_object('estimated_focal_length', found)
                             ELSE camera_details - 'estimated_focal_length' END,
       focal_length_category = coalesce(camera_details -> 'focal_length' ->> 'category',
                                        CASE WHEN found ->> 'source' = 'AI'
                                             THEN found ->> 'category' END)
  FROM (SELECT result AS found
          FROM results
         WHERE file_checksum = :checksum AND asset = 'focal_length' AND status = 'done') r
 WHERE c.file_checksum = :checksum AND (:owner::uuid IS NULL OR c.user_id = :owner);
