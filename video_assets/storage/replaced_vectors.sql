-- name: replaced()
-- The models whose vectors were searched before those of the present one, and since when they are not.
SELECT s.model, (extract(epoch FROM u.created_at) * 1000000000)::bigint AS replaced_at_ns,
       (SELECT count(*) FROM clip_vectors v WHERE v.space = s.id)
       + (SELECT count(*) FROM moment_vectors v WHERE v.space = s.id) AS vectors
  FROM embedding_spaces s
  JOIN embedding_spaces u ON u.is_in_use AND s.created_at < u.created_at
 ORDER BY s.model;

-- name: remove_moments(model, at_most)!
-- Some of them. Their space is held meanwhile: were it given to another model, that one's would go.
WITH replaced AS MATERIALIZED (
    SELECT s.id
      FROM embedding_spaces s
      JOIN embedding_spaces u ON u.is_in_use AND s.created_at < u.created_at
     WHERE s.model = :model
       FOR UPDATE OF s
)
DELETE FROM moment_vectors
 WHERE ctid IN (SELECT v.ctid FROM moment_vectors v WHERE v.space = (SELECT id FROM replaced) LIMIT :at_most);

-- name: remove_clips(model, at_most)!
WITH replaced AS MATERIALIZED (
    SELECT s.id
      FROM embedding_spaces s
      JOIN embedding_spaces u ON u.is_in_use AND s.created_at < u.created_at
     WHERE s.model = :model
       FOR UPDATE OF s
)
DELETE FROM clip_vectors
 WHERE ctid IN (SELECT v.ctid FROM clip_vectors v WHERE v.space = (SELECT id FROM replaced) LIMIT :at_most);

-- name: remove_texts(model)!
-- What was embedded by it, unless it is used once more.
DELETE FROM vectors v
 WHERE v.embedding_source = :model
   AND NOT EXISTS (SELECT FROM embedding_spaces s
                     JOIN embedding_spaces u ON u.is_in_use AND s.created_at >= u.created_at
                    WHERE s.model = :model);

-- name: remove_space(model)!
DELETE FROM embedding_spaces s
 USING embedding_spaces u
 WHERE u.is_in_use AND s.created_at < u.created_at AND s.model = :model;
