-- All of these run as `authenticated`: row level security leaves the caller's own rows.

-- name: list_clips(state, sort, at_most)
-- One page of clips, and how many there are in all.
SELECT c.id, c.file_name, c.file_path, c.file_checksum, c.file_size_bytes, c.duration_seconds,
       c.width, c.height, c.display_width, c.display_height, c.frame_rate, c.is_vfr, c.codec,
       c.container, c.processing_progress AS progress, s.state, s.failed_steps, c.created_at,
       count(*) OVER () AS total
  FROM clips c
  JOIN clip_states s ON s.clip_id = c.id
 WHERE :state::text IS NULL OR s.state = :state
 ORDER BY CASE :sort::text WHEN 'oldest' THEN c.created_at END,
          CASE :sort WHEN 'name' THEN lower(c.file_name) END,
          CASE :sort WHEN 'duration' THEN c.duration_seconds END DESC NULLS LAST,
          CASE :sort WHEN 'size' THEN c.file_size_bytes END DESC NULLS LAST,
          CASE :sort WHEN 'progress' THEN c.processing_progress END,
          c.created_at DESC, c.id
 LIMIT :at_most;

-- name: find_exact(file_name, paths)
-- Clips whose id, checksum, file name or path this is; a clip may lie at several places.
SELECT DISTINCT c.id, c.file_name, c.file_path, c.file_checksum, c.created_at
  FROM clips c
  LEFT JOIN clip_locations l ON l.clip_id = c.id
 WHERE c.id::text = lower(:file_name) OR c.file_checksum = lower(:file_name)
    OR c.file_name = :file_name OR c.file_path = :file_name
    OR l.path_bytes = ANY(:paths) OR l.path = :file_name
    OR right(l.path, length(:file_name) + 1) = '/' || :file_name
 ORDER BY c.created_at DESC, c.id;

-- name: find_prefix(prefix)
SELECT id, file_name, file_path, file_checksum, created_at
  FROM clips
 WHERE starts_with(id::text, :prefix) OR starts_with(file_checksum, :prefix)
 ORDER BY created_at DESC, id;

-- name: find_unreadable(file_name, paths)
-- Files of this name or path that could not become clips.
SELECT path, reason, seen_at
  FROM unreadable_files
 WHERE path_bytes = ANY(:paths) OR path = :file_name
    OR right(path, length(:file_name) + 1) = '/' || :file_name
 ORDER BY seen_at DESC;

-- name: clip(clip_id)^
SELECT c.id, c.user_id, c.file_name, c.file_path, c.file_checksum, c.checksum_algorithm,
       c.file_size_bytes, c.searchable_content,
       c.duration_seconds, c.width, c.height, c.display_width, c.display_height, c.rotation,
       c.frame_rate, c.is_vfr, c.bitrate, c.start_timecode, c.codec, c.container, c.has_audio,
       c.audio_tracks, c.subtitle_tracks, c.camera_make, c.camera_model, c.technical_metadata,
       c.camera_details, c.content_category, c.content_summary, c.content_tags,
       c.content_language, c.content_analyzer, c.content_model,
       c.transcript_preview, c.full_transcript, c.transcript_word_count, c.transcript_language,
       c.captured_at, c.captured_at_local, c.capture_utc_offset_minutes, c.gps_latitude,
       c.gps_longitude, c.gps_altitude, c.location_name, c.lens_model, c.focal_length_mm,
       c.focal_length_category, c.is_hdr, c.hdr_format, c.loudness_lufs, c.true_peak_dbtp,
       c.exposure_quality, c.exposure_stops, c.exposure_warning, c.scene_count,
       c.thumbnails, c.created_at, c.updated_at,
       c.processed_at, c.preset, c.planned_steps, c.processing_progress AS progress, c.current_step,
       s.state, s.failed_steps
  FROM clips c
  JOIN clip_states s ON s.clip_id = c.id
 WHERE c.id = :clip_id;

-- name: places(clip_id)
SELECT path, host, size_bytes, first_seen_at, seen_at, missing_at
  FROM clip_locations
 WHERE clip_id = :clip_id
 ORDER BY missing_at DESC NULLS FIRST, first_seen_at, path;

-- name: scenes(clip_id)
SELECT scene_number AS number, timestamp_start AS start_s, timestamp_end AS end_s, begins_with,
       representative_frame, description, objects, activities
  FROM scenes
 WHERE video_id = :clip_id
 ORDER BY scene_number;

-- name: results(checksum)
SELECT asset, status, code_version, error_class, error, fault, attempts, seconds, measured_at,
       problems, result
  FROM clip_results(:checksum);

-- name: running(clip_id)
-- The steps of one clip that run now, and for how long.
SELECT step, extract(epoch FROM now() - started_at)::float8 AS seconds
  FROM running_steps
 WHERE clip_id = :clip_id;

-- name: quiet_s(clip_id)$
-- How long nothing has happened to a clip.
SELECT extract(epoch FROM now() - greatest(
           c.updated_at,
           (SELECT max("timestamp") FROM processing_events WHERE video_id = c.id)))::float8
  FROM clips c
 WHERE c.id = :clip_id;

-- name: artifacts(clip_id)
SELECT step_name AS step, artifact_type AS kind, file_path AS name, size_bytes, created_at
  FROM artifacts
 WHERE video_id = :clip_id
 ORDER BY step_name, artifact_type, file_path;

-- name: active(at_most)
-- What is in work or was within the hour, newest first, and how many there are in all.
WITH page AS MATERIALIZED (
    SELECT id, file_name, processing_progress AS progress, current_step, status,
           seconds_since_update, updated_at
      FROM active_processing
     ORDER BY updated_at DESC, id
     LIMIT :at_most
)
SELECT p.id, p.file_name, p.progress, p.current_step, p.status, p.seconds_since_update,
       s.failed_steps,
       coalesce((SELECT array_agg(r.step) FROM running_steps r WHERE r.clip_id = p.id), '{}')
           AS running_steps,
       (SELECT count(*) FROM clips
         WHERE processing_progress < 100 OR updated_at > now() - interval '1 hour') AS total
  FROM page p
  JOIN clip_states s ON s.clip_id = p.id
 ORDER BY p.updated_at DESC, p.id;
