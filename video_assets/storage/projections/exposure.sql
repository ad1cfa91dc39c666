-- name: project(checksum, owner)!
-- How the clip is exposed, as a whole; the scenes' own values stand in the metadata.
UPDATE clips c
   SET technical_metadata = coalesce(technical_metadata, '{}') || jsonb_build_object('exposure', r.found),
       exposure_quality = r.found ->> 'overall_quality',
       exposure_stops = (r.found ->> 'stops')::double precision,
       exposure_warning = (r.found ->> 'warning')::boolean
  FROM (SELECT result AS found
          FROM results
         WHERE file_checksum = :checksum AND asset = 'exposure' AND status = 'done') r
 WHERE c.file_checksum = :checksum AND (:owner::uuid IS NULL OR c.user_id = :owner);
