-- name: place()$
-- Which database this is, among all.
SELECT pg_postmaster_start_time()::text || ' ' || oid FROM pg_database WHERE datname = current_database();

-- name: algorithm()$
SELECT private.checksum_algorithm();

-- name: clips(owner)
SELECT id FROM clips WHERE user_id = :owner;

-- name: runs(owner)
SELECT run_id FROM runs WHERE user_id = :owner;

-- name: count_of_others(clips, runs, owner)$
SELECT (SELECT count(*) FROM clips WHERE id = ANY(:clips::uuid[]) AND user_id <> :owner)
       + (SELECT count(*) FROM runs WHERE run_id = ANY(:runs::text[]) AND user_id <> :owner);

-- name: models()
-- The models by whose vectors is searched, and will be once every clip has some; those of before are given up.
SELECT s.id, s.model
  FROM embedding_spaces AS s
  JOIN embedding_spaces AS u ON u.is_in_use AND s.created_at >= u.created_at
 ORDER BY s.is_in_use DESC;
