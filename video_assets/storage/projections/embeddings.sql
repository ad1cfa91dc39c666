-- name: project(checksum, owner)!
-- What was embedded of the clip, and its vectors, in the space of their model. A text that has
-- become empty leaves no vector behind. To an owner who comes later, what a model made that is used
-- no more is nothing: it would be a new model once again.
WITH made AS (
    SELECT result AS e,
           CASE WHEN :owner::uuid IS NULL THEN private.space_of(result ->> 'model')
                ELSE (SELECT s.id
                        FROM embedding_spaces s
                        JOIN embedding_spaces u ON u.is_in_use AND s.created_at >= u.created_at
                       WHERE s.model = result ->> 'model') END AS space
      FROM results
     WHERE file_checksum = :checksum AND asset = 'embeddings' AND status = 'done'
), owners AS (
    SELECT id, user_id
      FROM clips
     WHERE file_checksum = :checksum AND (:owner::uuid IS NULL OR user_id = :owner)
), found AS (
    SELECT 1 AS kind, space, (e ->> 'summary_vector')::halfvec AS v FROM made
    UNION ALL
    SELECT 2, space, (e ->> 'keyword_vector')::halfvec FROM made
), emptied AS (
    DELETE FROM clip_vectors x
     USING owners o, found f
     WHERE x.clip_id = o.id AND x.kind = f.kind AND f.v IS NULL
), told AS (
    DELETE FROM vectors x
     USING owners o, made m
     WHERE x.clip_id = o.id AND x.embedding_type = 'full_clip'
       AND (e ->> 'skipped' IS NOT NULL OR x.embedding_source <> e ->> 'model')
), embedded AS (
    INSERT INTO vectors (clip_id, user_id, embedding_source, embedded_content, original_content,
                         token_count, original_token_count, truncation_method)
    SELECT o.id, o.user_id, e ->> 'model', e ->> 'embedded_content', e ->> 'original_content',
           (e ->> 'token_count')::int, (e ->> 'original_token_count')::int, e ->> 'truncation_method'
      FROM owners o
     CROSS JOIN made
     WHERE e ->> 'skipped' IS NULL AND space IS NOT NULL
    ON CONFLICT (clip_id, embedding_source, embedding_type, segment_id) DO UPDATE
       SET embedded_content = excluded.embedded_content,
           original_content = excluded.original_content,
           token_count = excluded.token_count,
           original_token_count = excluded.original_token_count,
           truncation_method = excluded.truncation_method,
           created_at = now()
)
INSERT INTO clip_vectors (user_id, space, kind, clip_id, v)
SELECT o.user_id, f.space, f.kind, o.id, f.v
  FROM owners o
 CROSS JOIN found f
 WHERE f.v IS NOT NULL AND f.space IS NOT NULL
ON CONFLICT (user_id, space, kind, clip_id) DO UPDATE SET v = excluded.v;
