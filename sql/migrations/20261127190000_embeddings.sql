-- Vectors by the models that make them: where a model's vectors lie, and when they are searched.

ALTER TABLE public.segments
    DROP CONSTRAINT segments_kind_check,
    ADD CONSTRAINT segments_kind_check CHECK (kind IN ('scene', 'speech', 'passage'));
COMMENT ON COLUMN public.segments.kind IS
    'A scene, a piece of speech as it was heard, or a passage: pieces of speech that belong together.';

-- What was embedded may be a part of a clip.
ALTER TABLE public.vectors
    ADD COLUMN segment_id uuid,
    DROP CONSTRAINT vectors_embedding_type_check,
    ADD CONSTRAINT vectors_embedding_type_check CHECK (embedding_type IN ('full_clip', 'segment', 'keyframe')),
    ADD CONSTRAINT check_vector_scope CHECK ((embedding_type = 'full_clip') = (segment_id IS NULL)),
    ADD FOREIGN KEY (segment_id, user_id) REFERENCES public.segments (id, user_id) ON DELETE CASCADE,
    DROP CONSTRAINT vectors_clip_id_embedding_source_embedding_type_key,
    ADD UNIQUE NULLS NOT DISTINCT (clip_id, embedding_source, embedding_type, segment_id);
-- The cascade from a segment.
CREATE INDEX vectors_segment ON public.vectors (segment_id, user_id);

-- The numbers of a clip, as columns of what was embedded: `SELECT v.summary_vector FROM vectors AS v`.
CREATE FUNCTION public.summary_vector(embedded public.vectors) RETURNS extensions.halfvec
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT x.v
      FROM public.clip_vectors AS x
      JOIN public.embedding_spaces AS s ON s.id = x.space AND s.model = embedded.embedding_source
     WHERE (x.user_id, x.kind, x.clip_id) = (embedded.user_id, 1, embedded.clip_id)
       AND embedded.segment_id IS NULL
$$;

CREATE FUNCTION public.keyword_vector(embedded public.vectors) RETURNS extensions.halfvec
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT x.v
      FROM public.clip_vectors AS x
      JOIN public.embedding_spaces AS s ON s.id = x.space AND s.model = embedded.embedding_source
     WHERE (x.user_id, x.kind, x.clip_id) = (embedded.user_id, 2, embedded.clip_id)
       AND embedded.segment_id IS NULL
$$;


-- Where a model's vectors go. The first model's are searched at once; another's are filled beside them. Vectors that
-- were searched before the present ones are given up for those of a new model.
CREATE FUNCTION private.space_of(wanted text) RETURNS smallint
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
        RAISE EXCEPTION 'vectors of % are searched and those of % are being made, so there is no room for %',
              used.model, known.model, wanted
        USING HINT = 'Let the steps embeddings and moment_embeddings of all presets name one model.';
    END IF;
    INSERT INTO public.embedding_spaces (id, model, is_in_use)
    VALUES (CASE used.id WHEN 1 THEN 2 ELSE 1 END, wanted, used.id IS NULL)
    RETURNING id INTO made;
    RETURN made;
END
$$;

-- A new model's vectors are searched from the moment on when no clip lacks one that it has by the present model.
-- Clips that the new model refuses for good are not waited for.
CREATE FUNCTION private.follow_space() RETURNS trigger
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
                              AND r.asset = CASE x.kind WHEN 3 THEN 'moment_embeddings' ELSE 'embeddings' END)) THEN
        RETURN NULL;
    END IF;
    UPDATE public.embedding_spaces SET is_in_use = false WHERE id = used;
    UPDATE public.embedding_spaces SET is_in_use = true WHERE id = next;
    RETURN NULL;
END
$$;
CREATE TRIGGER clip_vectors_follow AFTER INSERT ON public.clip_vectors
FOR EACH STATEMENT EXECUTE FUNCTION private.follow_space();


REVOKE ALL ON FUNCTION
    public.summary_vector(public.vectors), public.keyword_vector(public.vectors), private.space_of(text),
    private.follow_space()
  FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION public.summary_vector(public.vectors), public.keyword_vector(public.vectors)
  TO authenticated, service_role;
GRANT EXECUTE ON FUNCTION private.space_of(text) TO service_role;
