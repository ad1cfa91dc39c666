-- Search by words, and what an owner has in numbers.
-- The words of a clip lie apart from `clips`: progress changes that table all the time, and never an index of words.

ALTER TABLE public.clips DROP COLUMN fts;

CREATE TABLE public.clip_texts (
    clip_id    uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    created_at timestamptz NOT NULL,
    language   text NOT NULL,
    fts        tsvector NOT NULL,
    FOREIGN KEY (clip_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.clip_texts IS 'The words of each clip, as text search finds them; written by a trigger.';
COMMENT ON COLUMN public.clip_texts.language IS 'The stemmer for what is said in it, by name: no column of type regconfig survives pg_upgrade.';

-- The cascade from a clip.
CREATE INDEX clip_texts_clip ON public.clip_texts (clip_id, user_id);
-- The newest of what matches, where much does; also the index under the policy.
CREATE INDEX clip_texts_newest ON public.clip_texts (user_id, created_at DESC, clip_id);
-- Which languages does an owner have?
CREATE INDEX clip_texts_language ON public.clip_texts (user_id, language);
-- Text search.
CREATE INDEX clip_texts_fts ON public.clip_texts USING gin (fts);

-- Words in a language, beside English: labels, tags and summaries are English or nobody's language.
CREATE FUNCTION private.words_in(language regconfig, words text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN language = 'pg_catalog.english'::regconfig THEN to_tsvector('pg_catalog.english', words)
                ELSE to_tsvector('pg_catalog.english', words) || to_tsvector(language, words) END
$$;

-- Labels are found as they are written too. A tsvector holds 1 MB, which these many letters cannot fill.
CREATE FUNCTION private.text_of(clip public.clips) RETURNS tsvector
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

CREATE FUNCTION private.index_text() RETURNS trigger
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

CREATE TRIGGER clips_text_made AFTER INSERT ON public.clips
FOR EACH ROW EXECUTE FUNCTION private.index_text();

CREATE TRIGGER clips_text_changed AFTER UPDATE ON public.clips
FOR EACH ROW
WHEN ((NEW.file_name, NEW.file_path, NEW.content_tags, NEW.content_summary, NEW.content_category, NEW.camera_make,
       NEW.camera_model, NEW.lens_model, NEW.location_name, NEW.hdr_format, NEW.is_hdr, NEW.full_transcript,
       NEW.transcript_language)
      IS DISTINCT FROM
      (OLD.file_name, OLD.file_path, OLD.content_tags, OLD.content_summary, OLD.content_category, OLD.camera_make,
       OLD.camera_model, OLD.lens_model, OLD.location_name, OLD.hdr_format, OLD.is_hdr, OLD.full_transcript,
       OLD.transcript_language))
EXECUTE FUNCTION private.index_text();

INSERT INTO public.clip_texts (clip_id, user_id, created_at, language, fts)
SELECT c.id, c.user_id, c.created_at, private.text_search_of(c.transcript_language)::text, private.text_of(c)
  FROM public.clips AS c;


-- Parts of clips: their words, so that an answer can name the time.
ALTER TABLE public.transcripts
    ADD COLUMN length integer GENERATED ALWAYS AS (length(full_text)) STORED;
-- The newest of what matches, where much does; also the index under the policy.
CREATE INDEX transcripts_newest ON public.transcripts (user_id, created_at DESC, clip_id);
DROP INDEX public.transcripts_owner;

ALTER TABLE public.segments
    ADD COLUMN language text;
ALTER TABLE public.segments
    ADD COLUMN fts tsvector GENERATED ALWAYS AS (
        to_tsvector(private.text_search_of(language), left(content, 100000))) STORED;
COMMENT ON COLUMN public.segments.language IS 'In which it is said, as in its transcript.';

UPDATE public.segments AS s
   SET language = t.language
  FROM public.transcripts AS t
 WHERE t.clip_id = s.clip_id AND s.kind = 'speech';


-- Conditions are [{"fact", "op", "word" or "number"}], all of which have to hold; `near` has a latitude and a longitude
-- too. A clip of which a fact is unknown differs from every value, and is neither more nor less. Words are compared in
-- small letters. Facts and signs are looked up here and values are quoted: nothing that is asked becomes SQL. No
-- condition may fail on a row: it could be tried on one of another owner, and its failure would tell of that.
CREATE FUNCTION private.fact(name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE name
           WHEN 'file_name' THEN 'lower(c.file_name)'
           WHEN 'path' THEN 'lower(c.file_path)'
           WHEN 'camera_make' THEN 'lower(c.camera_make)'
           WHEN 'camera_model' THEN 'lower(c.camera_model)'
           WHEN 'lens_model' THEN 'lower(c.lens_model)'
           WHEN 'codec' THEN 'lower(c.codec)'
           WHEN 'container' THEN 'lower(c.container)'
           WHEN 'language' THEN 'lower(c.transcript_language)'
           WHEN 'preset' THEN 'lower(c.preset)'
           WHEN 'category' THEN 'lower(c.content_category)'
           WHEN 'place' THEN 'lower(c.location_name)'
           WHEN 'exposure' THEN 'lower(c.exposure_quality)'
           WHEN 'hdr_format' THEN 'lower(c.hdr_format)'
           WHEN 'status' THEN $f$(CASE WHEN c.processing_progress = 100 THEN 'complete' ELSE 'incomplete' END)$f$
           WHEN 'orientation' THEN $f$(CASE sign(c.display_width - c.display_height)
                                       WHEN 1 THEN 'landscape' WHEN -1 THEN 'portrait' ELSE 'square' END)$f$
           WHEN 'is_hdr' THEN 'c.is_hdr::text'
           WHEN 'has_audio' THEN 'c.has_audio::text'
           WHEN 'has_speech' THEN '(c.transcript_word_count > 0)::text'
           WHEN 'duration' THEN 'c.duration_seconds'
           WHEN 'width' THEN 'c.width'
           WHEN 'height' THEN 'c.height'
           WHEN 'frame_rate' THEN 'c.frame_rate'
           WHEN 'size' THEN 'c.file_size_bytes'
           WHEN 'scenes' THEN 'c.scene_count'
           WHEN 'captured' THEN 'extract(epoch FROM c.captured_at)'
           WHEN 'registered' THEN 'extract(epoch FROM c.created_at)'
           END
$$;

-- Kilometres between two places on a sphere.
CREATE FUNCTION private.distance_km(latitude_a float8, longitude_a float8, latitude_b float8, longitude_b float8)
RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 2 * 6371.0088 * asin(least(1, sqrt(
        sind((latitude_b - latitude_a) / 2) ^ 2
        + cosd(latitude_a) * cosd(latitude_b) * sind((longitude_b - longitude_a) / 2) ^ 2)))
$$;

CREATE FUNCTION private.condition(asked jsonb) RETURNS text
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

-- All conditions, as an expression over clips AS c.
CREATE FUNCTION private.conditions(asked jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(string_agg('(' || private.condition(each) || ')', ' AND '), 'true')
      FROM jsonb_array_elements(asked) AS each
$$;


-- The clips that the caller sees and that meet all conditions, in the order of registration.
CREATE FUNCTION private.matching_clips(asked jsonb)
RETURNS TABLE (file_checksum text, preset text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT c.file_checksum, c.preset FROM public.clips AS c WHERE %s
                                  ORDER BY c.created_at, c.file_checksum', private.conditions(asked));
END
$$;


-- What was asked, in every language in which the owner has clips: each answers in its own. `all_words` wants all of
-- them, `any_word` one; words that mean nothing in English (the, of) are not among those.
CREATE FUNCTION private.text_query(owner uuid, asked text, OUT all_words tsquery, OUT any_word tsquery)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    config regconfig;
    part   tsquery;
    parts  tsquery[] := '{}';
    word   text;
    words  text[] := '{}';
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
        any_word := all_words;
    END IF;
END
$$;

-- The clips of which a table's texts hold the words, the best first. Where more than 1,000 match, the newest of them
-- are ranked: ranking is what costs, and words that are nearly everywhere tell nothing apart.
CREATE FUNCTION private.match_words(
    texts regclass, owner uuid, words tsquery, conditions jsonb, at_most integer, shortest integer DEFAULT NULL)
RETURNS TABLE (clip_id uuid, rank real)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format($sql$
        SELECT found.clip_id, ts_rank_cd(found.fts, $2) AS rank
          FROM (SELECT t.clip_id, t.fts, t.created_at
                  FROM %s AS t
                  %s
                 WHERE t.user_id = $1 AND t.fts @@ $2 AND %s %s
                 ORDER BY t.created_at DESC, t.clip_id
                 LIMIT 1000) AS found
         ORDER BY rank DESC, found.created_at DESC, found.clip_id
         LIMIT $3 $sql$,
        texts,
        CASE WHEN jsonb_array_length(conditions) > 0 THEN 'JOIN public.clips AS c ON c.id = t.clip_id' END,
        private.conditions(conditions),
        'AND t.length >= ' || shortest)
    USING owner, words, at_most;
END
$$;

-- By all that is written of them; with any of the words where no clip has all.
CREATE FUNCTION private.find_texts(owner uuid, asked text, conditions jsonb, at_most integer)
RETURNS TABLE (clip_id uuid, rank real)
LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    query record := private.text_query(owner, asked);
BEGIN
    IF query.all_words IS NULL OR owner IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM private.match_words('public.clip_texts', owner, query.all_words, conditions, at_most);
    IF NOT FOUND AND query.any_word IS NOT NULL AND query.any_word <> query.all_words THEN
        RETURN QUERY SELECT * FROM private.match_words('public.clip_texts', owner, query.any_word, conditions, at_most);
    END IF;
END
$$;


CREATE FUNCTION public.fulltext_search_clips(
    query_text text, match_count integer DEFAULT 10, filters jsonb DEFAULT '[]', match_offset integer DEFAULT 0)
RETURNS TABLE (id uuid, file_name text, local_path text, content_summary text, content_tags text[],
               duration_seconds numeric, camera_make text, camera_model text, content_category text,
               processed_at timestamptz, transcript_preview text, fts_rank real)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    WITH found AS MATERIALIZED (
        SELECT f.clip_id, f.rank, f.place
          FROM private.find_texts((SELECT auth.uid()), query_text, filters, match_offset + match_count)
               WITH ORDINALITY AS f (clip_id, rank, place)
         WHERE f.place > match_offset
    )
    SELECT c.id, c.file_name, c.local_path, c.content_summary, c.content_tags, c.duration_seconds, c.camera_make,
           c.camera_model, c.content_category, c.processed_at, c.transcript_preview, found.rank
      FROM found
      JOIN public.clips AS c ON c.id = found.clip_id AND c.user_id = (SELECT auth.uid())
     ORDER BY found.place
$$;
COMMENT ON FUNCTION public.fulltext_search_clips IS 'Clips of the caller''s own by the words that are written of them.';


-- What is said: the clips by all that is said in them, and the part of each that answers best.
CREATE FUNCTION private.find_transcripts(
    owner uuid, asked text, conditions jsonb, shortest integer, at_most integer)
RETURNS TABLE (clip_id uuid, rank real, start_s float8, end_s float8, excerpt text)
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    query record := private.text_query(owner, asked);
    words tsquery := query.all_words;
BEGIN
    IF words IS NULL OR owner IS NULL THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM private.match_words('public.transcripts', owner, words, conditions, 1, shortest)) THEN
        words := query.any_word;
    END IF;
    RETURN QUERY
    SELECT m.clip_id, m.rank, best.timestamp_start, best.timestamp_end,
           ts_headline(best.language, best.content, query.any_word, 'StartSel=«, StopSel=», MinWords=8, MaxWords=24')
      FROM private.match_words('public.transcripts', owner, words, conditions, at_most, shortest)
           WITH ORDINALITY AS m (clip_id, rank, place)
      LEFT JOIN LATERAL (
           SELECT s.timestamp_start, s.timestamp_end, s.content, private.text_search_of(s.language) AS language
             FROM public.segments AS s
            WHERE s.clip_id = m.clip_id AND s.user_id = owner AND s.kind = 'speech' AND s.fts @@ query.any_word
            ORDER BY ts_rank_cd(s.fts, words) DESC, ts_rank(s.fts, query.any_word) DESC, s.number
            LIMIT 1) AS best ON true
     ORDER BY m.place;
END
$$;

CREATE FUNCTION public.search_transcripts(
    query_text text, match_count integer DEFAULT 10, min_content_length integer DEFAULT 50,
    filters jsonb DEFAULT '[]', match_offset integer DEFAULT 0)
RETURNS TABLE (clip_id uuid, file_name text, local_path text, content_summary text, transcript_preview text,
               duration_seconds numeric, processed_at timestamptz, fts_rank real,
               timestamp_start float8, timestamp_end float8, excerpt text)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    WITH found AS MATERIALIZED (
        SELECT f.*
          FROM private.find_transcripts((SELECT auth.uid()), query_text, filters, min_content_length,
                                        match_offset + match_count)
               WITH ORDINALITY AS f (clip_id, rank, start_s, end_s, excerpt, place)
         WHERE f.place > match_offset
    )
    SELECT c.id, c.file_name, c.local_path, c.content_summary, c.transcript_preview, c.duration_seconds,
           c.processed_at, found.rank, found.start_s, found.end_s, found.excerpt
      FROM found
      JOIN public.clips AS c ON c.id = found.clip_id AND c.user_id = (SELECT auth.uid())
     ORDER BY found.place
$$;
COMMENT ON FUNCTION public.search_transcripts IS 'Clips of the caller''s own by what is said in them, and when.';


CREATE FUNCTION public.get_user_profile()
RETURNS TABLE (id uuid, profile_type text, display_name text, created_at timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.id, p.profile_type, p.display_name, p.created_at
      FROM public.user_profiles AS p
     WHERE p.id = (SELECT auth.uid())
$$;

CREATE FUNCTION public.get_user_stats()
RETURNS TABLE (total_clips integer, total_duration_hours numeric, total_storage_gb numeric,
               clips_with_transcripts integer, clips_in_progress integer, clips_completed integer)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*)::integer,
           round(coalesce(sum(c.duration_seconds), 0) / 3600, 2),
           round(coalesce(sum(c.file_size_bytes), 0) / 1024.0 ^ 3, 2),
           (count(*) FILTER (WHERE c.transcript_word_count > 0))::integer,
           (count(*) FILTER (WHERE c.processing_progress < 100))::integer,
           (count(*) FILTER (WHERE c.processing_progress = 100))::integer
      FROM public.clips AS c
     WHERE c.user_id = (SELECT auth.uid())
$$;


REVOKE ALL ON public.clip_texts FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.clip_texts TO service_role;
GRANT SELECT ON public.clip_texts TO authenticated;
ALTER TABLE public.clip_texts ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Owners see the words of their clips" ON public.clip_texts
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));

REVOKE ALL ON FUNCTION
    private.words_in(regconfig, text), private.text_of(public.clips), private.index_text(), private.fact(text),
    private.distance_km(float8, float8, float8, float8), private.condition(jsonb), private.conditions(jsonb),
    private.matching_clips(jsonb),
    private.text_query(uuid, text), private.match_words(regclass, uuid, tsquery, jsonb, integer, integer),
    private.find_texts(uuid, text, jsonb, integer),
    private.find_transcripts(uuid, text, jsonb, integer, integer),
    public.fulltext_search_clips(text, integer, jsonb, integer),
    public.search_transcripts(text, integer, integer, jsonb, integer),
    public.get_user_profile(), public.get_user_stats()
  FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION
    public.fulltext_search_clips(text, integer, jsonb, integer),
    public.search_transcripts(text, integer, integer, jsonb, integer),
    public.get_user_profile(), public.get_user_stats()
  TO authenticated;
GRANT EXECUTE ON FUNCTION
    private.fact(text), private.distance_km(float8, float8, float8, float8), private.condition(jsonb),
    private.conditions(jsonb), private.matching_clips(jsonb)
  TO authenticated, service_role;
