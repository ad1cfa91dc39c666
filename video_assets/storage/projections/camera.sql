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
       -- Reading a text as a timestamp without a zone leaves its offset out. With a moment in UTC
       -- and no offset the clock at the place is not known.
       captured_at_local = CASE WHEN found -> 'capture' ->> 'utc_time' IS NULL
                                  OR found -> 'capture' ->> 'utc_offset_minutes' IS NOT NULL
                                THEN (found -> 'capture' ->> 'time')::timestamp END,
       capture_utc_offset_minutes = (found -> 'capture' ->> 'utc_offset_minutes')::int
  FROM (SELECT result AS found
          FROM results
         WHERE file_checksum = :checksum AND asset = 'camera' AND status = 'done') r
 WHERE c.file_checksum = :checksum AND (:owner::uuid IS NULL OR c.user_id = :owner);
