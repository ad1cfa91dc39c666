-- Words that must not be there keep a clip out of the lists of what is meant too, as out of those of words.

-- Whatever must not be there of a question as in a web search, in every language of the owner's clips; null where
-- nothing is unwanted. A hyphen inside a word or a phrase says nothing.
CREATE FUNCTION private.unwanted(owner uuid, asked text) RETURNS tsquery
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (private.text_query(owner, w.either)).all_words
      FROM (SELECT string_agg(m.word[1], ' OR ') AS either
              FROM regexp_matches(regexp_replace(asked, '(?<!-)"[^"]*"', ' ', 'g'), '(?:^|\s)-("[^"]+"?|[^\s"-]\S*)', 'g')
                   AS m (word)) AS w
     WHERE w.either IS NOT NULL
$$;
REVOKE ALL ON FUNCTION private.unwanted(uuid, text) FROM PUBLIC, anon, authenticated, service_role;

-- As before; what must not be there must not in any language. One that does not know a word's other forms, or wants the
-- small words of a phrase, found clips that have it.
CREATE OR REPLACE FUNCTION private.text_query(owner uuid, asked text, OUT all_words tsquery, OUT any_word tsquery)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    config regconfig;
    part   tsquery;
    parts  tsquery[] := '{}';
    word   text;
    words  text[] := '{}';
    unwanted constant tsquery := private.unwanted(owner, asked);
BEGIN
    FOR config IN
        WITH RECURSIVE known (name) AS (
            SELECT min(language) FROM public.clip_texts WHERE user_id = owner
            UNION ALL
            SELECT (SELECT min(t.language) FROM public.clip_texts AS t
                     WHERE t.user_id = owner AND t.language > known.name)
              FROM known
             WHERE known.name IS NOT NULL
        )
        SELECT name::regconfig FROM known WHERE name IS NOT NULL
        UNION SELECT 'pg_catalog.simple'::regconfig
        UNION SELECT 'pg_catalog.english'::regconfig
    LOOP
        part := websearch_to_tsquery(config, asked);
        CONTINUE WHEN numnode(part) = 0 OR part = ANY (parts);
        parts := parts || part;
        all_words := CASE WHEN all_words IS NULL THEN part ELSE all_words || part END;
        words := words || tsvector_to_array(to_tsvector(config, asked));
    END LOOP;
    FOR word IN SELECT DISTINCT unnest(words) ORDER BY 1 LOOP
        CONTINUE WHEN numnode(plainto_tsquery('pg_catalog.english', word)) = 0;
        part := quote_literal(word)::tsquery;
        any_word := CASE WHEN any_word IS NULL THEN part ELSE any_word || part END;
    END LOOP;
    IF all_words::text ~ '!' THEN  -- a word that must not be there cannot be one of several
        all_words := CASE WHEN unwanted IS NULL THEN all_words ELSE all_words && !! unwanted END;
        any_word := all_words;
    END IF;
END
$$;

-- As before, without the clips of which a word is told that must not be there.
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
        SELECT 2, f.clip_id, f.place, summary_weight
          FROM me
         CROSS JOIN LATERAL private.nearest(me.id, 1, me.summary, filters, me.pool)
               WITH ORDINALITY AS f (clip_id, similarity, place)
         WHERE f.similarity >= similarity_threshold
           AND (me.unwanted IS NULL OR NOT EXISTS (SELECT FROM public.clip_texts AS t
                                                    WHERE t.clip_id = f.clip_id AND t.fts @@ me.unwanted))
        UNION ALL
        SELECT 3, f.clip_id, f.place, keyword_weight
          FROM me
         CROSS JOIN LATERAL private.nearest(me.id, 2, me.keyword, filters, me.pool)
               WITH ORDINALITY AS f (clip_id, similarity, place)
         WHERE f.similarity >= similarity_threshold
           AND (me.unwanted IS NULL OR NOT EXISTS (SELECT FROM public.clip_texts AS t
                                                    WHERE t.clip_id = f.clip_id AND t.fts @@ me.unwanted))
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

-- As before, without the passages in which a word is said that must not be there.
CREATE OR REPLACE FUNCTION public.search_moments(
    query_text text, query_embedding extensions.vector DEFAULT NULL, match_count integer DEFAULT 10,
    fulltext_weight float8 DEFAULT 1.0, semantic_weight float8 DEFAULT 1.0, rrf_k integer DEFAULT 50,
    filters jsonb DEFAULT '[]', match_offset integer DEFAULT 0, similarity_threshold float8 DEFAULT '-Infinity')
RETURNS TABLE (segment_id uuid, clip_id uuid, file_name text, local_path text, content_summary text,
               duration_seconds numeric, kind text, timestamp_start float8, timestamp_end float8, excerpt text,
               search_rank float8, match_type text, text_place integer, semantic_place integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me    constant uuid := (SELECT auth.uid());
    pool  constant integer := greatest(100, 2 * (match_offset + match_count));
    query record := private.text_query(me, query_text);
    unwanted constant tsquery := private.unwanted(me, query_text);
    told  uuid[] := ARRAY(SELECT private.match_moments(me, query.all_words, filters, greatest(1000, pool)));
BEGIN
    IF cardinality(told) = 0 AND query.any_word <> query.all_words THEN
        told := ARRAY(SELECT private.match_moments(me, query.any_word, filters, greatest(1000, pool)));
    END IF;
    RETURN QUERY
    WITH lists AS (
        SELECT 1 AS list, f.segment_id, f.place, fulltext_weight AS weight
          FROM unnest(told) WITH ORDINALITY AS f (segment_id, place)
        UNION ALL
        SELECT 2, f.segment_id, f.place, semantic_weight
          FROM private.nearest_moments(me, query_embedding::extensions.halfvec, filters, pool)
               WITH ORDINALITY AS f (segment_id, similarity, place)
         WHERE f.similarity >= similarity_threshold
           AND (unwanted IS NULL OR NOT EXISTS (SELECT FROM public.segments AS t
                                                 WHERE t.id = f.segment_id AND t.fts @@ unwanted))
    ), good AS MATERIALIZED (
        SELECT l.segment_id, sum(l.weight / (rrf_k + l.place)) AS rank,
               (min(l.place) FILTER (WHERE l.list = 1))::integer AS text_place,
               (min(l.place) FILTER (WHERE l.list = 2))::integer AS semantic_place
          FROM lists AS l
         GROUP BY l.segment_id
         ORDER BY rank DESC
         FETCH FIRST (match_offset + match_count) ROWS WITH TIES
    ), best AS MATERIALIZED (
        SELECT g.rank, g.text_place, g.semantic_place, s.*
          FROM good AS g
          JOIN public.segments AS s ON s.id = g.segment_id AND s.user_id = me
         ORDER BY g.rank DESC, s.created_at DESC, s.clip_id, s.number, s.id
        OFFSET match_offset LIMIT match_count
    )
    SELECT best.id, c.id, c.file_name, c.local_path, c.content_summary, c.duration_seconds, best.kind,
           best.timestamp_start, best.timestamp_end,
           CASE WHEN best.text_place IS NULL THEN best.content
                ELSE ts_headline(private.text_search_of(best.language), best.content, query.any_word,
                                 'StartSel=«, StopSel=», MinWords=8, MaxWords=24') END,
           best.rank,
           CASE WHEN best.text_place IS NULL THEN 'semantic'
                WHEN best.semantic_place IS NULL THEN 'fulltext'
                ELSE 'hybrid' END,
           best.text_place, best.semantic_place
      FROM best
      JOIN public.clips AS c ON c.id = best.clip_id AND c.user_id = me
     ORDER BY best.rank DESC, best.created_at DESC, best.clip_id, best.number, best.id;
END
$$;
