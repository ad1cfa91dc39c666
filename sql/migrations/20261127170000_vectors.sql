-- Search by meaning: vectors of clips, by model, and the searches that use them.
-- Vectors of two models are never compared: each lies in the space of its model. A new model's space is filled beside
-- the one in use and takes its place at once, when it is complete.

CREATE TABLE public.embedding_spaces (
    id         smallint PRIMARY KEY CHECK (id IN (1, 2)),
    model      text NOT NULL UNIQUE,
    is_in_use  boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE public.embedding_spaces IS
    'The model whose vectors are searched, and the one that is to follow it. Two ids, because each has its indexes.';
CREATE UNIQUE INDEX embedding_spaces_in_use ON public.embedding_spaces (is_in_use) WHERE is_in_use;

-- What was embedded, and how much of it.
CREATE TABLE public.vectors (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    clip_id              uuid NOT NULL,
    user_id              uuid NOT NULL,
    embedding_type       text NOT NULL DEFAULT 'full_clip' CHECK (embedding_type IN ('full_clip')),
    embedding_source     text NOT NULL,
    embedded_content     text NOT NULL,
    original_content     text,
    token_count          integer,
    original_token_count integer,
    truncation_method    text,
    created_at           timestamptz NOT NULL DEFAULT now(),
    -- A rerun replaces.
    UNIQUE (clip_id, embedding_source, embedding_type),
    FOREIGN KEY (clip_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.vectors IS 'What was embedded of each clip; the numbers lie in clip_vectors.';
-- The cascade from a clip.
CREATE INDEX vectors_clip ON public.vectors (clip_id, user_id);
-- The policy.
CREATE INDEX vectors_owner ON public.vectors (user_id);

-- Narrow rows, three a page and none of them elsewhere: reading all of an owner's is what a search does.
CREATE TABLE public.clip_vectors (
    user_id uuid NOT NULL,
    space   smallint NOT NULL,
    kind    smallint NOT NULL CHECK (kind IN (1, 2)),
    clip_id uuid NOT NULL,
    v       extensions.halfvec(1024) NOT NULL,
    PRIMARY KEY (user_id, space, kind, clip_id),
    FOREIGN KEY (space) REFERENCES public.embedding_spaces (id) ON DELETE CASCADE,
    FOREIGN KEY (clip_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE
);
ALTER TABLE public.clip_vectors ALTER COLUMN v SET STORAGE PLAIN;
COMMENT ON TABLE public.clip_vectors IS 'The vectors of clips: kind 1 of the summary text, 2 of the keyword text.';
-- The cascades from a clip and from a space.
CREATE INDEX clip_vectors_clip ON public.clip_vectors (clip_id, user_id);
CREATE INDEX clip_vectors_space ON public.clip_vectors (space);
-- Nearest neighbours for owners with more clips than are quickly read; one index a space and kind.
CREATE INDEX clip_vectors_11 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops)
WHERE space = 1 AND kind = 1;
CREATE INDEX clip_vectors_12 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops)
WHERE space = 1 AND kind = 2;
CREATE INDEX clip_vectors_21 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops)
WHERE space = 2 AND kind = 1;
CREATE INDEX clip_vectors_22 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops)
WHERE space = 2 AND kind = 2;


-- The clips nearest to a vector. Where an owner has few all of their vectors are read, which is exact and quick; else
-- the index of neighbours is asked. That one leaves out what others own and what the conditions exclude after it has
-- looked, so when too few are left all are read after all. How many there are is told by those of which the id begins
-- with six zero bits: ids are drawn by chance. Whoever reads all may as well give more than is asked for:
-- so that what is made of several lists is one list, whichever page of it is wanted.
CREATE FUNCTION private.nearest(
    owner uuid, wanted_kind integer, target extensions.halfvec, conditions jsonb, at_most integer)
RETURNS TABLE (clip_id uuid, similarity float8)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    few          constant integer := 8000;
    wanted_space smallint := (SELECT id FROM public.embedding_spaces WHERE is_in_use);
    candidates   text := format(
        'FROM public.clip_vectors AS x %s WHERE x.user_id = $1 AND x.space = %s AND x.kind = %s AND %s',
        CASE WHEN jsonb_array_length(conditions) > 0 THEN 'JOIN public.clips AS c ON c.id = x.clip_id' END,
        wanted_space, wanted_kind, private.conditions(conditions));
    there        bigint;
    clips        uuid[];
    distances    float8[];
BEGIN
    IF owner IS NULL OR target IS NULL OR wanted_space IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT 64 * count(*) FROM (SELECT %s AND x.clip_id < %L) AS f', candidates,
                   '04000000-0000-0000-0000-000000000000') INTO there USING owner;
    IF there > few THEN
        PERFORM set_config('hnsw.ef_search', least(1000, greatest(200, 2 * at_most))::text, true),
                set_config('hnsw.iterative_scan', 'relaxed_order', true),
                set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true);
        EXECUTE format('SELECT array_agg(n.clip_id), array_agg(n.distance)
                          FROM (SELECT x.clip_id, x.v OPERATOR(extensions.<#>) $2 AS distance %s
                                 ORDER BY x.v OPERATOR(extensions.<#>) $2 LIMIT $3) AS n', candidates)
           INTO clips, distances USING owner, target, at_most;
        PERFORM set_config('enable_sort', 'on', true), set_config('enable_seqscan', 'on', true);
    END IF;
    IF cardinality(clips) = at_most THEN
        RETURN QUERY
        SELECT n.clip_id, -n.distance FROM unnest(clips, distances) AS n (clip_id, distance)
         ORDER BY n.distance, n.clip_id;
    ELSE
        RETURN QUERY EXECUTE format(
            'SELECT n.clip_id, -n.distance
               FROM (SELECT x.clip_id, x.v OPERATOR(extensions.<#>) $2 AS distance %s OFFSET 0) AS n
              ORDER BY n.distance, n.clip_id LIMIT greatest($3, 1000)', candidates)
        USING owner, target, at_most;
    END IF;
END
$$;


CREATE FUNCTION public.semantic_search_clips(
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
               greatest(200, 2 * (match_offset + match_count)) AS pool
    ), near AS (
        SELECT f.clip_id FROM me CROSS JOIN LATERAL private.nearest(me.id, 1, me.summary, filters, me.pool) AS f
        UNION
        SELECT f.clip_id FROM me CROSS JOIN LATERAL private.nearest(me.id, 2, me.keyword, filters, me.pool) AS f
    ), found AS MATERIALIZED (
        SELECT near.clip_id, coalesce(-(s.v OPERATOR(extensions.<#>) me.summary), 0) AS summary,
               coalesce(-(k.v OPERATOR(extensions.<#>) me.keyword), 0) AS keyword
          FROM near
         CROSS JOIN me
          LEFT JOIN public.clip_vectors AS s
            ON (s.user_id, s.space, s.kind, s.clip_id) = (me.id, me.space, 1, near.clip_id)
          LEFT JOIN public.clip_vectors AS k
            ON (k.user_id, k.space, k.kind, k.clip_id) = (me.id, me.space, 2, near.clip_id)
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
COMMENT ON FUNCTION public.semantic_search_clips IS 'Clips of the caller''s own by what they are about.';


-- Three ranked lists, of words and of both vectors; a clip's rank is the sum of weight / (rrf_k + place) over them.
CREATE FUNCTION public.hybrid_search_clips(
    query_text text, query_summary_embedding extensions.vector DEFAULT NULL,
    query_keyword_embedding extensions.vector DEFAULT NULL, match_count integer DEFAULT 10,
    fulltext_weight float8 DEFAULT 1.0, summary_weight float8 DEFAULT 1.0, keyword_weight float8 DEFAULT 0.8,
    rrf_k integer DEFAULT 50, filters jsonb DEFAULT '[]', match_offset integer DEFAULT 0)
RETURNS TABLE (id uuid, file_name text, local_path text, content_summary text, content_tags text[],
               duration_seconds numeric, camera_make text, camera_model text, content_category text,
               processed_at timestamptz, transcript_preview text, similarity_score float8, search_rank float8,
               match_type text, text_place integer, summary_place integer, keyword_place integer)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    WITH me AS MATERIALIZED (
        SELECT (SELECT auth.uid()) AS id, greatest(100, 2 * (match_offset + match_count)) AS pool,
               (SELECT s.id FROM public.embedding_spaces AS s WHERE s.is_in_use) AS space,
               query_summary_embedding::extensions.halfvec AS summary,
               query_keyword_embedding::extensions.halfvec AS keyword
    ), lists AS (
        SELECT 1 AS list, f.clip_id, f.place, fulltext_weight AS weight
          FROM me
         CROSS JOIN LATERAL private.find_texts(me.id, query_text, filters, 1000)
               WITH ORDINALITY AS f (clip_id, rank, place)
        UNION ALL
        SELECT 2, f.clip_id, f.place, summary_weight
          FROM me
         CROSS JOIN LATERAL private.nearest(me.id, 1, me.summary, filters, me.pool)
               WITH ORDINALITY AS f (clip_id, similarity, place)
        UNION ALL
        SELECT 3, f.clip_id, f.place, keyword_weight
          FROM me
         CROSS JOIN LATERAL private.nearest(me.id, 2, me.keyword, filters, me.pool)
               WITH ORDINALITY AS f (clip_id, similarity, place)
    ), best AS MATERIALIZED (
        SELECT l.clip_id, sum(l.weight / (rrf_k + l.place)) AS rank,
               (min(l.place) FILTER (WHERE l.list = 1))::integer AS text_place,
               (min(l.place) FILTER (WHERE l.list = 2))::integer AS summary_place,
               (min(l.place) FILTER (WHERE l.list = 3))::integer AS keyword_place
          FROM lists AS l
         GROUP BY l.clip_id
         ORDER BY rank DESC, l.clip_id
        OFFSET match_offset LIMIT match_count
    )
    SELECT c.id, c.file_name, c.local_path, c.content_summary, c.content_tags, c.duration_seconds, c.camera_make,
           c.camera_model, c.content_category, c.processed_at, c.transcript_preview,
           coalesce(-(s.v OPERATOR(extensions.<#>) me.summary), 0), best.rank,
           CASE WHEN best.text_place IS NULL THEN 'semantic'
                WHEN best.summary_place IS NULL AND best.keyword_place IS NULL THEN 'fulltext'
                ELSE 'hybrid' END,
           best.text_place, best.summary_place, best.keyword_place
      FROM best
     CROSS JOIN me
      JOIN public.clips AS c ON c.id = best.clip_id AND c.user_id = me.id
      LEFT JOIN public.clip_vectors AS s
        ON (s.user_id, s.space, s.kind, s.clip_id) = (me.id, me.space, 1, best.clip_id)
     ORDER BY best.rank DESC, best.clip_id
$$;
COMMENT ON FUNCTION public.hybrid_search_clips IS 'Clips of the caller''s own by words and meaning together.';


CREATE FUNCTION public.find_similar_clips(
    source_clip_id uuid, match_count integer DEFAULT 5, similarity_threshold float8 DEFAULT 0.5,
    filters jsonb DEFAULT '[]', match_offset integer DEFAULT 0)
RETURNS TABLE (id uuid, file_name text, local_path text, content_summary text, content_tags text[],
               duration_seconds numeric, content_category text, similarity_score float8)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    WITH source AS MATERIALIZED (
        SELECT x.user_id, x.v
          FROM public.clip_vectors AS x
          JOIN public.embedding_spaces AS s ON s.id = x.space AND s.is_in_use
         WHERE x.clip_id = source_clip_id AND x.user_id = (SELECT auth.uid()) AND x.kind = 1
    ), best AS MATERIALIZED (
        SELECT f.clip_id, f.similarity
          FROM source
         CROSS JOIN LATERAL private.nearest(source.user_id, 1, source.v, filters,
                                            match_offset + match_count + 1) AS f
         WHERE f.clip_id <> source_clip_id AND f.similarity >= similarity_threshold
         ORDER BY f.similarity DESC, f.clip_id
        OFFSET match_offset LIMIT match_count
    )
    SELECT c.id, c.file_name, c.local_path, c.content_summary, c.content_tags, c.duration_seconds,
           c.content_category, best.similarity
      FROM best
      JOIN public.clips AS c ON c.id = best.clip_id AND c.user_id = (SELECT auth.uid())
     ORDER BY best.similarity DESC, best.clip_id
$$;
COMMENT ON FUNCTION public.find_similar_clips IS 'Clips of the caller''s own that are about the same.';


REVOKE ALL ON public.embedding_spaces, public.vectors, public.clip_vectors
  FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.embedding_spaces, public.vectors, public.clip_vectors TO service_role;
GRANT SELECT ON public.embedding_spaces, public.vectors, public.clip_vectors TO authenticated;

ALTER TABLE public.embedding_spaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.vectors ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.clip_vectors ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Everybody sees which models there are" ON public.embedding_spaces
FOR SELECT TO authenticated USING (true);
CREATE POLICY "Owners see what was embedded of their clips" ON public.vectors
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners see the vectors of their clips" ON public.clip_vectors
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));

REVOKE ALL ON FUNCTION
    private.nearest(uuid, integer, extensions.halfvec, jsonb, integer),
    public.semantic_search_clips(extensions.vector, extensions.vector, integer, float8, float8, float8, jsonb, integer),
    public.hybrid_search_clips(text, extensions.vector, extensions.vector, integer, float8, float8, float8, integer,
                               jsonb, integer),
    public.find_similar_clips(uuid, integer, float8, jsonb, integer)
  FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION
    public.semantic_search_clips(extensions.vector, extensions.vector, integer, float8, float8, float8, jsonb, integer),
    public.hybrid_search_clips(text, extensions.vector, extensions.vector, integer, float8, float8, float8, integer,
                               jsonb, integer),
    public.find_similar_clips(uuid, integer, float8, jsonb, integer)
  TO authenticated;
