-- name: select_clips(conditions)
-- The clips that meet every condition, in the order of registration. What is compared are these facts and
-- no others; a clip of which one is unknown differs from every value, and is neither more nor less.
SELECT c.file_checksum, c.preset
  FROM clips AS c
 CROSS JOIN LATERAL (
       SELECT jsonb_build_object(
           'file_name', c.file_name, 'path', c.file_path, 'camera_make', c.camera_make,
           'camera_model', c.camera_model, 'lens_model', c.lens_model, 'codec', c.codec,
           'container', c.container, 'language', c.transcript_language, 'preset', c.preset,
           'is_hdr', c.is_hdr, 'has_audio', c.has_audio, 'duration', c.duration_seconds,
           'width', c.width, 'height', c.height, 'frame_rate', c.frame_rate,
           'size', c.file_size_bytes, 'scenes', c.scene_count,
           'captured', extract(epoch FROM c.captured_at),
           'registered', extract(epoch FROM c.created_at)) AS facts) AS f
 WHERE NOT EXISTS (
       SELECT
         FROM jsonb_to_recordset(:conditions) AS w(fact text, op text, word text, number float8)
        CROSS JOIN LATERAL (
              SELECT CASE WHEN w.number IS NULL THEN lower(f.facts ->> w.fact) END AS word,
                     CASE WHEN w.number IS NOT NULL THEN (f.facts ->> w.fact)::float8 END
                         AS number) AS v
        WHERE NOT coalesce(CASE w.op
              WHEN '=' THEN coalesce(v.word = w.word, v.number = w.number)
              WHEN '!=' THEN coalesce(v.word <> w.word, v.number <> w.number, true)
              WHEN '>' THEN v.number > w.number
              WHEN '>=' THEN v.number >= w.number
              WHEN '<' THEN v.number < w.number
              WHEN '<=' THEN v.number <= w.number
              WHEN '~' THEN strpos(v.word, w.word) > 0
              END, false))
 ORDER BY c.created_at, c.file_checksum;
