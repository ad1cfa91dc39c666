-- All of these run as `authenticated`: row level security leaves the caller's own rows.

-- name: analyses(checksums)
-- What analyzers say of some clips, or of all: clips in the order of their paths, whole answers before partial ones.
SELECT a.clip_id, c.file_name, c.file_checksum, c.duration_seconds::float8 AS duration_s, c.thumbnails,
       a.analyzer, a.ai_model, a.is_partial,
       NOT a.is_partial AND a.analyzer IS NOT DISTINCT FROM c.content_analyzer AS is_chosen,
       a.analysis_summary AS summary, a.visual_analysis AS visual, a.audio_analysis AS audio,
       a.content_analysis AS content, a.analysis_file_path AS file, a.prompt_version, a.calls, a.input_tokens,
       a.cached_tokens, a.output_tokens, a.warnings, a.cost_usd::float8, a.seconds, a.created_at
  FROM analysis a
  JOIN clips c ON c.id = a.clip_id AND c.user_id = a.user_id
 WHERE a.analysis_scope = 'full_clip'
   AND (:checksums::text[] IS NULL OR c.file_checksum = ANY(:checksums))
   AND (NOT a.is_partial OR NOT EXISTS (
        SELECT FROM analysis w
         WHERE w.clip_id = a.clip_id AND w.analyzer = a.analyzer AND w.analysis_scope = 'full_clip'
           AND NOT w.is_partial))
 ORDER BY c.file_path, c.id, a.is_partial, a.analyzer;
