-- name: moments(text, vector, fulltext_weight, semantic_weight, rrf_k, filters, limit, offset)
SELECT m.clip_id AS id, m.file_name, m.local_path, m.content_summary, c.content_tags, m.duration_seconds,
       c.camera_make, c.camera_model, c.content_category, c.processed_at, m.search_rank AS score, m.match_type,
       jsonb_strip_nulls(jsonb_build_object('text', m.text_place, 'semantic', m.semantic_place)) AS places,
       m.timestamp_start AS at_s, m.timestamp_end AS until_s, m.excerpt
  FROM search_moments(:text, :vector::vector, :limit, :fulltext_weight, :semantic_weight, :rrf_k, :filters, :offset)
       AS m
  JOIN clips AS c ON c.id = m.clip_id
 ORDER BY m.search_rank DESC, m.segment_id;
