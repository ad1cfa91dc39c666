-- name: owners(at_most)
-- As `service_role`: whose searches there are to be asked.
WITH RECURSIVE known (user_id) AS (
    (SELECT user_id FROM clip_vectors ORDER BY user_id LIMIT 1)
    UNION ALL
    SELECT (SELECT v.user_id FROM clip_vectors v WHERE v.user_id > known.user_id ORDER BY v.user_id LIMIT 1)
      FROM known
     WHERE known.user_id IS NOT NULL
)
SELECT user_id
  FROM known
 WHERE user_id IS NOT NULL
 ORDER BY hashtextextended(user_id::text, extract(doy FROM now())::bigint), user_id
 LIMIT :at_most;

-- All that follow run as `authenticated`: row level security leaves the caller's own rows.

-- name: sample(size)
-- Clips with vectors in the space in use, from all over the catalogue and the same ones each time.
WITH chosen AS MATERIALIZED (
    SELECT s.user_id, s.space, s.clip_id
      FROM clip_vectors s
      JOIN embedding_spaces e ON e.id = s.space AND e.is_in_use
     WHERE s.kind = 1
     ORDER BY hashtextextended(s.clip_id::text, 0), s.clip_id
     LIMIT :size
)
SELECT c.file_name, s.v::text AS summary, coalesce(k.v, s.v)::text AS keyword
  FROM chosen n
  JOIN clips c ON c.id = n.clip_id
  JOIN clip_vectors s ON (s.user_id, s.space, s.kind, s.clip_id) = (n.user_id, n.space, 1, n.clip_id)
  LEFT JOIN clip_vectors k ON (k.user_id, k.space, k.kind, k.clip_id) = (n.user_id, n.space, 2, n.clip_id)
 ORDER BY n.clip_id;

-- name: sample_moments(size)
-- Moments with vectors in the space in use, of clips from all over the catalogue and the same ones each time: the middle
-- one of each.
WITH chosen AS MATERIALIZED (
    SELECT s.user_id, s.space, s.clip_id
      FROM clip_vectors s
      JOIN embedding_spaces e ON e.id = s.space AND e.is_in_use
     WHERE s.kind = 3
     ORDER BY hashtextextended(s.clip_id::text, 0), s.clip_id
     LIMIT :size
)
SELECT left(m.content, 60) AS content, m.v::text AS v
  FROM chosen n
 CROSS JOIN LATERAL (
       SELECT t.content, v.v, row_number() OVER (ORDER BY t.number) AS place, count(*) OVER () AS there
         FROM moment_vectors v
         JOIN segments t ON t.id = v.segment_id
        WHERE (v.user_id, v.space, v.clip_id) = (n.user_id, n.space, n.clip_id)) AS m
 WHERE m.place = (m.there + 1) / 2
 ORDER BY n.clip_id;

-- name: moments()
SELECT v.segment_id AS id, extensions.halfvec_send(v.v) AS v
  FROM moment_vectors v
  JOIN embedding_spaces e ON e.id = v.space AND e.is_in_use;

-- name: vectors(kind)
SELECT v.clip_id AS id, extensions.halfvec_send(v.v) AS v
  FROM clip_vectors v
  JOIN embedding_spaces e ON e.id = v.space AND e.is_in_use
 WHERE v.kind = :kind;
