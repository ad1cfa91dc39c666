-- name: project(checksum, owner)!
-- What is said, as a whole and by segment; a clip in which nobody speaks has no rows.
WITH made AS (
    SELECT result AS t, nullif(btrim(coalesce(result ->> 'full_text', '')), '') AS full_text
      FROM results
     WHERE file_checksum = :checksum AND asset = 'transcript' AND status = 'done'
), found AS (
    SELECT place::int AS number, (s ->> 'start_time')::double precision AS start_s,
           greatest((s ->> 'end_time')::double precision,
                    (s ->> 'start_time')::double precision) AS end_s, s ->> 'text' AS content,
           s ->> 'speaker' AS speaker, (s ->> 'confidence')::double precision AS confidence
      FROM made, jsonb_array_elements(t -> 'segments') WITH ORDINALITY AS e(s, place)
     WHERE full_text IS NOT NULL
), owners AS (
    UPDATE clips c
       SET full_transcript = full_text,
           transcript_preview = left(full_text, 500),
           transcript_word_count = CASE WHEN full_text IS NULL THEN 0
                                        ELSE coalesce((t ->> 'word_count')::int, 0) END,
           transcript_language = t ->> 'language'
      FROM made
     WHERE c.file_checksum = :checksum AND (:owner::uuid IS NULL OR c.user_id = :owner)
 RETURNING c.id, c.user_id
), silent AS (
    DELETE FROM transcripts x
     USING owners o, made
     WHERE x.clip_id = o.id AND made.full_text IS NULL
), fewer AS (
    DELETE FROM segments s
     USING owners o
     WHERE s.clip_id = o.id AND s.kind = 'speech' AND s.number NOT IN (SELECT number FROM found)
), parts AS (
    INSERT INTO segments (clip_id, user_id, kind, number, timestamp_start, timestamp_end, content,
                          speaker, confidence, language)
    SELECT o.id, o.user_id, 'speech', f.number, f.start_s, f.end_s, f.content, f.speaker,
           f.confidence, t ->> 'language'
      FROM owners o
     CROSS JOIN made
     CROSS JOIN found f
    ON CONFLICT (clip_id, kind, number) DO UPDATE
       SET timestamp_start = excluded.timestamp_start, timestamp_end = excluded.timestamp_end,
           content = excluded.content, speaker = excluded.speaker,
           confidence = excluded.confidence, language = excluded.language
)
INSERT INTO transcripts (clip_id, user_id, full_text, segments, word_count, language, source, model)
SELECT o.id, o.user_id, full_text, t -> 'segments', coalesce((t ->> 'word_count')::int, 0),
       t ->> 'language', t ->> 'source', t ->> 'model'
  FROM owners o
 CROSS JOIN made
 WHERE full_text IS NOT NULL
ON CONFLICT (clip_id) DO UPDATE
   SET full_text = excluded.full_text, segments = excluded.segments,
       word_count = excluded.word_count, language = excluded.language,
       source = excluded.source, model = excluded.model;
