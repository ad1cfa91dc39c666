-- Searches: as many answers as there are however many are asked for, moments in one order, a least likeness for all that
-- is found by meaning, and a search that says how it went. Beside that, what the migrations of 22 to 27 November said
-- before they were put right is brought to what they say now: a catalogue that was made by the older text has the same
-- functions after this one as a new catalogue.


-- Of the older text: functions that look into the caller's temporary schema first, so that a type made there ran with
-- the rights of the function's owner.
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT p.oid::regprocedure AS called
          FROM pg_proc AS p
          JOIN pg_namespace AS n ON n.oid = p.pronamespace
         WHERE 'search_path=""' = ANY (p.proconfig)
           AND (n.nspname = 'public' AND p.proname IN (
                    'clip_documents', 'clip_results', 'clip_steps', 'failed_steps', 'find_similar_clips',
                    'fulltext_search_clips', 'get_user_profile', 'get_user_stats', 'keyword_vector', 'run_steps',
                    'search_transcripts', 'summary_vector')
                OR n.nspname = 'private' AND p.proname IN (
                    'checksum_algorithm', 'conditions', 'display_name', 'distance_km', 'erase_owner', 'fact',
                    'find_owner', 'handle_new_user', 'is_admin', 'matching_clips', 'note_events', 'text_search_of',
                    'touch_updated_at', 'unsettle', 'use_checksum_algorithm', 'words', 'words_in'))
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', made.called);
    END LOOP;
END
$$;

-- Of the older text: languages in columns that pg_upgrade refuses.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute
                WHERE attrelid = 'public.segments'::regclass AND attname = 'language'
                  AND atttypid = 'regconfig'::regtype) THEN
        ALTER TABLE public.clip_texts ALTER COLUMN language TYPE text USING language::text;
        ALTER TABLE public.segments DROP COLUMN fts, DROP COLUMN language;
        ALTER TABLE public.segments ADD COLUMN language text;
        UPDATE public.segments AS s
           SET language = t.language
          FROM public.transcripts AS t
         WHERE t.clip_id = s.clip_id AND s.kind <> 'scene';
        ALTER TABLE public.segments ADD COLUMN fts tsvector GENERATED ALWAYS AS (
            to_tsvector(private.text_search_of(language), left(content, 100000))) STORED;
    END IF;
END
$$;
COMMENT ON COLUMN public.clip_texts.language IS 'The stemmer for what is said in it, by name: no column of type regconfig survives pg_upgrade.';
COMMENT ON COLUMN public.segments.language IS 'In which it is said, as in its transcript.';

DROP FUNCTION IF EXISTS
    private.match_texts(uuid, tsquery, jsonb, integer), private.match_transcripts(uuid, tsquery, jsonb, integer, integer);

CREATE INDEX IF NOT EXISTS transcripts_newest ON public.transcripts (user_id, created_at DESC, clip_id);
DROP INDEX IF EXISTS public.transcripts_owner;
CREATE INDEX IF NOT EXISTS segments_fts ON public.segments USING gin (fts) WHERE kind <> 'speech';

-- Labels are found as they are written too. A tsvector holds 1 MB, which these many letters cannot fill.
CREATE OR REPLACE FUNCTION private.text_of(clip public.clips) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    language regconfig := private.text_search_of(clip.transcript_language);
    names    text := translate(left(clip.file_name, 1000), '._-', '   ');
    tags     text := left(coalesce(private.words(clip.content_tags), ''), 10000);
    labels   text := left(concat_ws(' ', clip.camera_make, clip.camera_model, clip.lens_model,
                                    clip.location_name, clip.hdr_format,
                                    CASE WHEN clip.is_hdr THEN 'HDR' END), 10000);
    folders  text := translate(left(clip.file_path, 4096), '/\._-', '     ');
    prose    text := left(concat_ws(' ', clip.content_summary, clip.content_category), 20000);
BEGIN
    RETURN setweight(to_tsvector('pg_catalog.simple', concat_ws(' ', names, tags))
                     || private.words_in(language, concat_ws(' ', names, tags)), 'A')
        || setweight(to_tsvector('pg_catalog.simple', labels)
                     || private.words_in(language, concat_ws(' ', labels, prose)), 'B')
        || setweight(to_tsvector(language, left(coalesce(clip.full_transcript, ''), 200000)), 'C')
        || setweight(to_tsvector('pg_catalog.simple', folders)
                     || private.words_in(language, folders), 'D');
END
$$;

CREATE OR REPLACE FUNCTION private.index_text() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.clip_texts (clip_id, user_id, created_at, language, fts)
    VALUES (NEW.id, NEW.user_id, NEW.created_at, private.text_search_of(NEW.transcript_language)::text,
            private.text_of(NEW))
    ON CONFLICT (clip_id) DO UPDATE
       SET language = excluded.language, fts = excluded.fts, created_at = excluded.created_at;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER clips_text_changed AFTER UPDATE ON public.clips
FOR EACH ROW
WHEN ((NEW.file_name, NEW.file_path, NEW.content_tags, NEW.content_summary, NEW.content_category, NEW.camera_make,
       NEW.camera_model, NEW.lens_model, NEW.location_name, NEW.hdr_format, NEW.is_hdr, NEW.full_transcript,
       NEW.transcript_language)
      IS DISTINCT FROM
      (OLD.file_name, OLD.file_path, OLD.content_tags, OLD.content_summary, OLD.content_category, OLD.camera_make,
       OLD.camera_model, OLD.lens_model, OLD.location_name, OLD.hdr_format, OLD.is_hdr, OLD.full_transcript,
       OLD.transcript_language))
EXECUTE FUNCTION private.index_text();

CREATE OR REPLACE FUNCTION private.condition(asked jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name   text := asked ->> 'fact';
    op     text := asked ->> 'op';
    word   text := lower(asked ->> 'word');
    number float8 := (asked ->> 'number')::float8;
    fact   text := private.fact(name);
BEGIN
    IF name = 'near' AND op = '<=' AND number IS NOT NULL AND (asked ->> 'latitude')::float8 BETWEEN -90 AND 90
       AND (asked ->> 'longitude')::float8 BETWEEN -360 AND 360 THEN
        RETURN format('private.distance_km(c.gps_latitude, c.gps_longitude, %L, %L) <= %L',
                      (asked ->> 'latitude')::float8, (asked ->> 'longitude')::float8, number);
    ELSIF name = 'tag' AND op IN ('=', '!=') AND word IS NOT NULL THEN
        RETURN format('%s EXISTS (SELECT FROM unnest(c.content_tags) AS t (tag) WHERE lower(tag) = %L)',
                      CASE op WHEN '!=' THEN 'NOT' END, word);
    ELSIF fact IS NULL OR (word IS NULL) = (number IS NULL) THEN
        RAISE EXCEPTION 'clips have no fact % that is compared so', name USING ERRCODE = 'invalid_parameter_value';
    ELSIF op = '!=' THEN
        RETURN CASE WHEN word IS NULL THEN format('%s IS DISTINCT FROM %L::float8', fact, number)
                    ELSE format('%s IS DISTINCT FROM %L', fact, word) END;
    ELSIF word IS NULL AND op IN ('=', '>', '>=', '<', '<=') THEN
        RETURN format('%s %s %L::float8', fact, op, number);
    ELSIF op = '=' THEN
        RETURN format('%s = %L', fact, word);
    ELSIF op = '~' AND word IS NOT NULL THEN
        RETURN format('strpos(%s, %L) > 0', fact, word);
    END IF;
    RAISE EXCEPTION '% cannot be compared by %', name, op USING ERRCODE = 'invalid_parameter_value';
END
$$;

-- Whatever must not be there of a question as in a web search, in every language of the owner's clips; null where
-- nothing is unwanted. A hyphen inside a word or a phrase says nothing, and two before it take each other back.
CREATE FUNCTION private.unwanted(owner uuid, asked text) RETURNS tsquery
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (private.text_query(owner, w.either)).all_words
      FROM (SELECT string_agg(m.word[1], ' OR ') AS either
              FROM regexp_matches(asked, '(?:--)*-("[^"]*"?|[^\s"-][^\s"]*)|"[^"]*"?|[^\s"]+', 'g') AS m (word)) AS w
     WHERE w.either IS NOT NULL
$$;

-- What was asked, in every language in which the owner has clips: each answers in its own. `all_words` wants all of
-- them, `any_word` one; words that mean nothing in English (the, of) are not among those. What must not be there must not
-- in any language: one that does not know a word's other forms, or wants the small words of a phrase, would find clips
-- that have it. A hyphen by itself says nothing.
CREATE OR REPLACE FUNCTION private.text_query(owner uuid, asked text, OUT all_words tsquery, OUT any_word tsquery)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    config regconfig;
    part   tsquery;
    parts  tsquery[] := '{}';
    word   text;
    words  text[] := '{}';
    unwanted       constant tsquery := private.unwanted(owner, asked);
    without_dashes constant text := regexp_replace(asked, '(?<![^\s"])-+(?!\S)', ' ', 'g');
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
        part := websearch_to_tsquery(config, without_dashes);
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


-- What a search says of itself while somebody wants to know: who sets video_assets.legs to an empty list in a transaction
-- finds there what ran after asking. The plan is that of the very statement, made once more in the same settings. It is
-- not STABLE, because EXPLAIN is not; users do not call it, and the setting is no part of any answer.
CREATE FUNCTION private.note_leg(
    leg text, how text, held bigint, statement text, owner uuid, target anyelement, at_most integer,
    clips uuid[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    noted jsonb := nullif(current_setting('video_assets.legs', true), '')::jsonb;
    plan  jsonb;
    scans jsonb;
BEGIN
    IF noted IS NULL THEN
        RETURN;
    END IF;
    EXECUTE 'EXPLAIN (FORMAT JSON, COSTS OFF) ' || statement INTO plan USING owner, target, at_most, clips;
    SELECT jsonb_agg(format('%s on %s', node ->> 'Node Type', coalesce(node ->> 'Index Name', node ->> 'Relation Name')))
      INTO scans
      FROM jsonb_path_query(plan, 'strict $.** ? (@."Node Type" like_regex "Scan$")') AS node
     WHERE node ?| ARRAY['Index Name', 'Relation Name'] AND node ->> 'Node Type' <> 'Bitmap Heap Scan';
    noted := noted || jsonb_build_object(
        'leg', leg, 'how', how, 'found', held, 'scans', scans,
        'words', CASE WHEN pg_typeof(target) = 'tsquery'::regtype THEN target::text END);
    PERFORM set_config('video_assets.legs', noted::text, true);
END
$$;

-- The clips of which a table's texts hold the words, the best first. Ranking is what costs, and words that are nearly
-- everywhere tell nothing apart: where more than 1,000 match, the newest 1,000 come first, the best of them in front,
-- then the 1,000 before them. So there are as many as are asked for, and what comes first does not depend on that.
CREATE OR REPLACE FUNCTION private.match_words(
    texts regclass, owner uuid, words tsquery, conditions jsonb, at_most integer, shortest integer DEFAULT NULL)
RETURNS TABLE (clip_id uuid, rank real)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ranked    bigint := 1000 * greatest(1, (at_most + 999::bigint) / 1000);
    held      bigint;
    statement text := format($sql$
        SELECT found.clip_id, ts_rank_cd(found.fts, $2) AS rank
          FROM (SELECT t.clip_id, t.fts, t.created_at, %s AS thousand
                  FROM %s AS t
                  %s
                 WHERE t.user_id = $1 AND t.fts @@ $2 AND %s %s
                 ORDER BY t.created_at DESC, t.clip_id
                 LIMIT %s) AS found
         ORDER BY found.thousand, rank DESC, found.created_at DESC, found.clip_id
         LIMIT $3 $sql$,
        CASE WHEN ranked = 1000 THEN '1'
             ELSE '(row_number() OVER (ORDER BY t.created_at DESC, t.clip_id) - 1) / 1000' END,
        texts,
        CASE WHEN jsonb_array_length(conditions) > 0 THEN 'JOIN public.clips AS c ON c.id = t.clip_id' END,
        private.conditions(conditions),
        'AND t.length >= ' || shortest,
        ranked);
BEGIN
    RETURN QUERY EXECUTE statement USING owner, words, at_most;
    GET DIAGNOSTICS held = ROW_COUNT;
    PERFORM private.note_leg(CASE texts::text WHEN 'public.clip_texts' THEN 'text' ELSE 'transcripts' END, NULL, held,
                             statement, owner, words, at_most);
END
$$;

-- By all that is written of them; with any of the words where no clip has all.
CREATE OR REPLACE FUNCTION private.find_texts(owner uuid, asked text, conditions jsonb, at_most integer)
RETURNS TABLE (clip_id uuid, rank real)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    query record := private.text_query(owner, asked);
    held  bigint;
BEGIN
    IF query.all_words IS NULL OR owner IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM private.match_words('public.clip_texts', owner, query.all_words, conditions, at_most);
    GET DIAGNOSTICS held = ROW_COUNT;
    IF held = 0 AND query.any_word IS NOT NULL AND query.any_word <> query.all_words THEN
        RETURN QUERY SELECT * FROM private.match_words('public.clip_texts', owner, query.any_word, conditions, at_most);
    END IF;
END
$$;

-- What is said: the clips by all that is said in them, and the part of each that answers best.
CREATE OR REPLACE FUNCTION private.find_transcripts(
    owner uuid, asked text, conditions jsonb, shortest integer, at_most integer)
RETURNS TABLE (clip_id uuid, rank real, start_s float8, end_s float8, excerpt text)
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    query record := private.text_query(owner, asked);
    words tsquery := query.all_words;
    clips uuid[];
    ranks real[];
BEGIN
    IF words IS NULL OR owner IS NULL THEN
        RETURN;
    END IF;
    SELECT array_agg(m.clip_id ORDER BY m.place), array_agg(m.rank ORDER BY m.place) INTO clips, ranks
      FROM private.match_words('public.transcripts', owner, words, conditions, at_most, shortest)
           WITH ORDINALITY AS m (clip_id, rank, place);
    IF clips IS NULL THEN
        words := query.any_word;
        SELECT array_agg(m.clip_id ORDER BY m.place), array_agg(m.rank ORDER BY m.place) INTO clips, ranks
          FROM private.match_words('public.transcripts', owner, words, conditions, at_most, shortest)
               WITH ORDINALITY AS m (clip_id, rank, place);
    END IF;
    RETURN QUERY
    SELECT m.clip_id, m.rank, best.timestamp_start, best.timestamp_end,
           ts_headline(best.language, best.content, query.any_word, 'StartSel=«, StopSel=», MinWords=8, MaxWords=24')
      FROM unnest(clips, ranks) WITH ORDINALITY AS m (clip_id, rank, place)
      LEFT JOIN LATERAL (
           SELECT s.timestamp_start, s.timestamp_end, s.content, private.text_search_of(s.language) AS language
             FROM public.segments AS s
            WHERE s.clip_id = m.clip_id AND s.user_id = owner AND s.kind = 'speech' AND s.fts @@ query.any_word
            ORDER BY ts_rank_cd(s.fts, words) DESC, ts_rank(s.fts, query.any_word) DESC, s.number
            LIMIT 1) AS best ON true
     ORDER BY m.place;
END
$$;


-- Three ranked lists, of words and of both vectors; a clip's rank is the sum of weight / (rrf_k + place) over them. In
-- the lists of vectors stand only clips that are at least so alike; whoever names no likeness gets all, and so as many
-- clips as are asked for while there are so many.
DROP FUNCTION public.hybrid_search_clips(
    text, extensions.vector, extensions.vector, integer, float8, float8, float8, integer, jsonb, integer);
CREATE FUNCTION public.hybrid_search_clips(
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
COMMENT ON FUNCTION public.hybrid_search_clips IS 'Clips of the caller''s own by words and meaning together.';


-- Moments that nothing tells apart come in the order of clips: what was made last first, then by their time.
DROP INDEX IF EXISTS public.segments_newest;
CREATE INDEX segments_newest ON public.segments (user_id, created_at DESC, clip_id, number, id) WHERE kind <> 'speech';

-- The moments of which the words are told, by thousands as of clips.
CREATE OR REPLACE FUNCTION private.match_moments(owner uuid, words tsquery, conditions jsonb, at_most integer)
RETURNS TABLE (segment_id uuid)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ranked    bigint := 1000 * greatest(1, (at_most + 999::bigint) / 1000);
    held      bigint;
    statement text := format($sql$
        SELECT found.id
          FROM (SELECT t.id, t.fts, t.created_at, t.clip_id, t.number, %s AS thousand
                  FROM public.segments AS t
                  %s
                 WHERE t.user_id = $1 AND t.kind <> 'speech' AND t.fts @@ $2 AND %s
                 ORDER BY t.created_at DESC, t.clip_id, t.number, t.id
                 LIMIT %s) AS found
         ORDER BY found.thousand, ts_rank_cd(found.fts, $2) DESC, found.created_at DESC, found.clip_id, found.number,
                  found.id
         LIMIT $3 $sql$,
        CASE WHEN ranked = 1000 THEN '1'
             ELSE '(row_number() OVER (ORDER BY t.created_at DESC, t.clip_id, t.number, t.id) - 1) / 1000' END,
        CASE WHEN jsonb_array_length(conditions) > 0 THEN 'JOIN public.clips AS c ON c.id = t.clip_id' END,
        private.conditions(conditions),
        ranked);
BEGIN
    IF owner IS NULL OR words IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE statement USING owner, words, at_most;
    GET DIAGNOSTICS held = ROW_COUNT;
    PERFORM private.note_leg('text', NULL, held, statement, owner, words, at_most);
END
$$;

-- Parts of clips by their words and by what they mean, as hybrid_search_clips finds clips.
DROP FUNCTION public.search_moments(text, extensions.vector, integer, float8, float8, integer, jsonb, integer);
CREATE FUNCTION public.search_moments(
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
COMMENT ON FUNCTION public.search_moments IS 'Parts of the caller''s own clips by words and meaning, with their time.';


-- Where a model's vectors go. The first model's are searched at once; another's are filled beside them. Vectors that
-- were searched before the present ones are given up for those of a new model. A third model beside two that are needed
-- has no room: what says so is shown with the clip that failed.
CREATE OR REPLACE FUNCTION private.space_of(wanted text) RETURNS smallint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    used    public.embedding_spaces;
    known   public.embedding_spaces;
    made    smallint;
BEGIN
    SELECT * INTO used FROM public.embedding_spaces WHERE is_in_use;
    SELECT * INTO known FROM public.embedding_spaces WHERE model = wanted;
    IF known.is_in_use OR known.created_at >= used.created_at THEN
        RETURN known.id;
    END IF;
    LOCK TABLE public.embedding_spaces IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO used FROM public.embedding_spaces WHERE is_in_use;
    DELETE FROM public.embedding_spaces WHERE created_at < used.created_at;
    SELECT * INTO known FROM public.embedding_spaces WHERE NOT is_in_use;
    IF used.model = wanted OR known.model = wanted THEN  -- somebody else was faster
        RETURN CASE used.model WHEN wanted THEN used.id ELSE known.id END;
    ELSIF known.id IS NOT NULL THEN
        RAISE EXCEPTION 'vectors of % are searched and those of % are being made, so there is no room for those of %; '
                        'let the steps embeddings and moment_embeddings of all presets name one model, then run '
                        '`backfill --failed`', used.model, known.model, wanted;
    END IF;
    INSERT INTO public.embedding_spaces (id, model, is_in_use)
    VALUES (CASE used.id WHEN 1 THEN 2 ELSE 1 END, wanted, used.id IS NULL)
    RETURNING id INTO made;
    RETURN made;
END
$$;

-- A new model's vectors are searched from the moment on when no clip lacks one that it has by the present model.
-- Clips that the new model refuses for good are not waited for; those are that a third model found no room for.
CREATE OR REPLACE FUNCTION private.follow_space() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    used smallint := (SELECT id FROM public.embedding_spaces WHERE is_in_use);
    next smallint := (SELECT s.id FROM public.embedding_spaces AS s
                        JOIN public.embedding_spaces AS u ON u.is_in_use AND s.created_at >= u.created_at
                       WHERE NOT s.is_in_use);
BEGIN
    IF next IS NULL THEN
        RETURN NULL;
    END IF;
    -- Of two that write the last vectors at once, the later one has to see what the other wrote.
    PERFORM pg_advisory_xact_lock(hashtext('video-assets: next embedding space'));
    IF EXISTS (
        SELECT
          FROM public.clip_vectors AS x
          JOIN public.clips AS c ON c.id = x.clip_id
         WHERE x.space = used
           AND NOT EXISTS (SELECT FROM public.clip_vectors AS y
                            WHERE (y.user_id, y.space, y.kind, y.clip_id) = (x.user_id, next, x.kind, x.clip_id))
           AND NOT EXISTS (SELECT FROM public.results AS r
                            WHERE r.file_checksum = c.file_checksum AND r.status = 'failed' AND r.fault <> 'unreachable'
                              AND r.error_class <> 'NoRoomError'
                              AND r.asset = CASE x.kind WHEN 3 THEN 'moment_embeddings' ELSE 'embeddings' END)) THEN
        RETURN NULL;
    END IF;
    UPDATE public.embedding_spaces SET is_in_use = false WHERE id = used;
    UPDATE public.embedding_spaces SET is_in_use = true WHERE id = next;
    RETURN NULL;
END
$$;

-- Where a moment's numbers and words are: not in `vectors`, which would hold each passage's text a second time.
COMMENT ON TABLE public.vectors IS
    'What was embedded of each clip as a whole; the numbers lie in clip_vectors. Of its parts, see moment_vectors.';
COMMENT ON COLUMN public.vectors.segment_id IS
    'Of what others write here: our own vectors of parts lie in moment_vectors, and what was embedded is the content of the segment.';
COMMENT ON TABLE public.moment_vectors IS
    'The vectors of passages and scenes, of which the embedded text is segments.content and the model that of the space. '
    'They take the place of rows of kind segment in vectors.';


REVOKE ALL ON FUNCTION
    private.text_of(public.clips), private.index_text(), private.text_query(uuid, text),
    private.unwanted(uuid, text),
    private.note_leg(text, text, bigint, text, uuid, anyelement, integer, uuid[]),
    private.match_words(regclass, uuid, tsquery, jsonb, integer, integer), private.find_texts(uuid, text, jsonb, integer),
    private.find_transcripts(uuid, text, jsonb, integer, integer),
    private.nearest(uuid, integer, extensions.halfvec, jsonb, integer),
    private.match_moments(uuid, tsquery, jsonb, integer),
    private.nearest_moments(uuid, extensions.halfvec, jsonb, integer), private.follow_space(), private.space_of(text),
    public.hybrid_search_clips(text, extensions.vector, extensions.vector, integer, float8, float8, float8, integer, jsonb,
                               integer, float8),
    public.search_moments(text, extensions.vector, integer, float8, float8, integer, jsonb, integer, float8)
  FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION
    public.hybrid_search_clips(text, extensions.vector, extensions.vector, integer, float8, float8, float8, integer, jsonb,
                               integer, float8),
    public.search_moments(text, extensions.vector, integer, float8, float8, integer, jsonb, integer, float8)
  TO authenticated;
GRANT EXECUTE ON FUNCTION private.space_of(text) TO service_role;
