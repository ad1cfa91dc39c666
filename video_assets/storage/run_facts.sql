-- All of these run as `authenticated`: row level security leaves the caller's own rows.

-- name: clips_in_order(run_id)
-- Every clip of a run in the order of their paths.
SELECT c.id
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
 WHERE t.run_id = :run_id
 ORDER BY c.file_path, c.id;

-- name: clips_of(run_id, clips)
-- Some clips of a run in the same order.
SELECT c.id, c.user_id, c.file_name, c.file_path, c.file_checksum, c.file_size_bytes, c.duration_seconds::float8,
       coalesce(c.display_width, c.width) AS width, coalesce(c.display_height, c.height) AS height,
       c.frame_rate::float8, c.codec, c.container, c.camera_make, c.camera_model, c.lens_model, c.captured_at,
       c.captured_at_local, c.location_name, c.is_hdr, c.hdr_format, c.loudness_lufs, c.exposure_quality,
       c.exposure_stops, c.exposure_warning, c.scene_count, c.transcript_preview, c.content_summary, c.thumbnails,
       c.created_at, c.processed_at, c.processing_status, c.processing_progress, c.current_step, t.taken_as,
       s.state, s.failed_steps,
       (SELECT count(*) FROM clip_locations l WHERE l.clip_id = c.id) > 1 AS is_duplicate,
       (SELECT a.file_path FROM artifacts a
         WHERE a.video_id = c.id AND a.artifact_type = 'video_document') AS document,
       (SELECT jsonb_object_agg(a.analyzer, a.analysis_file_path) FROM analysis a
         WHERE a.clip_id = c.id AND NOT a.is_partial AND a.analysis_file_path IS NOT NULL) AS analyses
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
  JOIN clip_states s ON s.clip_id = c.id
 WHERE t.run_id = :run_id AND c.id = ANY(:clips::uuid[])
 ORDER BY c.file_path, c.id;

-- name: timeline(run_id)
-- The clips in the order in which they were completed, those that were not at the end.
SELECT c.file_name, c.processed_at, s.state, c.duration_seconds::float8
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
  JOIN clip_states s ON s.clip_id = c.id
 WHERE t.run_id = :run_id
 ORDER BY c.processed_at NULLS LAST, c.file_path, c.id;

-- name: documents(clip_ids)
-- What the clips' documents say, without their longest parts, which stand in a file of each clip.
SELECT clip_id, (content - 'analysis') #- '{camera,telemetry}' AS content
  FROM clip_documents(:clip_ids::uuid[]);

-- name: failures(run_id, at_most)
-- The clips and files that failed, each with every step in which it did; the commonest cause first, and how many there
-- are in all.
WITH failed AS (
    SELECT r.clip_id, c.file_name AS file, r.asset AS step, r.error_class, r.error, r.fault, r.attempts
      FROM run_steps(:run_id) r
      JOIN clips c ON c.id = r.clip_id
     WHERE r.status = 'failed' AND (r.asset = ANY(c.planned_steps) OR cardinality(c.planned_steps) = 0)
     UNION ALL
    SELECT NULL, f.path, 'read', NULL, f.reason, 'file', 1
      FROM run_unreadable_files f
     WHERE f.run_id = :run_id
), ranked AS (
    SELECT *, count(*) OVER (PARTITION BY step, error_class, fault) AS alike FROM failed
)
SELECT clip_id, file,
       jsonb_agg(jsonb_build_object('step', step, 'error_class', error_class, 'error', error, 'fault', fault,
                                    'attempts', attempts)
                 ORDER BY alike DESC, step) AS faults,
       count(*) OVER () AS total
  FROM ranked
 GROUP BY clip_id, file
 ORDER BY max(alike) DESC, min(step), file
 LIMIT :at_most;

-- name: causes(run_id)
-- How many clips or files failed in which step, of what, and whose fault it is.
SELECT step, error_class, fault, count(*) AS clips
  FROM (SELECT r.asset AS step, r.error_class, r.fault
          FROM run_steps(:run_id) r
          JOIN clips c ON c.id = r.clip_id
         WHERE r.status = 'failed' AND (r.asset = ANY(c.planned_steps) OR cardinality(c.planned_steps) = 0)
         UNION ALL
        SELECT 'read', NULL, 'file' FROM run_unreadable_files WHERE run_id = :run_id) f
 GROUP BY step, error_class, fault
 ORDER BY clips DESC, step, error_class;

-- name: steps(run_id)
-- What each step made during the run and what it cost, the slowest first; the clip for which it took longest.
SELECT r.asset AS step,
       count(*) FILTER (WHERE r.status = 'done') AS done,
       count(*) FILTER (WHERE r.status = 'failed') AS failed,
       count(*) FILTER (WHERE r.is_of_run) AS made,
       coalesce(sum(r.seconds) FILTER (WHERE r.is_of_run), 0) AS total_s,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY r.seconds) FILTER (WHERE r.is_of_run) AS median_s,
       max(r.seconds) FILTER (WHERE r.is_of_run) AS slowest_s,
       (array_agg(c.file_name ORDER BY r.seconds DESC NULLS LAST, c.file_name)
          FILTER (WHERE r.is_of_run AND r.seconds IS NOT NULL))[1] AS slowest_file,
       coalesce(sum(r.cost_usd) FILTER (WHERE r.is_of_run), 0)::float8 AS cost_usd
  FROM run_steps(:run_id) r
  JOIN clips c ON c.id = r.clip_id
 GROUP BY r.asset
 ORDER BY total_s DESC, r.asset;

-- name: slowest(run_id, at_most)
-- The clips that took most time during the run.
SELECT c.file_name AS file, sum(r.seconds) AS seconds, c.duration_seconds::float8 AS duration_s,
       (array_agg(r.asset ORDER BY r.seconds DESC NULLS LAST))[1] AS step, max(r.seconds) AS step_s
  FROM run_steps(:run_id) r
  JOIN clips c ON c.id = r.clip_id
 WHERE r.is_of_run AND r.seconds > 0
 GROUP BY c.id
 ORDER BY seconds DESC, c.file_name
 LIMIT :at_most;

-- name: activity(run_id, slots)
-- How many clips each step had in hand in each slot of the time in which the run made results.
WITH made AS MATERIALIZED (
    SELECT asset, status, extract(epoch FROM measured_at)::float8 AS until,
           extract(epoch FROM measured_at)::float8 - coalesce(seconds, 0) AS since
      FROM run_steps(:run_id)
     WHERE is_of_run
), span AS (
    SELECT min(since) AS since, greatest(max(until) - min(since), 0.001) / :slots AS slot_s FROM made
)
SELECT m.asset AS step, slot, count(*) AS clips, count(*) FILTER (WHERE m.status = 'failed') AS failed,
       min(s.since) AS since, min(s.slot_s) AS slot_s
  FROM made m
 CROSS JOIN span s
 CROSS JOIN LATERAL generate_series(
       least(floor((m.since - s.since) / s.slot_s), :slots - 1)::int,
       least(floor((m.until - s.since) / s.slot_s), :slots - 1)::int) AS slot
 GROUP BY m.asset, slot
 ORDER BY min(min(m.since)) OVER (PARTITION BY m.asset), m.asset, slot;

-- name: totals(run_id)^
-- Figures over all clips of a run; what is not known of a clip counts nowhere.
SELECT count(*) AS clips,
       count(*) FILTER (WHERE s.state = 'complete') AS complete,
       count(*) FILTER (WHERE s.state = 'failed') AS failed,
       count(*) FILTER (WHERE s.state = 'processing') AS processing,
       count(*) FILTER (WHERE s.state = 'waiting') AS waiting,
       count(*) FILTER (WHERE t.taken_as = 'new') AS new,
       count(*) FILTER (WHERE t.taken_as = 'known') AS known,
       count(*) FILTER (WHERE t.taken_as = 'moved') AS moved,
       count(*) FILTER (WHERE t.taken_as = 'duplicate') AS duplicate,
       coalesce(sum(c.duration_seconds), 0)::float8 AS duration_s,
       coalesce(sum(c.file_size_bytes), 0)::bigint AS size_bytes,
       count(*) FILTER (WHERE c.is_hdr) AS hdr,
       count(*) FILTER (WHERE greatest(c.width, c.height) >= 3840 OR least(c.width, c.height) >= 2160) AS is_4k,
       count(*) FILTER (WHERE c.exposure_warning) AS exposure_warnings,
       count(*) FILTER (WHERE c.exposure_quality <> 'unknown') AS rated,
       avg(CASE c.exposure_quality WHEN 'excellent' THEN 1.0 WHEN 'good' THEN 0.75
                                   WHEN 'fair' THEN 0.5 WHEN 'poor' THEN 0.25 END)::float8 AS technical_quality,
       count(*) FILTER (WHERE c.has_audio) AS with_audio,
       count(*) FILTER (WHERE c.transcript_word_count > 0) AS with_transcript,
       count(*) FILTER (WHERE c.gps_latitude IS NOT NULL) AS with_position,
       coalesce(sum(c.scene_count), 0)::bigint AS scenes,
       min(coalesce(c.captured_at_local, c.captured_at AT TIME ZONE 'UTC')) AS first_captured,
       max(coalesce(c.captured_at_local, c.captured_at AT TIME ZONE 'UTC')) AS last_captured
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
  JOIN clip_states s ON s.clip_id = c.id
 WHERE t.run_id = :run_id;

-- name: counts(run_id)
-- How many clips there are of each camera, resolution and so on.
SELECT k.kind, k.value, count(*) AS clips
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
 CROSS JOIN LATERAL (VALUES
       -- Some models begin with their make.
       ('camera', nullif(trim(concat_ws(' ', CASE WHEN NOT coalesce(c.camera_model ^@ c.camera_make, false)
                                                  THEN c.camera_make END, c.camera_model)), '')),
       ('resolution', coalesce(c.display_width, c.width) || 'x' || coalesce(c.display_height, c.height)),
       ('codec', c.codec),
       ('container', c.container),
       ('exposure', c.exposure_quality),
       ('place', nullif(c.location_name, '')),
       ('language', c.transcript_language),
       ('day', to_char(coalesce(c.captured_at_local, c.captured_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD')))
       AS k (kind, value)
 WHERE t.run_id = :run_id AND k.value IS NOT NULL
 GROUP BY k.kind, k.value
 ORDER BY k.kind, clips DESC, k.value;

-- name: spreads(run_id)^
-- The values whose distribution is worth a picture.
SELECT coalesce(array_agg(c.duration_seconds::float8) FILTER (WHERE c.duration_seconds IS NOT NULL), '{}')
           AS durations_s,
       coalesce(array_agg(c.loudness_lufs) FILTER (WHERE c.loudness_lufs IS NOT NULL), '{}') AS loudness_lufs,
       coalesce(array_agg(c.exposure_stops) FILTER (WHERE c.exposure_stops IS NOT NULL), '{}') AS exposure_stops
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
 WHERE t.run_id = :run_id;
