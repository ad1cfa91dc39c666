-- name: fulltext(text, filters, limit, offset)
SELECT id, file_name, local_path, content_summary, content_tags, duration_seconds, camera_make, camera_model,
       content_category, processed_at, fts_rank::float8 AS score, 'fulltext' AS match_type
  FROM fulltext_search_clips(:text, :limit, :filters, :offset);

-- name: transcripts(text, shortest, filters, limit, offset)
SELECT t.clip_id AS id, t.file_name, t.local_path, t.content_summary, c.content_tags, t.duration_seconds,
       c.camera_make, c.camera_model, c.content_category, t.processed_at, t.fts_rank::float8 AS score,
       'transcript' AS match_type, t.timestamp_start AS at_s, t.timestamp_end AS until_s, t.excerpt
  FROM search_transcripts(:text, :limit, :shortest, :filters, :offset) WITH ORDINALITY AS t (
       clip_id, file_name, local_path, content_summary, transcript_preview, duration_seconds, processed_at,
       fts_rank, timestamp_start, timestamp_end, excerpt, place)
  JOIN clips AS c ON c.id = t.clip_id
 ORDER BY t.place;

-- name: semantic(summary, keyword, summary_weight, keyword_weight, threshold, filters, limit, offset)
SELECT id, file_name, local_path, content_summary, content_tags, duration_seconds, camera_make, camera_model,
       content_category, processed_at, combined_similarity AS score, 'semantic' AS match_type
  FROM semantic_search_clips(:summary::vector, :keyword::vector, :limit, :summary_weight, :keyword_weight,
                             :threshold, :filters, :offset);

-- name: hybrid(text, summary, keyword, fulltext_weight, summary_weight, keyword_weight, rrf_k, threshold, filters, limit, offset)
SELECT id, file_name, local_path, content_summary, content_tags, duration_seconds, camera_make, camera_model,
       content_category, processed_at, search_rank AS score, match_type,
       jsonb_strip_nulls(jsonb_build_object('text', text_place, 'summary', summary_place,
                                            'keyword', keyword_place)) AS places
  FROM hybrid_search_clips(:text, :summary::vector, :keyword::vector, :limit, :fulltext_weight, :summary_weight,
                           :keyword_weight, :rrf_k, :filters, :offset, :threshold);

-- name: moments(text, vector, fulltext_weight, semantic_weight, threshold, filters, limit, offset)
SELECT m.clip_id AS id, m.file_name, m.local_path, m.content_summary, c.content_tags, m.duration_seconds,
       c.camera_make, c.camera_model, c.content_category, c.processed_at, m.search_rank AS score, m.match_type,
       jsonb_strip_nulls(jsonb_build_object('text', m.text_place, 'semantic', m.semantic_place)) AS places,
       m.timestamp_start AS at_s, m.timestamp_end AS until_s, m.excerpt, m.segment_id AS moment
  FROM search_moments(:text, :vector::vector, :limit, :fulltext_weight, :semantic_weight, filters => :filters,
                      match_offset => :offset, similarity_threshold => :threshold) WITH ORDINALITY AS m (
       segment_id, clip_id, file_name, local_path, content_summary, duration_seconds, kind, timestamp_start,
       timestamp_end, excerpt, search_rank, match_type, text_place, semantic_place, place)
  JOIN clips AS c ON c.id = m.clip_id
 ORDER BY m.place;

-- name: similar(clip, threshold, filters, limit, offset)
SELECT s.id, s.file_name, s.local_path, s.content_summary, s.content_tags, s.duration_seconds, c.camera_make,
       c.camera_model, s.content_category, c.processed_at, s.similarity_score AS score, 'similar' AS match_type
  FROM find_similar_clips(:clip, :limit, :threshold, :filters, :offset) AS s
  JOIN clips AS c ON c.id = s.id
 ORDER BY s.similarity_score DESC, s.id;

-- name: statistics()^
SELECT * FROM get_user_stats();

-- name: note_legs()$
-- Until the end of the transaction, whatever is asked writes down how it goes.
SELECT set_config('video_assets.legs', '[]', true);

-- name: legs()$
SELECT current_setting('video_assets.legs')::jsonb;

-- name: visible(filters)^
SELECT (SELECT count(*) FROM clips)::integer AS clips,
       (SELECT count(*) FROM private.matching_clips(:filters))::integer AS clips_in_question,
       (SELECT count(*) FROM clip_vectors AS v JOIN embedding_spaces AS s ON s.id = v.space AND s.is_in_use
         WHERE v.kind = 1)::integer AS clips_with_vectors,
       (SELECT count(*) FROM transcripts)::integer AS clips_with_speech,
       (SELECT count(*) FROM segments WHERE kind = 'passage')::integer AS moments,
       (SELECT count(*) FROM moment_vectors AS v JOIN embedding_spaces AS s ON s.id = v.space AND s.is_in_use
       )::integer AS moments_with_vectors,
       (SELECT model FROM embedding_spaces WHERE is_in_use) AS model;

-- name: model_in_use()$
-- Null where the owner has no vector to compare with.
SELECT s.model
  FROM embedding_spaces AS s
 WHERE s.is_in_use AND EXISTS (SELECT FROM clip_vectors AS v WHERE v.user_id = auth.uid() AND v.space = s.id);

-- name: vector_state(clip)$
SELECT CASE WHEN bool_or(s.is_in_use) THEN 'there'
            WHEN count(s.id) > 0 THEN 'of the next model'
            ELSE (SELECT CASE max(r.status) WHEN 'done' THEN 'none' WHEN 'failed' THEN 'failed' ELSE 'waits' END
                    FROM clip_results((SELECT file_checksum FROM clips WHERE id = :clip)) AS r
                   WHERE r.asset = 'embeddings')
       END
  FROM clip_vectors AS v
  JOIN embedding_spaces AS s ON s.id = v.space
  JOIN embedding_spaces AS u ON u.is_in_use AND s.created_at >= u.created_at
 WHERE v.clip_id = :clip AND v.kind = 1;

-- name: spaces()
SELECT s.model, s.is_in_use, count(v.clip_id)::integer AS clips
  FROM embedding_spaces AS s
  LEFT JOIN clip_vectors AS v ON v.space = s.id AND v.kind = 1
 WHERE s.is_in_use OR s.created_at >= (SELECT created_at FROM embedding_spaces WHERE is_in_use)
 GROUP BY s.id
 ORDER BY s.is_in_use DESC, s.created_at DESC;

-- name: stills(ids, times)
-- A still of each clip: of the scene at a time where one is given, else the middle one of the clip.
SELECT coalesce(s.representative_frame, c.thumbnails[(cardinality(c.thumbnails) + 1) / 2]) AS still
  FROM unnest(:ids::uuid[], :times::float8[]) WITH ORDINALITY AS asked (id, at_s, place)
  LEFT JOIN clips AS c ON c.id = asked.id
  LEFT JOIN LATERAL (
       SELECT representative_frame
         FROM scenes
        WHERE video_id = asked.id AND timestamp_start <= asked.at_s
        ORDER BY timestamp_start DESC
        LIMIT 1) AS s ON true
 ORDER BY asked.place;

-- name: words()
-- Of the clips that came last; longer words only, in their own form and in that of their stem.
SELECT word
  FROM ts_stat('SELECT fts FROM public.clip_texts ORDER BY created_at DESC, clip_id LIMIT 2000')
 WHERE length(word) >= 4 AND word !~ '[0-9]';
