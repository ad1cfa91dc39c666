-- name: project(checksum, owner)!
-- What people list, sort and filter clips by. What media_info says of the tracks goes before.
UPDATE clips c
   SET container = p ->> 'container',
       codec = v ->> 'codec',
       duration_seconds = (p ->> 'duration_s')::numeric,
       width = (v ->> 'width')::int,
       height = (v ->> 'height')::int,
       display_width = (v ->> 'display_width')::int,
       display_height = (v ->> 'display_height')::int,
       rotation = (v ->> 'rotation')::int,
       frame_rate = split_part(v ->> 'frame_rate', '/', 1)::numeric
                  / split_part(v ->> 'frame_rate', '/', 2)::numeric,
       is_vfr = (v ->> 'is_variable_frame_rate')::boolean,
       bitrate = (p ->> 'bit_rate_bps')::bigint,
       start_timecode = p ->> 'timecode',
       has_audio = jsonb_array_length(p -> 'audio_tracks') > 0,
       audio_tracks = coalesce(m -> 'audio_tracks', p -> 'audio_tracks'),
       subtitle_tracks = coalesce(m -> 'subtitle_tracks', p -> 'subtitle_tracks'),
       technical_metadata = coalesce(technical_metadata, '{}')
                         || jsonb_build_object('video', v, 'warnings', p -> 'warnings')
  FROM (SELECT result AS p, result -> 'video' AS v
          FROM results
         WHERE file_checksum = :checksum AND asset = 'probe' AND status = 'done') r
  LEFT JOIN (SELECT result AS m
               FROM results
              WHERE file_checksum = :checksum AND asset = 'media_info' AND status = 'done') i ON true
 WHERE c.file_checksum = :checksum AND (:owner::uuid IS NULL OR c.user_id = :owner);
