-- name: project(checksum, owner)!
-- The vectors of the clip's passages and their mean, in the space of their model, as of the clip.
WITH made AS (
    SELECT result AS m,
           CASE WHEN :owner::uuid IS NULL THEN private.space_of(result ->> 'model')
                ELSE (SELECT s.id
                        FROM embedding_spaces s
                        JOIN embedding_spaces u ON u.is_in_use AND s.created_at >= u.created_at
                       WHERE s.model = result ->> 'model') END AS space
      FROM results
     WHERE file_checksum = :checksum AND asset = 'moment_embeddings' AND status = 'done'
), owners AS (
    SELECT id, user_id
      FROM clips
     WHERE file_checksum = :checksum AND (:owner::uuid IS NULL OR user_id = :owner)
), found AS (
    SELECT space, (e ->> 'number')::int AS number, (e ->> 'vector')::halfvec AS v
      FROM made, jsonb_array_elements(m -> 'vectors') e
), silent AS (
    DELETE FROM clip_vectors x
     USING owners o, made
     WHERE x.clip_id = o.id AND x.kind = 3 AND m ->> 'mean_vector' IS NULL
), mean AS (
    INSERT INTO clip_vectors (user_id, space, kind, clip_id, v)
    SELECT o.user_id, space, 3, o.id, (m ->> 'mean_vector')::halfvec
      FROM owners o
     CROSS JOIN made
     WHERE m ->> 'mean_vector' IS NOT NULL AND space IS NOT NULL
    ON CONFLICT (user_id, space, kind, clip_id) DO UPDATE SET v = excluded.v
)
INSERT INTO moment_vectors (user_id, space, clip_id, segment_id, v)
SELECT o.user_id, f.space, o.id, s.id, f.v
  FROM owners o
  JOIN segments s ON s.clip_id = o.id AND s.kind = 'passage'
  JOIN found f ON f.number = s.number AND f.space IS NOT NULL
ON CONFLICT (user_id, space, clip_id, segment_id) DO UPDATE SET v = excluded.v;
