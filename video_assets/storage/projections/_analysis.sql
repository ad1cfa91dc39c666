-- name: project(checksum, owner, asset)!
-- What one analyzer says of the clip, beside what others say, in place of what had arrived of it so far.
WITH made AS (
    SELECT result AS a, cost_usd, measured_at
      FROM results
     WHERE file_checksum = :checksum AND asset = :asset AND status = 'done'
), owners AS (
    UPDATE clips c
       SET ai_processing_status = 'completed'
      FROM made
     WHERE c.file_checksum = :checksum AND (:owner::uuid IS NULL OR c.user_id = :owner)
 RETURNING c.id, c.user_id, c.created_at
), arrived AS (
    DELETE FROM analysis x
     USING owners o
     WHERE x.clip_id = o.id AND x.analyzer = :asset AND x.is_partial
), files AS (
    INSERT INTO artifacts (video_id, user_id, step_name, artifact_type, file_path)
    SELECT o.id, o.user_id, :asset, :asset, a ->> 'analysis_file_path'
      FROM owners o
     CROSS JOIN made
    ON CONFLICT (video_id, artifact_type) DO UPDATE
       SET file_path = excluded.file_path, created_at = now()
)
INSERT INTO analysis (clip_id, user_id, analyzer, ai_model, is_partial, content_category, usability_rating,
                      speaker_count, analysis_summary, visual_analysis, audio_analysis, content_analysis,
                      analysis_file_path, prompt_version, calls, input_tokens, cached_tokens, output_tokens,
                      warnings, cost_usd, seconds, created_at)
SELECT o.id, o.user_id, :asset, a ->> 'ai_model', false, a #>> '{summary,content_category}',
       a #>> '{visual_analysis,technical_quality,usability_rating}',
       (a #>> '{audio_analysis,speaker_analysis,speaker_count}')::int, nullif(a -> 'summary', 'null'),
       nullif(a -> 'visual_analysis', 'null'), nullif(a -> 'audio_analysis', 'null'),
       nullif(a -> 'content_analysis', 'null'), a ->> 'analysis_file_path', a ->> 'prompt_version',
       (a ->> 'calls')::int, (a ->> 'input_tokens')::bigint, (a ->> 'cached_tokens')::bigint,
       (a ->> 'output_tokens')::bigint, ARRAY(SELECT jsonb_array_elements_text(a -> 'warnings')),
       -- What the cell cost, with the answers that could not be used.
       coalesce(made.cost_usd, (a ->> 'cost_usd')::numeric), (a ->> 'processing_time_seconds')::float8,
       greatest(made.measured_at, o.created_at)
  FROM owners o
 CROSS JOIN made
ON CONFLICT (clip_id, analyzer, segment_id, is_partial) DO UPDATE
   SET ai_model = excluded.ai_model, content_category = excluded.content_category,
       usability_rating = excluded.usability_rating, speaker_count = excluded.speaker_count,
       analysis_summary = excluded.analysis_summary, visual_analysis = excluded.visual_analysis,
       audio_analysis = excluded.audio_analysis, content_analysis = excluded.content_analysis,
       analysis_file_path = excluded.analysis_file_path, prompt_version = excluded.prompt_version,
       calls = excluded.calls, input_tokens = excluded.input_tokens, cached_tokens = excluded.cached_tokens,
       output_tokens = excluded.output_tokens, warnings = excluded.warnings, cost_usd = excluded.cost_usd,
       seconds = excluded.seconds, created_at = excluded.created_at;
