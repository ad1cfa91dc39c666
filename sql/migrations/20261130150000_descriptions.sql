-- What the catalogue says of a clip: which analyzer speaks for it, and what people set instead. The ledger is shared by
-- content, so whom an owner believes and what they set are rows of their own, and are applied where it is projected.

ALTER TABLE public.clips
    ADD COLUMN content_language text,
    ADD COLUMN content_analyzer text,
    ADD COLUMN content_model    text;
COMMENT ON COLUMN public.clips.content_language IS 'In which it is spoken, as far as anybody heard it.';
COMMENT ON COLUMN public.clips.content_analyzer IS 'Whose words the others of content_* are, where no person set them.';

ALTER TABLE public.analysis
    ADD COLUMN prompt_version text,
    ADD COLUMN calls          integer CHECK (calls >= 1),
    ADD COLUMN input_tokens   bigint CHECK (input_tokens >= 0),
    ADD COLUMN cached_tokens  bigint CHECK (cached_tokens >= 0),
    ADD COLUMN output_tokens  bigint CHECK (output_tokens >= 0),
    ADD COLUMN warnings       text[] NOT NULL DEFAULT '{}';


CREATE TABLE public.promotions (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id        uuid NOT NULL DEFAULT auth.uid() REFERENCES auth.users (id) ON DELETE CASCADE,
    clip_id        uuid,
    analyzer       text NOT NULL CHECK (analyzer ~ '^[a-z][a-z0-9_]*_analysis$'),
    promoted_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    rolled_back_at timestamptz,
    FOREIGN KEY (clip_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.promotions IS
    'Whose words stand for clips instead of the preset''s choice: the newest that was not rolled back.';
COMMENT ON COLUMN public.promotions.clip_id IS 'For this clip alone, before what holds for all; null: for all of the owner.';

-- The pointer of a clip, and the cascade from it.
CREATE INDEX promotions_clip ON public.promotions (clip_id, user_id, promoted_at);
-- The pointer of an owner, the policies and the cascade from auth.users.
CREATE INDEX promotions_owner ON public.promotions (user_id, promoted_at);

CREATE TABLE public.human_edits (
    clip_id   uuid NOT NULL,
    user_id   uuid NOT NULL,
    field     text NOT NULL CHECK (field IN ('content_category', 'content_summary', 'content_tags')),
    value     jsonb NOT NULL,
    edited_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (clip_id, user_id, field),
    FOREIGN KEY (clip_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.human_edits IS
    'What people set in clips, which no analyzer overwrites; written by a trigger, and taken back by deleting it.';
COMMENT ON COLUMN public.human_edits.value IS 'JSON null: that there is nothing to say.';

-- The policies.
CREATE INDEX human_edits_owner ON public.human_edits (user_id);


-- Write into clips, and into their scenes, what is said of them: by the analyzer that is promoted for the clip, else by
-- the one that is promoted for all, else by the first of the description's candidates; and before it what people set.
-- A stretch that an analyzer tells of belongs to each scene with which it shares at least half of the shorter of both.
CREATE FUNCTION private.describe(_clips uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Whoever promotes and whoever saves a result wait for each other: the later one sees what the first one wrote.
    PERFORM FROM public.clips WHERE id = ANY (_clips) ORDER BY id FOR NO KEY UPDATE;

    WITH chosen AS MATERIALIZED (
        SELECT c.id, c.file_checksum, r.result ->> 'language' AS language, r.asset IS NOT NULL AS is_described,
               k.said ->> 'analyzer' AS analyzer,
               coalesce(k.said, '{}') || coalesce(e.said, '{}') AS said
          FROM public.clips AS c
          LEFT JOIN public.results AS r
            ON r.file_checksum = c.file_checksum AND r.asset = 'description' AND r.status = 'done'
          LEFT JOIN LATERAL (
               SELECT p.analyzer FROM public.promotions AS p
                WHERE p.clip_id = c.id AND p.user_id = c.user_id AND p.rolled_back_at IS NULL
                ORDER BY p.promoted_at DESC LIMIT 1) AS own ON true
          LEFT JOIN LATERAL (
               SELECT p.analyzer FROM public.promotions AS p
                WHERE p.clip_id IS NULL AND p.user_id = c.user_id AND p.rolled_back_at IS NULL
                ORDER BY p.promoted_at DESC LIMIT 1) AS general ON true
          LEFT JOIN LATERAL (
               SELECT j.said FROM jsonb_array_elements(r.result -> 'candidates') WITH ORDINALITY AS j (said, place)
                ORDER BY j.said ->> 'analyzer' IS DISTINCT FROM own.analyzer,
                         j.said ->> 'analyzer' IS DISTINCT FROM general.analyzer, j.place
                LIMIT 1) AS k ON true
          LEFT JOIN LATERAL (
               SELECT jsonb_object_agg(h.field, h.value) AS said FROM public.human_edits AS h
                WHERE h.clip_id = c.id AND h.user_id = c.user_id) AS e ON true
         WHERE c.id = ANY (_clips)
    ), told AS (
        SELECT s.id, t.*
          FROM chosen AS o
          JOIN public.scenes AS s ON s.video_id = o.id AND o.is_described
          LEFT JOIN public.results AS a
            ON a.file_checksum = o.file_checksum AND a.asset = o.analyzer AND a.status = 'done'
         CROSS JOIN LATERAL (
               SELECT string_agg(f.stretch ->> 'description', ' ' ORDER BY f.place) AS description,
                      private.all_of(array_agg(f.stretch -> 'objects' ORDER BY f.place)) AS objects,
                      private.all_of(array_agg(f.stretch -> 'activities' ORDER BY f.place)) AS activities
                 FROM (SELECT j.stretch, j.place, (j.stretch ->> 'start_time')::float8 AS start_s,
                              (j.stretch ->> 'end_time')::float8 AS end_s
                         FROM jsonb_array_elements(a.result -> 'visual_analysis' -> 'scenes')
                              WITH ORDINALITY AS j (stretch, place)) AS f
                WHERE least(f.end_s, s.timestamp_end) - greatest(f.start_s, s.timestamp_start)
                      >= 0.5 * least(f.end_s - f.start_s, s.timestamp_end - s.timestamp_start)
                  AND least(f.end_s, s.timestamp_end) > greatest(f.start_s, s.timestamp_start)) AS t
    ), scenes AS (
        UPDATE public.scenes AS s
           SET description = t.description, objects = t.objects, activities = t.activities
          FROM told AS t
         WHERE s.id = t.id
           AND (s.description, s.objects, s.activities) IS DISTINCT FROM (t.description, t.objects, t.activities)
    ), wanted AS (
        SELECT o.id, o.language, o.analyzer, o.said ->> 'ai_model' AS model, o.said ->> 'content_category' AS category,
               o.said ->> 'content_summary' AS summary, private.all_of(ARRAY[o.said -> 'content_tags']) AS tags
          FROM chosen AS o
    )
    UPDATE public.clips AS c
       SET content_category = w.category, content_summary = w.summary, content_tags = w.tags,
           content_language = w.language, content_analyzer = w.analyzer, content_model = w.model
      FROM wanted AS w
     WHERE c.id = w.id
       AND (c.content_category, c.content_summary, c.content_tags, c.content_language, c.content_analyzer,
            c.content_model)
           IS DISTINCT FROM (w.category, w.summary, w.tags, w.language, w.analyzer, w.model);
END
$$;

-- The words of some lists in JSON, each once, in their order; null where there is no list.
CREATE FUNCTION private.all_of(lists jsonb[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM unnest(lists) AS l (list) WHERE jsonb_typeof(list) = 'array') THEN
        ARRAY(SELECT w.word
                FROM unnest(lists) WITH ORDINALITY AS l (list, place)
               CROSS JOIN LATERAL jsonb_array_elements_text(
                     CASE jsonb_typeof(list) WHEN 'array' THEN list ELSE '[]' END) WITH ORDINALITY AS w (word, number)
               GROUP BY w.word
               ORDER BY min(l.place), min(w.number), w.word)
    END
$$;

CREATE FUNCTION private.describe_promoted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.describe(CASE WHEN NEW.clip_id IS NOT NULL THEN ARRAY[NEW.clip_id]
                                  ELSE ARRAY(SELECT id FROM public.clips WHERE user_id = NEW.user_id) END);
    RETURN NULL;
END
$$;

CREATE TRIGGER promotions_describe AFTER INSERT OR UPDATE OF rolled_back_at ON public.promotions
FOR EACH ROW EXECUTE FUNCTION private.describe_promoted();

CREATE FUNCTION private.describe_unedited() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.describe(ARRAY[OLD.clip_id]);
    RETURN NULL;
END
$$;

CREATE TRIGGER human_edits_describe AFTER DELETE ON public.human_edits
FOR EACH ROW EXECUTE FUNCTION private.describe_unedited();

-- What a person writes into the words of a clip stands, even where it is what stood there before.
CREATE FUNCTION private.note_edit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.human_edits (clip_id, user_id, field, value)
    VALUES (NEW.id, NEW.user_id, TG_ARGV[0], to_jsonb(NEW) -> TG_ARGV[0])
    ON CONFLICT (clip_id, user_id, field) DO UPDATE SET value = excluded.value, edited_at = now();
    RETURN NULL;
END
$$;

CREATE TRIGGER clips_category_edited AFTER UPDATE OF content_category ON public.clips
FOR EACH ROW WHEN (current_user = 'authenticated') EXECUTE FUNCTION private.note_edit('content_category');
CREATE TRIGGER clips_summary_edited AFTER UPDATE OF content_summary ON public.clips
FOR EACH ROW WHEN (current_user = 'authenticated') EXECUTE FUNCTION private.note_edit('content_summary');
CREATE TRIGGER clips_tags_edited AFTER UPDATE OF content_tags ON public.clips
FOR EACH ROW WHEN (current_user = 'authenticated') EXECUTE FUNCTION private.note_edit('content_tags');

-- Until now nobody but people wrote these.
INSERT INTO public.human_edits (clip_id, user_id, field, value)
SELECT c.id, c.user_id, f.field, to_jsonb(c) -> f.field
  FROM public.clips AS c
 CROSS JOIN (VALUES ('content_category'), ('content_summary'), ('content_tags')) AS f (field)
 WHERE jsonb_typeof(to_jsonb(c) -> f.field) <> 'null';


REVOKE ALL ON public.promotions, public.human_edits FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON FUNCTION private.describe(uuid[]), private.all_of(jsonb[]), private.describe_promoted(),
                       private.describe_unedited(), private.note_edit()
  FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.promotions, public.human_edits TO service_role;
GRANT EXECUTE ON FUNCTION private.describe(uuid[]), private.all_of(jsonb[]) TO service_role;
GRANT SELECT, INSERT (analyzer, clip_id), UPDATE (rolled_back_at) ON public.promotions TO authenticated;
GRANT SELECT, DELETE ON public.human_edits TO authenticated;

ALTER TABLE public.promotions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.human_edits ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Owners see whom they promoted" ON public.promotions
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners promote" ON public.promotions
FOR INSERT TO authenticated WITH CHECK (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners roll back" ON public.promotions
FOR UPDATE TO authenticated USING (user_id = (SELECT auth.uid())) WITH CHECK (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners see what they set" ON public.human_edits
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners take back what they set" ON public.human_edits
FOR DELETE TO authenticated USING (user_id = (SELECT auth.uid()));
