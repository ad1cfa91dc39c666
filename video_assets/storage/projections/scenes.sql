-- name: project(checksum, owner)!
-- One row and one segment a scene, and its still. A scene that is as it was keeps its id and its
-- description; a rerun that finds fewer leaves none of the old ones behind.
WITH made AS (
    SELECT result
      FROM results
     WHERE file_checksum = :checksum AND asset = 'scenes' AND status = 'done'
), found AS (
    SELECT (s ->> 'number')::int AS number,
           (s ->> 'start_s')::double precision AS start_s, (s ->> 'end_s')::double precision AS end_s,
           (s ->> 'start_frame')::int AS start_frame, (s ->> 'end_frame')::int AS end_frame,
           s ->> 'begins_with' AS begins_with, s ->> 'representative_frame' AS still,
           (s ->> 'representative_time_s')::double precision AS still_s,
           'scene_' || lpad(s ->> 'number', 4, '0') AS artifact_type
      FROM made, jsonb_array_elements(result -> 'scenes') s
), owners AS (
    UPDATE clips c
       SET scene_count = (SELECT count(*) FROM found)
      FROM made
     WHERE c.file_checksum = :checksum AND (:owner::uuid IS NULL OR c.user_id = :owner)
 RETURNING c.id, c.user_id
), fewer_scenes AS (
    DELETE FROM scenes s
     USING owners o
     WHERE s.video_id = o.id AND s.scene_number NOT IN (SELECT number FROM found)
), fewer_segments AS (
    DELETE FROM segments s
     USING owners o
     WHERE s.clip_id = o.id AND s.kind = 'scene' AND s.number NOT IN (SELECT number FROM found)
), fewer_stills AS (
    DELETE FROM artifacts a
     USING owners o
     WHERE a.video_id = o.id AND a.step_name = 'scenes'
       AND a.artifact_type NOT IN (SELECT artifact_type FROM found WHERE still IS NOT NULL)
), stills AS (
    INSERT INTO artifacts (video_id, user_id, step_name, artifact_type, file_path)
    SELECT o.id, o.user_id, 'scenes', f.artifact_type, f.still
      FROM owners o
     CROSS JOIN found f
     WHERE f.still IS NOT NULL
    ON CONFLICT (video_id, artifact_type) DO UPDATE
       SET step_name = excluded.step_name, file_path = excluded.file_path, created_at = now()
), parts AS (
    INSERT INTO segments (clip_id, user_id, kind, number, timestamp_start, timestamp_end)
    SELECT o.id, o.user_id, 'scene', f.number, f.start_s, f.end_s
      FROM owners o
     CROSS JOIN found f
    ON CONFLICT (clip_id, kind, number) DO UPDATE
       SET timestamp_start = excluded.timestamp_start, timestamp_end = excluded.timestamp_end
)
INSERT INTO scenes AS known (video_id, user_id, scene_number, timestamp_start, timestamp_end,
                             start_frame, end_frame, begins_with, representative_frame,
                             representative_time)
SELECT o.id, o.user_id, f.number, f.start_s, f.end_s, f.start_frame, f.end_frame, f.begins_with,
       f.still, f.still_s
  FROM owners o
 CROSS JOIN found f
ON CONFLICT (video_id, scene_number) DO UPDATE
   SET timestamp_start = excluded.timestamp_start, timestamp_end = excluded.timestamp_end,
       start_frame = excluded.start_frame, end_frame = excluded.end_frame,
       begins_with = excluded.begins_with,
       representative_frame = excluded.representative_frame,
       representative_time = excluded.representative_time,
       description = CASE WHEN (known.timestamp_start, known.timestamp_end)
                             = (excluded.timestamp_start, excluded.timestamp_end)
                          THEN known.description END,
       objects = CASE WHEN (known.timestamp_start, known.timestamp_end)
                         = (excluded.timestamp_start, excluded.timestamp_end)
                      THEN known.objects END,
       activities = CASE WHEN (known.timestamp_start, known.timestamp_end)
                            = (excluded.timestamp_start, excluded.timestamp_end)
                         THEN known.activities END;
