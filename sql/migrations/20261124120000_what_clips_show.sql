-- What analyzers find beyond the container: columns of clips to filter by, scenes, segments, transcripts.

ALTER TABLE public.clips
    ADD COLUMN captured_at                timestamptz,
    ADD COLUMN captured_at_local          timestamp,
    ADD COLUMN capture_utc_offset_minutes integer,
    ADD COLUMN gps_latitude               double precision CHECK (gps_latitude BETWEEN -90 AND 90),
    ADD COLUMN gps_longitude              double precision CHECK (gps_longitude BETWEEN -180 AND 180),
    ADD COLUMN gps_altitude               double precision,
    ADD COLUMN location_name              text,
    ADD COLUMN lens_model                 text,
    ADD COLUMN focal_length_mm            double precision CHECK (focal_length_mm >= 0),
    ADD COLUMN focal_length_category      text,
    ADD COLUMN is_hdr                     boolean,
    ADD COLUMN hdr_format                 text,
    ADD COLUMN loudness_lufs              double precision,
    ADD COLUMN true_peak_dbtp             double precision,
    ADD COLUMN exposure_quality           text,
    ADD COLUMN exposure_stops             double precision,
    ADD COLUMN exposure_warning           boolean,
    ADD COLUMN transcript_language        text;
COMMENT ON COLUMN public.clips.captured_at IS 'When recording began; null while its time zone is not known.';
COMMENT ON COLUMN public.clips.captured_at_local IS 'What the clock at the place showed then; null where only UTC is known.';
COMMENT ON COLUMN public.clips.capture_utc_offset_minutes IS 'East of Greenwich; null while not known.';
COMMENT ON COLUMN public.clips.gps_latitude IS 'Degrees, south is negative.';
COMMENT ON COLUMN public.clips.gps_longitude IS 'Degrees, west is negative.';
COMMENT ON COLUMN public.clips.gps_altitude IS 'Metres above the sea, below it is negative.';
COMMENT ON COLUMN public.clips.focal_length_mm IS 'As the lens has it, not its 35 mm equivalent.';
COMMENT ON COLUMN public.clips.focal_length_category IS 'By the 35 mm equivalent, else as a model sees it.';
COMMENT ON COLUMN public.clips.loudness_lufs IS 'Of the whole clip, EBU R 128; null where nothing is loud enough.';

-- An owner's clips in the order in which they were recorded.
CREATE INDEX clips_captured ON public.clips (user_id, captured_at);
-- What was shot with this camera?
CREATE INDEX clips_camera ON public.clips (user_id, camera_make, camera_model);
-- What was shot around here? Few clips have a position.
CREATE INDEX clips_gps ON public.clips (user_id, gps_latitude, gps_longitude) WHERE gps_latitude IS NOT NULL;


CREATE TABLE public.scenes (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    video_id             uuid NOT NULL,
    user_id              uuid NOT NULL DEFAULT auth.uid(),
    scene_number         integer NOT NULL CHECK (scene_number >= 1),
    timestamp_start      double precision NOT NULL,
    timestamp_end        double precision NOT NULL,
    start_frame          integer CHECK (start_frame >= 0),
    end_frame            integer,
    begins_with          text,
    representative_frame text CHECK (representative_frame !~ '(^[/\\~]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$))'),
    representative_time  double precision,
    description          text,
    objects              text[],
    activities           text[],
    created_at           timestamptz NOT NULL DEFAULT now(),
    CHECK (timestamp_end >= timestamp_start),
    -- A rerun replaces.
    UNIQUE (video_id, scene_number),
    FOREIGN KEY (video_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.scenes IS 'The shots of a clip; times in seconds from its start, frames counted from 0.';
COMMENT ON COLUMN public.scenes.representative_frame IS 'A still of it, relative to the artifact store.';

-- The cascade from a clip.
CREATE INDEX scenes_clip ON public.scenes (video_id, user_id);
-- The policies.
CREATE INDEX scenes_owner ON public.scenes (user_id);


CREATE TABLE public.segments (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    clip_id         uuid NOT NULL,
    user_id         uuid NOT NULL DEFAULT auth.uid(),
    kind            text NOT NULL CHECK (kind IN ('scene', 'speech')),
    number          integer NOT NULL CHECK (number >= 1),
    timestamp_start double precision,
    timestamp_end   double precision,
    content         text,
    speaker         text,
    confidence      double precision,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (timestamp_end >= timestamp_start),
    -- A rerun replaces.
    UNIQUE (clip_id, kind, number),
    -- What children refer to, so that none can hang on a segment of somebody else.
    UNIQUE (id, user_id),
    FOREIGN KEY (clip_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.segments IS 'The parts of a clip that can be found by themselves: its scenes, and what is said.';
COMMENT ON COLUMN public.segments.content IS 'What is said in it; null in a scene.';

-- The cascade from a clip.
CREATE INDEX segments_clip ON public.segments (clip_id, user_id);
-- The policies.
CREATE INDEX segments_owner ON public.segments (user_id);


-- The stemmer for a language by its code, of two letters or three; `simple` knows none.
CREATE FUNCTION private.text_search_of(language text) RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE lower(split_part(translate(coalesce(language, 'en'), '_', '-'), '-', 1))
           WHEN 'en' THEN 'pg_catalog.english'::regconfig WHEN 'eng' THEN 'pg_catalog.english'::regconfig
           WHEN 'de' THEN 'pg_catalog.german'::regconfig WHEN 'deu' THEN 'pg_catalog.german'::regconfig
           WHEN 'ger' THEN 'pg_catalog.german'::regconfig
           WHEN 'fr' THEN 'pg_catalog.french'::regconfig WHEN 'fra' THEN 'pg_catalog.french'::regconfig
           WHEN 'fre' THEN 'pg_catalog.french'::regconfig
           WHEN 'es' THEN 'pg_catalog.spanish'::regconfig WHEN 'spa' THEN 'pg_catalog.spanish'::regconfig
           WHEN 'it' THEN 'pg_catalog.italian'::regconfig WHEN 'ita' THEN 'pg_catalog.italian'::regconfig
           WHEN 'pt' THEN 'pg_catalog.portuguese'::regconfig WHEN 'por' THEN 'pg_catalog.portuguese'::regconfig
           WHEN 'nl' THEN 'pg_catalog.dutch'::regconfig WHEN 'nld' THEN 'pg_catalog.dutch'::regconfig
           WHEN 'dut' THEN 'pg_catalog.dutch'::regconfig
           WHEN 'sv' THEN 'pg_catalog.swedish'::regconfig WHEN 'swe' THEN 'pg_catalog.swedish'::regconfig
           WHEN 'da' THEN 'pg_catalog.danish'::regconfig WHEN 'dan' THEN 'pg_catalog.danish'::regconfig
           WHEN 'fi' THEN 'pg_catalog.finnish'::regconfig WHEN 'fin' THEN 'pg_catalog.finnish'::regconfig
           WHEN 'no' THEN 'pg_catalog.norwegian'::regconfig WHEN 'nor' THEN 'pg_catalog.norwegian'::regconfig
           WHEN 'ru' THEN 'pg_catalog.russian'::regconfig WHEN 'rus' THEN 'pg_catalog.russian'::regconfig
           ELSE 'pg_catalog.simple'::regconfig
           END
$$;

CREATE TABLE public.transcripts (
    clip_id           uuid PRIMARY KEY,
    user_id           uuid NOT NULL DEFAULT auth.uid(),
    full_text         text NOT NULL,
    segments          jsonb NOT NULL CHECK (jsonb_typeof(segments) = 'array'),
    speakers          jsonb,
    non_speech_events jsonb,
    word_count        integer NOT NULL DEFAULT 0 CHECK (word_count >= 0),
    language          text,
    source            text,
    model             text,
    -- A tsvector holds 1 MB, which this many letters of any script cannot fill: about six hours of speech.
    fts               tsvector GENERATED ALWAYS AS (
        to_tsvector(private.text_search_of(language), left(full_text, 300000))
    ) STORED,
    created_at        timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (clip_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.transcripts IS 'What is said in a clip; a clip in which nobody speaks has no row.';

-- The cascade from a clip.
CREATE INDEX transcripts_clip ON public.transcripts (clip_id, user_id);
-- The policies.
CREATE INDEX transcripts_owner ON public.transcripts (user_id);
-- Text search.
CREATE INDEX transcripts_fts ON public.transcripts USING gin (fts);


-- Rights: as of all tables. Owners read what is theirs, workers write it.
REVOKE ALL ON public.scenes, public.segments, public.transcripts
  FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON FUNCTION private.text_search_of(text) FROM PUBLIC, anon, authenticated, service_role;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.scenes, public.segments, public.transcripts TO service_role;
GRANT SELECT ON public.scenes, public.segments, public.transcripts TO authenticated;
GRANT EXECUTE ON FUNCTION private.text_search_of(text) TO authenticated, service_role;

ALTER TABLE public.scenes ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.segments ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.transcripts ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Owners see their scenes" ON public.scenes
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners see their segments" ON public.segments
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners see their transcripts" ON public.transcripts
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
