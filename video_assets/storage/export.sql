-- All of these run as `authenticated`: row level security leaves the caller's own rows.

-- name: clips_in_order(checksums, run_id)
-- The clips of which rows are asked, some at a time and in this order. Null for `checksums` or `run_id` means every
-- clip.
SELECT c.id
  FROM clips c
 WHERE (:run_id::text IS NULL OR c.id IN (SELECT clip_id FROM run_clips WHERE run_id = :run_id))
   AND (:checksums::text[] IS NULL OR c.file_checksum = ANY(:checksums))
 ORDER BY c.file_path, c.id;

-- name: clips(clips)
SELECT c.id, c.file_name, c.file_path, c.file_checksum, c.file_size_bytes, s.state, s.failed_steps,
       c.container, c.codec, c.duration_seconds::float8 AS duration_seconds, c.width, c.height,
       c.display_width, c.display_height, c.rotation, c.frame_rate::float8 AS frame_rate, c.is_vfr, c.bitrate,
       c.start_timecode, c.has_audio, c.camera_make, c.camera_model, c.lens_model, c.focal_length_mm,
       c.focal_length_category, c.captured_at, c.captured_at_local, c.capture_utc_offset_minutes,
       c.gps_latitude, c.gps_longitude, c.gps_altitude, c.location_name, c.is_hdr, c.hdr_format,
       c.loudness_lufs, c.true_peak_dbtp, c.exposure_quality, c.exposure_stops, c.exposure_warning,
       c.scene_count, c.content_category, c.content_summary, c.content_tags, c.content_language,
       c.content_analyzer, c.content_model, c.transcript_language,
       c.transcript_word_count, c.transcript_preview, c.processing_progress, c.created_at, c.processed_at
  FROM clips c
  JOIN clip_states s ON s.clip_id = c.id
 WHERE c.id = ANY(:clips::uuid[])
 ORDER BY c.file_path, c.id;

-- name: scenes(clips)
SELECT s.video_id AS clip_id, c.file_name, c.file_checksum, s.scene_number, s.timestamp_start, s.timestamp_end,
       s.start_frame, s.end_frame, s.begins_with, s.representative_frame, s.representative_time, s.description,
       s.objects, s.activities
  FROM scenes s
  JOIN clips c ON c.id = s.video_id
 WHERE c.id = ANY(:clips::uuid[])
 ORDER BY c.file_path, c.id, s.scene_number;

-- name: transcripts(clips)
SELECT t.clip_id, c.file_name, c.file_checksum, t.language, t.word_count, t.source, t.model, t.full_text,
       t.segments
  FROM transcripts t
  JOIN clips c ON c.id = t.clip_id
 WHERE c.id = ANY(:clips::uuid[])
 ORDER BY c.file_path, c.id;

-- name: analyses(clips)
SELECT a.clip_id, c.file_name, c.file_checksum, a.analyzer, a.ai_model, a.is_partial,
       NOT a.is_partial AND a.analyzer IS NOT DISTINCT FROM c.content_analyzer AS is_chosen, a.content_category,
       a.usability_rating,
       a.speaker_count, a.analysis_summary ->> 'overall' AS summary,
       ARRAY(SELECT jsonb_array_elements_text(CASE jsonb_typeof(a.analysis_summary -> 'content_tags')
                                              WHEN 'array' THEN a.analysis_summary -> 'content_tags'
                                              ELSE '[]' END)) AS tags,
       a.calls, a.input_tokens, a.cached_tokens, a.output_tokens, a.cost_usd::float8 AS cost_usd, a.seconds,
       a.prompt_version, a.analysis_summary, a.visual_analysis, a.audio_analysis, a.content_analysis, a.created_at
  FROM analysis a
  JOIN clips c ON c.id = a.clip_id
 WHERE c.id = ANY(:clips::uuid[])
 ORDER BY c.file_path, c.id, a.analyzer, a.is_partial;
