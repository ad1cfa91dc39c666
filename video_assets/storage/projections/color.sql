-- name: project(checksum, owner)!
-- How code values mean colour, and whether it is high dynamic range.
UPDATE clips c
   SET technical_metadata = coalesce(technical_metadata, '{}') || jsonb_build_object('color', r.found),
       is_hdr = (r.found -> 'hdr' ->> 'is_hdr')::boolean,
       hdr_format = r.found -> 'hdr' ->> 'hdr_format'
  FROM (SELECT result AS found
          FROM results
         WHERE file_checksum = :checksum AND asset = 'color' AND status = 'done') r
 WHERE c.file_checksum = :checksum AND (:owner::uuid IS NULL OR c.user_id = :owner);
