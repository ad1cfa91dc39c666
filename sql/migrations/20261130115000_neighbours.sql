-- Nearest neighbours that are found and written sooner, and nearest moments that are found at all.

-- Twelve links a clip instead of 16: a new clip costs a quarter less, and a search that keeps more clips in view for the
-- same time finds more. Vectors lie in clusters, between which the upper layers lead, and fewer links make more of those.
DROP INDEX public.clip_vectors_11, public.clip_vectors_12, public.clip_vectors_13,
           public.clip_vectors_21, public.clip_vectors_22, public.clip_vectors_23;
CREATE INDEX clip_vectors_11 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops) WITH (m = 12)
WHERE space = 1 AND kind = 1;
CREATE INDEX clip_vectors_12 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops) WITH (m = 12)
WHERE space = 1 AND kind = 2;
CREATE INDEX clip_vectors_13 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops) WITH (m = 12)
WHERE space = 1 AND kind = 3;
CREATE INDEX clip_vectors_21 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops) WITH (m = 12)
WHERE space = 2 AND kind = 1;
CREATE INDEX clip_vectors_22 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops) WITH (m = 12)
WHERE space = 2 AND kind = 2;
CREATE INDEX clip_vectors_23 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops) WITH (m = 12)
WHERE space = 2 AND kind = 3;

-- The clips nearest to a vector. Where an owner has few all of their vectors are read, which is exact and quick; else
-- the index of neighbours is asked. That one leaves out what others own and what the conditions exclude after it has
-- looked, so when too few are left all are read after all. How many there are is told by those of which the id begins
-- with six zero bits: ids of clips are drawn by chance. Whoever reads all may as well give more than is asked for:
-- so that what is made of several lists is one list, whichever page of it is wanted.
CREATE OR REPLACE FUNCTION private.nearest(
    owner uuid, wanted_kind integer, target extensions.halfvec, conditions jsonb, at_most integer)
RETURNS TABLE (clip_id uuid, similarity float8)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    few          constant integer := 8000;
    wanted_space smallint := (SELECT id FROM public.embedding_spaces WHERE is_in_use);
    leg          text := (ARRAY['summary', 'keyword', 'means'])[wanted_kind];
    candidates   text := format(
        'FROM public.clip_vectors AS x %s WHERE x.user_id = $1 AND x.space = %s AND x.kind = %s AND %s',
        CASE WHEN jsonb_array_length(conditions) > 0 THEN 'JOIN public.clips AS c ON c.id = x.clip_id' END,
        wanted_space, wanted_kind, private.conditions(conditions));
    there        bigint;
    held         bigint;
    clips        uuid[];
    distances    float8[];
    statement    text;
BEGIN
    IF owner IS NULL OR target IS NULL OR wanted_space IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT 64 * count(*) FROM (SELECT %s AND x.clip_id < %L LIMIT %s) AS f', candidates,
                   '04000000-0000-0000-0000-000000000000', few / 64 + 1) INTO there USING owner;
    IF there > few THEN
        PERFORM set_config('hnsw.ef_search', least(1000, greatest(180, at_most + at_most / 2))::text, true),
                set_config('hnsw.iterative_scan', 'relaxed_order', true),
                set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true);
        statement := format('SELECT array_agg(n.clip_id), array_agg(n.distance)
                               FROM (SELECT x.clip_id, x.v OPERATOR(extensions.<#>) $2 AS distance %s
                                      ORDER BY x.v OPERATOR(extensions.<#>) $2 LIMIT $3) AS n', candidates);
        EXECUTE statement INTO clips, distances USING owner, target, at_most;
        PERFORM private.note_leg(leg, 'neighbours', coalesce(cardinality(clips), 0), statement, owner, target, at_most);
        PERFORM set_config('enable_sort', 'on', true), set_config('enable_seqscan', 'on', true);
    END IF;
    IF cardinality(clips) = at_most THEN
        RETURN QUERY
        SELECT n.clip_id, -n.distance FROM unnest(clips, distances) AS n (clip_id, distance)
         ORDER BY n.distance, n.clip_id;
    ELSE
        statement := format(
            'SELECT n.clip_id, -n.distance
               FROM (SELECT x.clip_id, x.v OPERATOR(extensions.<#>) $2 AS distance %s OFFSET 0) AS n
              ORDER BY n.distance, n.clip_id LIMIT greatest($3, 1000)', candidates);
        RETURN QUERY EXECUTE statement USING owner, target, at_most;
        GET DIAGNOSTICS held = ROW_COUNT;
        PERFORM private.note_leg(leg, 'exact', held, statement, owner, target, at_most);
    END IF;
END
$$;

-- Clips by what they are about, as before. What a list has told of a clip is not computed again, and the first hundred
-- of each list hold the best ten: of 90,000 clips as many as the first two hundred do.
CREATE OR REPLACE FUNCTION public.semantic_search_clips(
    query_summary_embedding extensions.vector, query_keyword_embedding extensions.vector,
    match_count integer DEFAULT 10, summary_weight float8 DEFAULT 1.0, keyword_weight float8 DEFAULT 0.8,
    similarity_threshold float8 DEFAULT 0.0, filters jsonb DEFAULT '[]', match_offset integer DEFAULT 0)
RETURNS TABLE (id uuid, file_name text, local_path text, content_summary text, content_tags text[],
               duration_seconds numeric, camera_make text, camera_model text, content_category text,
               processed_at timestamptz, summary_similarity float8, keyword_similarity float8,
               combined_similarity float8)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    WITH me AS MATERIALIZED (
        SELECT (SELECT auth.uid()) AS id, (SELECT s.id FROM public.embedding_spaces AS s WHERE s.is_in_use) AS space,
               query_summary_embedding::extensions.halfvec AS summary,
               query_keyword_embedding::extensions.halfvec AS keyword,
               greatest(100, 2 * (match_offset + match_count)) AS pool
    ), near AS (
        SELECT l.clip_id, max(l.summary) AS summary, max(l.keyword) AS keyword
          FROM (SELECT f.clip_id, f.similarity AS summary, NULL::float8 AS keyword
                  FROM me CROSS JOIN LATERAL private.nearest(me.id, 1, me.summary, filters, me.pool) AS f
                UNION ALL
                SELECT f.clip_id, NULL, f.similarity
                  FROM me CROSS JOIN LATERAL private.nearest(me.id, 2, me.keyword, filters, me.pool) AS f) AS l
         GROUP BY l.clip_id
    ), found AS MATERIALIZED (
        SELECT near.clip_id,
               coalesce(near.summary, (SELECT -(s.v OPERATOR(extensions.<#>) me.summary)
                                         FROM public.clip_vectors AS s
                                        WHERE (s.user_id, s.space, s.kind, s.clip_id)
                                              = (me.id, me.space, 1, near.clip_id)), 0) AS summary,
               coalesce(near.keyword, (SELECT -(k.v OPERATOR(extensions.<#>) me.keyword)
                                         FROM public.clip_vectors AS k
                                        WHERE (k.user_id, k.space, k.kind, k.clip_id)
                                              = (me.id, me.space, 2, near.clip_id)), 0) AS keyword
          FROM near
         CROSS JOIN me
    ), best AS MATERIALIZED (
        SELECT f.*, f.summary * summary_weight + f.keyword * keyword_weight AS combined
          FROM found AS f
         WHERE f.summary >= similarity_threshold
         ORDER BY combined DESC, f.clip_id
        OFFSET match_offset LIMIT match_count
    )
    SELECT c.id, c.file_name, c.local_path, c.content_summary, c.content_tags, c.duration_seconds, c.camera_make,
           c.camera_model, c.content_category, c.processed_at, best.summary, best.keyword, best.combined
      FROM best
      JOIN public.clips AS c ON c.id = best.clip_id AND c.user_id = (SELECT auth.uid())
     ORDER BY best.combined DESC, best.clip_id
$$;


-- Moments have an index of neighbours after all. A clip tells of several things, so the mean of its moments is near to
-- few of them: of 900,000 moments, the 100 clips whose mean is nearest held four of the nearest ten. The index holds the
-- signs of the numbers alone, an eighth of the space or less.
CREATE INDEX moment_vectors_signs_1 ON public.moment_vectors
USING hnsw ((extensions.binary_quantize(v)::bit(1024)) extensions.bit_hamming_ops) WHERE space = 1;
CREATE INDEX moment_vectors_signs_2 ON public.moment_vectors
USING hnsw ((extensions.binary_quantize(v)::bit(1024)) extensions.bit_hamming_ops) WHERE space = 2;

-- The moments nearest to a vector. Where an owner has few, all are read, and more are given than are asked for, as of
-- clips; an owner of an eighth of all moments or more has those compared that have like signs. The index leaves out what
-- others own and what conditions exclude after it has looked. So where too few are left, and for owners of many moments
-- that are a small part of all, the moments of the clips whose mean is near are read.
DROP FUNCTION private.nearest_moments(uuid, extensions.halfvec, jsonb, integer);
CREATE FUNCTION private.nearest_moments(
    owner uuid, target extensions.halfvec, conditions jsonb, at_most integer)
RETURNS TABLE (segment_id uuid, similarity float8)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    few          constant integer := 4000;
    clips_read   constant integer := 100;
    compared     constant integer := greatest(200, 2 * at_most);
    wanted_space smallint := (SELECT id FROM public.embedding_spaces WHERE is_in_use);
    candidates   text := format(
        'FROM public.moment_vectors AS m %s WHERE m.user_id = $1 AND m.space = %s AND %s',
        CASE WHEN jsonb_array_length(conditions) > 0 THEN 'JOIN public.clips AS c ON c.id = m.clip_id' END,
        wanted_space, private.conditions(conditions));
    -- An eighth of all owners' moments, as counted when the table was last analyzed; nothing before.
    eighth       constant bigint := (SELECT greatest(0, reltuples) / 8 FROM pg_class
                                      WHERE oid = 'public.moment_vectors'::regclass);
    are_most     boolean;
    are_many     boolean;
    near         uuid[];
    distances    float8[];
    held         bigint;
    statement    text;
BEGIN
    IF owner IS NULL OR target IS NULL OR wanted_space IS NULL THEN
        RETURN;
    END IF;
    are_most := CASE
        WHEN eighth > 4 * few THEN EXISTS (SELECT FROM public.moment_vectors AS m
                                            WHERE m.user_id = owner AND m.space = wanted_space
                                              AND m.clip_id < '04000000-0000-0000-0000-000000000000'
                                           OFFSET eighth / 64)
        ELSE EXISTS (SELECT FROM public.moment_vectors AS m
                      WHERE m.user_id = owner AND m.space = wanted_space
                     OFFSET greatest(few, eighth)) END;
    IF are_most THEN
        -- A few more than are compared, for those that others own: to ask the index again costs as much as at first.
        PERFORM set_config('hnsw.ef_search', least(1000, compared + compared / 4)::text, true),
                set_config('hnsw.iterative_scan', 'relaxed_order', true),
                set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true);
        statement := format(
            'SELECT array_agg(n.segment_id), array_agg(n.v OPERATOR(extensions.<#>) $2)
               FROM (SELECT m.segment_id, m.v %s
                      ORDER BY (extensions.binary_quantize(m.v)::bit(1024))
                               OPERATOR(extensions.<~>) extensions.binary_quantize($2)::bit(1024)
                      LIMIT $3) AS n', candidates);
        EXECUTE statement INTO near, distances USING owner, target, compared;
        PERFORM private.note_leg('semantic', 'neighbours', coalesce(cardinality(near), 0), statement, owner, target,
                                 compared);
        PERFORM set_config('enable_sort', 'on', true), set_config('enable_seqscan', 'on', true);
        IF cardinality(near) = compared THEN
            RETURN QUERY
            SELECT n.segment_id, -n.distance
              FROM (SELECT u.*, count(*) OVER (PARTITION BY u.distance) > 1 AS is_tied
                      FROM unnest(near, distances) AS u (segment_id, distance)
                     ORDER BY u.distance
                     FETCH FIRST (at_most) ROWS WITH TIES) AS n
              LEFT JOIN public.segments AS s ON s.id = CASE WHEN n.is_tied THEN n.segment_id END
             ORDER BY n.distance, s.created_at DESC, s.clip_id, s.number, n.segment_id
             LIMIT at_most;
            RETURN;
        END IF;
    END IF;
    -- Asked of everybody whom the index did not answer: one long clip in the sample looks like many.
    are_many := EXISTS (SELECT FROM public.moment_vectors AS m
                         WHERE m.user_id = owner AND m.space = wanted_space
                        OFFSET few);
    IF are_many THEN
        SELECT array_agg(n.clip_id) INTO near
          FROM (SELECT f.clip_id
                  FROM private.nearest(owner, 3, target, conditions, greatest(clips_read, at_most)) AS f
                 LIMIT greatest(clips_read, at_most)) AS n;
    END IF;
    statement := format(
        'SELECT n.segment_id, -n.distance
           FROM (SELECT m.segment_id, m.clip_id, m.v OPERATOR(extensions.<#>) $2 AS distance
                   %1$s AND %2$s
                  ORDER BY distance
                  FETCH FIRST (%3$s) ROWS WITH TIES) AS n
           JOIN public.segments AS s ON s.id = n.segment_id
          ORDER BY n.distance, s.created_at DESC, n.clip_id, s.number, n.segment_id
          LIMIT %3$s',
        candidates,
        CASE WHEN are_many THEN 'm.clip_id = ANY ($4)' ELSE 'true' END,
        CASE WHEN are_many THEN '$3' ELSE 'greatest($3, 1000)' END);
    RETURN QUERY EXECUTE statement USING owner, target, at_most, near;
    GET DIAGNOSTICS held = ROW_COUNT;
    PERFORM private.note_leg('semantic', CASE WHEN are_many THEN 'nearest clips' ELSE 'exact' END, held, statement, owner,
                             target, at_most, near);
END
$$;
