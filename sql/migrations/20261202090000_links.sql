-- Neighbours that are written sooner still: eight links a clip instead of twelve, so that a new clip looks at a third
-- fewer pages of each index. What one index misses the other finds.
DROP INDEX public.clip_vectors_11, public.clip_vectors_12, public.clip_vectors_13,
           public.clip_vectors_21, public.clip_vectors_22, public.clip_vectors_23;
CREATE INDEX clip_vectors_11 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops) WITH (m = 8)
WHERE space = 1 AND kind = 1;
CREATE INDEX clip_vectors_12 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops) WITH (m = 8)
WHERE space = 1 AND kind = 2;
CREATE INDEX clip_vectors_13 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops) WITH (m = 8)
WHERE space = 1 AND kind = 3;
CREATE INDEX clip_vectors_21 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops) WITH (m = 8)
WHERE space = 2 AND kind = 1;
CREATE INDEX clip_vectors_22 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops) WITH (m = 8)
WHERE space = 2 AND kind = 2;
CREATE INDEX clip_vectors_23 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops) WITH (m = 8)
WHERE space = 2 AND kind = 3;

-- The clips nearest to a vector, as before, with fewer of them in view. Who knows how near the best one is at least tells
-- of an index that is stuck elsewhere, and all vectors are read.
DROP FUNCTION private.nearest(uuid, integer, extensions.halfvec, jsonb, integer);
CREATE FUNCTION private.nearest(
    owner uuid, wanted_kind integer, target extensions.halfvec, conditions jsonb, at_most integer,
    best_at_least float8 DEFAULT '-Infinity')
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
        PERFORM set_config('hnsw.ef_search', least(1000, greatest(150, at_most + at_most / 2))::text, true),
                set_config('hnsw.iterative_scan', 'relaxed_order', true),
                set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true);
        statement := format('SELECT array_agg(n.clip_id), array_agg(n.distance)
                               FROM (SELECT x.clip_id, x.v OPERATOR(extensions.<#>) $2 AS distance %s
                                      ORDER BY x.v OPERATOR(extensions.<#>) $2 LIMIT $3) AS n', candidates);
        EXECUTE statement INTO clips, distances USING owner, target, at_most;
        PERFORM private.note_leg(leg, 'neighbours', coalesce(cardinality(clips), 0), statement, owner, target, at_most);
        PERFORM set_config('enable_sort', 'on', true), set_config('enable_seqscan', 'on', true);
    END IF;
    IF cardinality(clips) = at_most AND -(SELECT min(d) FROM unnest(distances) AS d) >= best_at_least THEN
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

REVOKE ALL ON FUNCTION private.nearest(uuid, integer, extensions.halfvec, jsonb, integer, float8)
  FROM PUBLIC, anon, authenticated, service_role;

-- Two lists of clips, the nearest by their summaries (kind 1) and by their keywords (2), and where each stands in them.
-- An index of neighbours now and then misses a whole cluster. So what it gives for one list is held against the other
-- too; the lists stay as long as they were. Where all vectors were read there is nothing to add.
CREATE FUNCTION private.nearest_by_both(
    owner uuid, by_summary extensions.halfvec, by_keyword extensions.halfvec, conditions jsonb, at_most integer)
RETURNS TABLE (kind integer, clip_id uuid, similarity float8, place bigint)
LANGUAGE plpgsql STABLE ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted_space smallint := (SELECT id FROM public.embedding_spaces WHERE is_in_use);
    summaries    uuid[];
    keywords     uuid[];
    of_summaries float8[];
    of_keywords  float8[];
BEGIN
    SELECT array_agg(f.clip_id), array_agg(f.similarity) INTO summaries, of_summaries
      FROM private.nearest(owner, 1, by_summary, conditions, at_most) AS f;
    SELECT array_agg(f.clip_id), array_agg(f.similarity) INTO keywords, of_keywords
      FROM private.nearest(owner, 2, by_keyword, conditions, at_most) AS f;
    IF at_most NOT IN (coalesce(cardinality(summaries), 0), coalesce(cardinality(keywords), 0)) THEN
        RETURN QUERY
        SELECT 1, u.* FROM unnest(summaries, of_summaries) WITH ORDINALITY AS u
        UNION ALL
        SELECT 2, u.* FROM unnest(keywords, of_keywords) WITH ORDINALITY AS u;
        RETURN;
    END IF;
    RETURN QUERY
    WITH told AS MATERIALIZED (
        SELECT 1 AS kind, u.* FROM unnest(summaries, of_summaries) AS u (clip_id, similarity)
        UNION ALL
        SELECT 2, u.* FROM unnest(keywords, of_keywords) AS u
    ), held AS (
        SELECT t.* FROM told AS t
        UNION ALL
        SELECT x.kind, x.clip_id, -(x.v OPERATOR(extensions.<#>) CASE x.kind WHEN 1 THEN by_summary ELSE by_keyword END)
          FROM told AS t
          JOIN public.clip_vectors AS x
            ON (x.user_id, x.space, x.kind, x.clip_id) = (owner, wanted_space, (3 - t.kind)::smallint, t.clip_id)
         WHERE NOT EXISTS (SELECT FROM told AS o WHERE (o.kind, o.clip_id) = (3 - t.kind, t.clip_id))
    ), placed AS (
        SELECT h.*, row_number() OVER (PARTITION BY h.kind ORDER BY h.similarity DESC, h.clip_id) AS place
          FROM held AS h
         WHERE h.similarity IS NOT NULL
    )
    SELECT p.kind, p.clip_id, p.similarity, p.place
      FROM placed AS p
     WHERE p.place <= CASE p.kind WHEN 1 THEN cardinality(summaries) ELSE cardinality(keywords) END;
END
$$;
REVOKE ALL ON FUNCTION private.nearest_by_both(uuid, extensions.halfvec, extensions.halfvec, jsonb, integer)
  FROM PUBLIC, anon, authenticated, service_role;

-- Three ranked lists, as before; those of vectors help one another.
CREATE OR REPLACE FUNCTION public.hybrid_search_clips(
    query_text text, query_summary_embedding extensions.vector DEFAULT NULL,
    query_keyword_embedding extensions.vector DEFAULT NULL, match_count integer DEFAULT 10,
    fulltext_weight float8 DEFAULT 1.0, summary_weight float8 DEFAULT 1.0, keyword_weight float8 DEFAULT 0.8,
    rrf_k integer DEFAULT 50, filters jsonb DEFAULT '[]', match_offset integer DEFAULT 0,
    similarity_threshold float8 DEFAULT '-Infinity')
RETURNS TABLE (id uuid, file_name text, local_path text, content_summary text, content_tags text[],
               duration_seconds numeric, camera_make text, camera_model text, content_category text,
               processed_at timestamptz, transcript_preview text, similarity_score float8, search_rank float8,
               match_type text, text_place integer, summary_place integer, keyword_place integer)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    WITH me AS MATERIALIZED (
        SELECT (SELECT auth.uid()) AS id, greatest(100, 2 * (match_offset + match_count)) AS pool,
               (SELECT s.id FROM public.embedding_spaces AS s WHERE s.is_in_use) AS space,
               query_summary_embedding::extensions.halfvec AS summary,
               query_keyword_embedding::extensions.halfvec AS keyword,
               private.unwanted((SELECT auth.uid()), query_text) AS unwanted
    ), lists AS (
        SELECT 1 AS list, f.clip_id, f.place, fulltext_weight AS weight
          FROM me
         CROSS JOIN LATERAL private.find_texts(me.id, query_text, filters, greatest(1000, me.pool))
               WITH ORDINALITY AS f (clip_id, rank, place)
        UNION ALL
        SELECT n.kind + 1, n.clip_id, n.place, CASE n.kind WHEN 1 THEN summary_weight ELSE keyword_weight END
          FROM me
         CROSS JOIN LATERAL private.nearest_by_both(me.id, me.summary, me.keyword, filters, me.pool) AS n
         WHERE n.similarity >= similarity_threshold
           AND (me.unwanted IS NULL OR NOT EXISTS (SELECT FROM public.clip_texts AS t
                                                    WHERE t.clip_id = n.clip_id AND t.fts @@ me.unwanted))
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

-- Clips that are about the same, as before. One list alone has to be good, so more clips are kept in view; and where no
-- filter hides a clip from itself, it is the nearest of all.
CREATE OR REPLACE FUNCTION public.find_similar_clips(
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
                                            greatest(140, match_offset + match_count + 1),
                                            CASE WHEN filters = '[]'
                                                 THEN -(source.v OPERATOR(extensions.<#>) source.v) - 0.0001
                                                 ELSE '-Infinity' END) AS f
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
