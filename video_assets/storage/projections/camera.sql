-- name: project(checksum, owner)!
-- What the camera wrote. A category that a model saw in the picture stands beside it and fills a gap.
UPDATE clips c
   SET camera_details = found
                     || CASE WHEN camera_details ? 'estimated_focal_length'
                             THEN jsonb_build_object('estimated_focal_length',
                                                     camera_details -> 'estimated_focal_length')
                             ELSE '{}' END,
       camera_make = found ->> 'make',
       camera_model = found ->> 'model',
       lens_model = found ->> 'lens_model',
       focal_length_mm = (found -> 'focal_length' ->> 'value_mm')::double precision,
       focal_length_category = coalesce(found -> 'focal_length' ->> 'category',
                                        camera_details -> 'estimated_focal_length' ->> 'category'),
       gps_latitude = (found -> 'location' ->> 'gps_latitude')::double precision,
       gps_longitude = (found -> 'location' ->> 'gps_longitude')::double precision,
       gps_altitude = (found -> 'location' ->> 'gps_altitude')::double precision,
       location_name = found -> 'location' ->> 'location_name',
       captured_at = (found -> 'capture' ->> 'utc_time')::timestamptz,
       -- Reading a text as a timestamp without a zone leaves its offset out.
       captured_at_local = CASE WHEN NOT is_utc THEN (found -> 'capture' ->> 'time')::timestamp END,
       capture_utc_offset_minutes = CASE WHEN NOT is_utc
                                         THEN (found -> 'capture' ->> 'utc_offset_minutes')::int END
  FROM (SELECT result AS found,
               -- Containers and satellites tell UTC everywhere, and so not what the clock showed.
               coalesce(result -> 'capture' ->> 'source' ~ '^(QuickTime|Info|GPS):'
                        AND result -> 'capture' ->> 'utc_offset_minutes' = '0', false)
               OR (result -> 'capture' ->> 'utc_time' IS NOT NULL
                   AND result -> 'capture' ->> 'utc_offset_minutes' IS NULL) AS is_utc
          FROM results
         WHERE file_checksum = :checksum AND asset = 'camera' AND status = 'done') r
 WHERE c.file_checksum = :checksum AND (:owner::uuid IS NULL OR c.user_id = :owner);
