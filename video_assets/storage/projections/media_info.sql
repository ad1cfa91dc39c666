-- name: project(checksum, owner)!
-- How the picture is coded, and the tracks: said more fully than by the probe.
UPDATE clips c
   SET technical_metadata = coalesce(technical_metadata, '{}')
                         || jsonb_build_object('media_info',
                                               m - '{audio_tracks,subtitle_tracks}'::text[]),
       audio_tracks = m -> 'audio_tracks',
       subtitle_tracks = m -> 'subtitle_tracks'
  FROM (SELECT result AS m
          FROM results
         WHERE file_checksum = :checksum AND asset = 'media_info' AND status = 'done') r
 WHERE c.file_checksum = :checksum AND (:owner::uuid IS NULL OR c.user_id = :owner);
