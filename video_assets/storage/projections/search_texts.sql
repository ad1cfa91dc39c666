-- name: project(checksum, owner)!
-- The passages of what is said. One that is as it was keeps its id; a rerun that finds fewer leaves
-- none of the old ones behind.
WITH found AS (
    SELECT (p ->> 'number')::int AS number, (p ->> 'start_s')::double precision AS start_s,
           (p ->> 'end_s')::double precision AS end_s, p ->> 'text' AS content,
           result ->> 'language' AS language
      FROM results, jsonb_array_elements(result -> 'passages') p
     WHERE file_checksum = :checksum AND asset = 'search_texts' AND status = 'done'
), owners AS (
    SELECT id, user_id
      FROM clips
     WHERE file_checksum = :checksum AND (:owner::uuid IS NULL OR user_id = :owner)
), fewer AS (
    DELETE FROM segments s
     USING owners o
     WHERE s.clip_id = o.id AND s.kind = 'passage' AND s.number NOT IN (SELECT number FROM found)
)
INSERT INTO segments (clip_id, user_id, kind, number, timestamp_start, timestamp_end, content, language)
SELECT o.id, o.user_id, 'passage', f.number, f.start_s, f.end_s, f.content, f.language
  FROM owners o
 CROSS JOIN found f
ON CONFLICT (clip_id, kind, number) DO UPDATE
   SET timestamp_start = excluded.timestamp_start, timestamp_end = excluded.timestamp_end,
       content = excluded.content, language = excluded.language;
