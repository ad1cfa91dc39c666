-- Moments: the parts of clips that are found by themselves, by their words and by what they mean.

CREATE TABLE public.moment_vectors (
    user_id    uuid NOT NULL,
    space      smallint NOT NULL,
    clip_id    uuid NOT NULL,
    segment_id uuid NOT NULL,
    v          extensions.halfvec(1024) NOT NULL,
    PRIMARY KEY (user_id, space, clip_id, segment_id),
    FOREIGN KEY (space) REFERENCES public.embedding_spaces (id) ON DELETE CASCADE,
    FOREIGN KEY (clip_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (segment_id, user_id) REFERENCES public.segments (id, user_id) ON DELETE CASCADE
);
ALTER TABLE public.moment_vectors ALTER COLUMN v SET STORAGE PLAIN;
COMMENT ON TABLE public.moment_vectors IS
    'The vectors of passages and scenes. They have no index of neighbours: the clips whose mean is near are looked for first.';
-- The cascades from a clip, a segment and a space.
CREATE INDEX moment_vectors_clip ON public.moment_vectors (clip_id, user_id);
CREATE INDEX moment_vectors_segment ON public.moment_vectors (segment_id, user_id);
CREATE INDEX moment_vectors_space ON public.moment_vectors (space);

ALTER TABLE public.clip_vectors
    DROP CONSTRAINT clip_vectors_kind_check,
    ADD CONSTRAINT clip_vectors_kind_check CHECK (kind IN (1, 2, 3));
COMMENT ON TABLE public.clip_vectors IS
    'The vectors of clips: kind 1 of the summary text, 2 of the keyword text, 3 the mean of its moments.';
CREATE INDEX clip_vectors_13 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops)
WHERE space = 1 AND kind = 3;
CREATE INDEX clip_vectors_23 ON public.clip_vectors USING hnsw (v extensions.halfvec_ip_ops)
WHERE space = 2 AND kind = 3;

-- Pieces of speech are looked up by their clip.
CREATE INDEX segments_fts ON public.segments USING gin (fts) WHERE kind <> 'speech';
-- The newest of those that a common word finds.
CREATE INDEX segments_newest ON public.segments (user_id, created_at DESC, id) WHERE kind <> 'speech';


-- The moments of which the words are told. Of more than 1,000 the newest are ranked, as of clips.
CREATE FUNCTION private.match_moments(owner uuid, words tsquery, conditions jsonb, at_most integer)
RETURNS TABLE (segment_id uuid)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format($sql$
        SELECT found.id
          FROM (SELECT t.id, t.fts, t.created_at, t.clip_id, t.number
                  FROM public.segments AS t
                  %s
                 WHERE t.user_id = $1 AND t.kind <> 'speech' AND t.fts @@ $2 AND %s
                 ORDER BY t.created_at DESC, t.id
                 LIMIT greatest($3, 1000)) AS found
         ORDER BY ts_rank_cd(found.fts, $2) DESC, found.created_at DESC, found.clip_id, found.number, found.id
         LIMIT $3 $sql$,
        CASE WHEN jsonb_array_length(conditions) > 0 THEN 'JOIN public.clips AS c ON c.id = t.clip_id' END,
        private.conditions(conditions))
    USING owner, words, at_most;
END
$$;

-- The moments nearest to a vector. Where an owner has few, all are read; else those of the clips whose mean is near.
-- More are given than are asked for, as of clips.
CREATE FUNCTION private.nearest_moments(
    owner uuid, target extensions.halfvec, conditions jsonb, at_most integer)
RETURNS TABLE (segment_id uuid)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    few          constant integer := 4000;
    clips_read   constant integer := 100;
    wanted_space smallint := (SELECT id FROM public.embedding_spaces WHERE is_in_use);
    there        bigint;
    near         uuid[];
BEGIN
    IF owner IS NULL OR target IS NULL OR wanted_space IS NULL THEN
        RETURN;
    END IF;
    SELECT 64 * count(*) INTO there
      FROM public.moment_vectors AS m
     WHERE m.user_id = owner AND m.space = wanted_space AND m.clip_id < '04000000-0000-0000-0000-000000000000';
    IF there > few THEN
        SELECT array_agg(n.clip_id) INTO near
          FROM (SELECT f.clip_id
                  FROM private.nearest(owner, 3, target, conditions, greatest(clips_read, at_most)) AS f
                 LIMIT greatest(clips_read, at_most)) AS n;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT n.segment_id
           FROM (SELECT m.segment_id, m.v OPERATOR(extensions.<#>) $1 AS distance
                   FROM public.moment_vectors AS m
                   %s
                  WHERE m.user_id = $2 AND m.space = $3 AND %s AND %s OFFSET 0) AS n
          ORDER BY n.distance, n.segment_id LIMIT greatest($5, 1000)',
        CASE WHEN jsonb_array_length(conditions) > 0 THEN 'JOIN public.clips AS c ON c.id = m.clip_id' END,
        CASE WHEN there > few THEN 'm.clip_id = ANY ($4)' ELSE 'true' END,
        private.conditions(conditions))
    USING target, owner, wanted_space, near, at_most;
END
$$;


-- Parts of clips by their words and by what they mean, as hybrid_search_clips finds clips.
CREATE FUNCTION public.search_moments(
    query_text text, query_embedding extensions.vector DEFAULT NULL, match_count integer DEFAULT 10,
    fulltext_weight float8 DEFAULT 1.0, semantic_weight float8 DEFAULT 1.0, rrf_k integer DEFAULT 50,
    filters jsonb DEFAULT '[]', match_offset integer DEFAULT 0)
RETURNS TABLE (segment_id uuid, clip_id uuid, file_name text, local_path text, content_summary text,
               duration_seconds numeric, kind text, timestamp_start float8, timestamp_end float8, excerpt text,
               search_rank float8, match_type text, text_place integer, semantic_place integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me    constant uuid := (SELECT auth.uid());
    pool  constant integer := greatest(100, 2 * (match_offset + match_count));
    query record := private.text_query(me, query_text);
    words tsquery := query.all_words;
BEGIN
    IF NOT EXISTS (SELECT FROM private.match_moments(me, words, filters, 1)) THEN
        words := query.any_word;
    END IF;
    RETURN QUERY
    WITH lists AS (
        SELECT 1 AS list, f.segment_id, f.place, fulltext_weight AS weight
          FROM private.match_moments(me, words, filters, 1000) WITH ORDINALITY AS f (segment_id, place)
        UNION ALL
        SELECT 2, f.segment_id, f.place, semantic_weight
          FROM private.nearest_moments(me, query_embedding::extensions.halfvec, filters, pool)
               WITH ORDINALITY AS f (segment_id, place)
    ), best AS MATERIALIZED (
        SELECT l.segment_id, sum(l.weight / (rrf_k + l.place)) AS rank,
               (min(l.place) FILTER (WHERE l.list = 1))::integer AS text_place,
               (min(l.place) FILTER (WHERE l.list = 2))::integer AS semantic_place
          FROM lists AS l
         GROUP BY l.segment_id
         ORDER BY rank DESC, l.segment_id
        OFFSET match_offset LIMIT match_count
    )
    SELECT s.id, c.id, c.file_name, c.local_path, c.content_summary, c.duration_seconds, s.kind, s.timestamp_start,
           s.timestamp_end,
           CASE WHEN best.text_place IS NULL THEN s.content
                ELSE ts_headline(private.text_search_of(s.language), s.content, query.any_word,
                                 'StartSel=«, StopSel=», MinWords=8, MaxWords=24') END,
           best.rank,
           CASE WHEN best.text_place IS NULL THEN 'semantic'
                WHEN best.semantic_place IS NULL THEN 'fulltext'
                ELSE 'hybrid' END,
           best.text_place, best.semantic_place
      FROM best
      JOIN public.segments AS s ON s.id = best.segment_id AND s.user_id = me
      JOIN public.clips AS c ON c.id = s.clip_id AND c.user_id = me
     ORDER BY best.rank DESC, best.segment_id;
END
$$;
COMMENT ON FUNCTION public.search_moments IS 'Parts of the caller''s own clips by words and meaning, with their time.';


REVOKE ALL ON public.moment_vectors FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.moment_vectors TO service_role;
GRANT SELECT ON public.moment_vectors TO authenticated;
ALTER TABLE public.moment_vectors ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Owners see the vectors of their moments" ON public.moment_vectors
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));

REVOKE ALL ON FUNCTION
    private.match_moments(uuid, tsquery, jsonb, integer),
    private.nearest_moments(uuid, extensions.halfvec, jsonb, integer),
    public.search_moments(text, extensions.vector, integer, float8, float8, integer, jsonb, integer)
  FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION
    public.search_moments(text, extensions.vector, integer, float8, float8, integer, jsonb, integer)
  TO authenticated;
