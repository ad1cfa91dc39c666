-- The catalogue: owners, their clips and where the files lie, the ledger of results, and what is projected from it.
-- Content is shared, ownership is not: results are keyed by checksum and have no owner, everything else has one.

CREATE SCHEMA IF NOT EXISTS private;
COMMENT ON SCHEMA private IS 'Helpers of policies and triggers; never exposed through the API.';
GRANT USAGE ON SCHEMA private TO authenticated, service_role;

-- Every function names the schemas in which it looks, the caller's temporary one last: left out, that one would be the
-- first, and a type of the caller's that is called text would run with the rights of the function's owner.
CREATE FUNCTION private.touch_updated_at() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- array_to_string is only STABLE because of types whose text depends on settings; text[] has none.
CREATE FUNCTION private.words(tags text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_to_string(tags, ' ')
$$;


CREATE TABLE public.user_profiles (
    id           uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    profile_type text NOT NULL DEFAULT 'user' CHECK (profile_type IN ('admin', 'user')),
    display_name text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE public.user_profiles IS 'One row per owner; made with the account.';

CREATE TRIGGER user_profiles_touch BEFORE UPDATE ON public.user_profiles
FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

CREATE FUNCTION private.display_name(meta jsonb, email text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(nullif(meta ->> 'display_name', ''), nullif(meta ->> 'full_name', ''),
                    nullif(meta ->> 'name', ''), nullif(split_part(email, '@', 1), ''), 'User')
$$;

-- Part of the sign-up's own transaction: an account without a profile cannot come to be.
CREATE FUNCTION private.handle_new_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.user_profiles (id, display_name)
    VALUES (NEW.id, private.display_name(NEW.raw_user_meta_data, NEW.email))
    ON CONFLICT (id) DO NOTHING;
    RETURN NEW;
END
$$;

CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users
FOR EACH ROW EXECUTE FUNCTION private.handle_new_user();

-- Accounts older than this migration.
INSERT INTO public.user_profiles (id, display_name)
SELECT id, private.display_name(raw_user_meta_data, email) FROM auth.users
ON CONFLICT (id) DO NOTHING;

CREATE FUNCTION private.is_admin() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM public.user_profiles
                    WHERE id = (SELECT auth.uid()) AND profile_type = 'admin')
$$;


CREATE TABLE public.catalogue (
    only_row           boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    checksum_algorithm text NOT NULL CHECK (checksum_algorithm IN ('blake3', 'md5')),
    created_at         timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE public.catalogue IS 'What is decided once, when the catalogue is created.';

CREATE FUNCTION private.checksum_algorithm() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT checksum_algorithm FROM public.catalogue
$$;

-- Decides the algorithm of a new catalogue; fails if an existing one was decided otherwise.
CREATE FUNCTION private.use_checksum_algorithm(wanted text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    decided text := private.checksum_algorithm();
BEGIN
    IF decided IS NULL THEN
        INSERT INTO public.catalogue (checksum_algorithm) VALUES (wanted) ON CONFLICT DO NOTHING;
        decided := private.checksum_algorithm();
    END IF;
    IF decided <> wanted THEN
        RAISE EXCEPTION 'this catalogue identifies clips by %, the settings ask for %', decided, wanted
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('set checksum_algorithm to %s, or use another home for a new catalogue', decided);
    END IF;
END
$$;


CREATE TABLE public.clips (
    id                    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id               uuid NOT NULL DEFAULT auth.uid() REFERENCES auth.users (id) ON DELETE CASCADE,
    file_path             text NOT NULL,
    local_path            text NOT NULL,
    file_name             text NOT NULL,
    file_checksum         text NOT NULL CHECK (file_checksum ~ '^([0-9a-f]{32}|[0-9a-f]{64})$'),
    checksum_algorithm    text NOT NULL DEFAULT private.checksum_algorithm(),
    file_size_bytes       bigint NOT NULL CHECK (file_size_bytes >= 0),
    container             text,
    codec                 text,
    duration_seconds      numeric CHECK (duration_seconds >= 0),
    width                 integer CHECK (width > 0),
    height                integer CHECK (height > 0),
    display_width         integer CHECK (display_width > 0),
    display_height        integer CHECK (display_height > 0),
    rotation              integer,
    frame_rate            numeric CHECK (frame_rate > 0),
    is_vfr                boolean,
    bitrate               bigint CHECK (bitrate >= 0),
    start_timecode        text,
    has_audio             boolean,
    camera_make           text,
    camera_model          text,
    technical_metadata    jsonb,
    camera_details        jsonb,
    audio_tracks          jsonb,
    subtitle_tracks       jsonb,
    thumbnails            text[],
    content_category      text,
    content_summary       text,
    content_tags          text[],
    full_transcript       text,
    transcript_preview    text,
    transcript_word_count integer NOT NULL DEFAULT 0 CHECK (transcript_word_count >= 0),
    scene_count           integer NOT NULL DEFAULT 0 CHECK (scene_count >= 0),
    processing_status     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(processing_status) = 'object'),
    processing_progress   integer NOT NULL DEFAULT 0 CHECK (processing_progress BETWEEN 0 AND 100),
    -- The steps that the preset of its latest ingest asks for; what the progress below counts.
    planned_steps         text[] NOT NULL DEFAULT '{}',
    total_steps           integer NOT NULL DEFAULT 0 CHECK (total_steps >= 0),
    current_step          text,
    last_step_completed   text,
    ai_processing_status  text,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now(),
    processed_at          timestamptz,
    searchable_content    text GENERATED ALWAYS AS (
        file_name || ' ' || coalesce(content_summary, '') || ' ' || coalesce(transcript_preview, '') || ' '
        || coalesce(private.words(content_tags), '') || ' ' || coalesce(content_category, '')
    ) STORED,
    -- File names are labels: their parts are indexed as written, only prose is stemmed.
    fts                   tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', translate(file_name, '._-', '   ')), 'A')
        || setweight(to_tsvector('english', coalesce(private.words(content_tags), '')), 'A')
        || setweight(to_tsvector('english', coalesce(content_summary, '')
                                            || ' ' || coalesce(content_category, '')), 'B')
        || setweight(to_tsvector('english', coalesce(transcript_preview, '')), 'C')
    ) STORED,
    CHECK (length(file_checksum) = CASE checksum_algorithm WHEN 'md5' THEN 32 ELSE 64 END),
    -- An owner has a content once; also the index under every policy and the cascade from auth.users.
    UNIQUE (user_id, file_checksum),
    -- What children refer to, so that none can hang on a clip of somebody else.
    UNIQUE (id, user_id)
);
COMMENT ON TABLE public.clips IS 'One row per owner and content; all but identity is projected from results.';

CREATE TRIGGER clips_touch BEFORE UPDATE ON public.clips
FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

-- A new result is projected to everybody who has the content.
CREATE INDEX clips_file_checksum ON public.clips (file_checksum);
-- An owner's list, newest first.
CREATE INDEX clips_newest ON public.clips (user_id, created_at DESC);
-- active_processing: what changed lately.
CREATE INDEX clips_changed ON public.clips (user_id, updated_at DESC);
-- active_processing: what is unfinished, however old.
CREATE INDEX clips_unfinished ON public.clips (user_id) WHERE processing_progress < 100;
-- Text search.
CREATE INDEX clips_fts ON public.clips USING gin (fts);


CREATE TABLE public.clip_locations (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    clip_id       uuid NOT NULL,
    user_id       uuid NOT NULL DEFAULT auth.uid(),
    host          text NOT NULL,
    volume        text,
    inode         numeric(20, 0) CHECK (inode >= 0),
    path_bytes    bytea NOT NULL,
    path          text NOT NULL,
    size_bytes    bigint NOT NULL CHECK (size_bytes >= 0),
    mtime_ns      bigint NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    seen_at       timestamptz NOT NULL DEFAULT now(),
    missing_at    timestamptz,
    -- A place holds one file; also the index under the policies.
    UNIQUE (user_id, host, path_bytes),
    FOREIGN KEY (clip_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.clip_locations IS 'Where copies of a clip lie: path_bytes is exact, path is for reading.';
COMMENT ON COLUMN public.clip_locations.inode IS 'Unsigned 64 bit on some file systems, which bigint cannot hold.';

-- The places of one clip, and the cascade from it.
CREATE INDEX clip_locations_clip ON public.clip_locations (clip_id, user_id);
-- Is this file known under another name (renamed, moved within its volume)?
CREATE INDEX clip_locations_inode ON public.clip_locations (user_id, host, inode);


CREATE TABLE public.unreadable_files (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    uuid NOT NULL DEFAULT auth.uid() REFERENCES auth.users (id) ON DELETE CASCADE,
    host       text NOT NULL,
    path_bytes bytea NOT NULL,
    path       text NOT NULL,
    size_bytes bigint CHECK (size_bytes >= 0),
    mtime_ns   bigint,
    reason     text NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT now(),
    -- One answer per place; also the index under the policies and the cascade from auth.users.
    UNIQUE (user_id, host, path_bytes)
);
COMMENT ON TABLE public.unreadable_files IS 'Files that could not become clips, and why.';


CREATE TABLE public.results (
    file_checksum        text NOT NULL CHECK (file_checksum ~ '^([0-9a-f]{32}|[0-9a-f]{64})$'),
    asset                text NOT NULL,
    status               text NOT NULL CHECK (status IN ('done', 'failed')),
    code_version         text NOT NULL,
    settings_fingerprint text NOT NULL DEFAULT '',
    input_fingerprint    text NOT NULL DEFAULT '',
    result               jsonb,
    result_digest        text,
    problems             jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(problems) = 'object'),
    error_class          text,
    error                text,
    fault                text CHECK (fault IN ('file', 'ours', 'network', 'refused', 'unreachable')),
    attempts             integer NOT NULL DEFAULT 1 CHECK (attempts > 0),
    seconds              double precision CHECK (seconds >= 0),
    cpu_seconds          double precision CHECK (cpu_seconds >= 0),
    cost_usd             numeric CHECK (cost_usd >= 0),
    run_id               text,
    reported             boolean NOT NULL DEFAULT false,
    measured_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (file_checksum, asset),
    CHECK ((status = 'done') = (result IS NOT NULL))
);
COMMENT ON TABLE public.results IS
    'The ledger: what each asset found in each content. Facts of the content alone, never of an owner or a place.';

COMMENT ON COLUMN public.results.problems IS 'What each check found wrong with the result: check -> one sentence.';
COMMENT ON COLUMN public.results.reported IS 'Whether Dagster was told; false after a crash between the two.';

-- What failed, for the closing table and for trying again.
CREATE INDEX results_failed ON public.results (asset) WHERE status = 'failed';
-- What Dagster is still to be told of: nearly always nothing.
CREATE INDEX results_unreported ON public.results (measured_at) WHERE NOT reported AND status = 'done';
-- The few results in which a check found something.
CREATE INDEX results_problems ON public.results (asset) WHERE problems <> '{}';


CREATE TABLE public.artifacts (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    video_id      uuid NOT NULL,
    user_id       uuid NOT NULL DEFAULT auth.uid(),
    step_name     text NOT NULL,
    artifact_type text NOT NULL,
    -- Relative to the artifact store: an absolute path or a climb out of it could name any file of the machine.
    file_path     text NOT NULL CHECK (file_path !~ '(^[/\\~]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$))'),
    size_bytes    bigint CHECK (size_bytes >= 0),
    blake3        text CHECK (blake3 ~ '^[0-9a-f]{64}$'),
    created_at    timestamptz NOT NULL DEFAULT now(),
    -- A rerun replaces.
    UNIQUE (video_id, artifact_type),
    FOREIGN KEY (video_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.artifacts IS 'Files made from a clip, named relative to the artifact store.';

-- The files of one clip, and the cascade from it.
CREATE INDEX artifacts_clip ON public.artifacts (video_id, user_id);
-- The policies.
CREATE INDEX artifacts_owner ON public.artifacts (user_id);


CREATE TABLE public.processing_events (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    video_id    uuid NOT NULL,
    user_id     uuid NOT NULL DEFAULT auth.uid(),
    step_name   text NOT NULL,
    step_index  integer,
    status      text NOT NULL,
    error       text,
    "timestamp" timestamptz NOT NULL DEFAULT now(),
    metadata    jsonb NOT NULL DEFAULT '{}',
    FOREIGN KEY (video_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.processing_events IS 'What happened to a clip, step by step.';

-- One clip's history in order, and the cascade from it.
CREATE INDEX processing_events_clip ON public.processing_events (video_id, user_id, "timestamp");
-- An owner's latest events (monitor), and the policies.
CREATE INDEX processing_events_owner ON public.processing_events (user_id, "timestamp" DESC);
-- Retention deletes by age.
CREATE INDEX processing_events_age ON public.processing_events ("timestamp");


CREATE VIEW public.active_processing WITH (security_invoker = true) AS
SELECT id,
       file_name,
       user_id,
       processing_progress,
       current_step,
       created_at,
       updated_at,
       extract(epoch FROM now() - updated_at)::double precision AS seconds_since_update,
       processing_status,
       CASE
           WHEN jsonb_path_exists(processing_status, '$.*.status ? (@ == "failed")') THEN 'error'
           WHEN processing_progress = 100 THEN 'completed'
           WHEN updated_at < now() - interval '300 seconds' THEN 'stalled'
           ELSE 'processing'
       END AS status
  FROM public.clips
 WHERE processing_progress < 100 OR updated_at > now() - interval '1 hour'
 ORDER BY updated_at DESC, id;
COMMENT ON VIEW public.active_processing IS 'Clips in work or changed within the hour, newest first.';

-- The caller's part of the ledger. A row is never older than the caller's clip:
-- that it was measured earlier would say that somebody else has the same content.
CREATE FUNCTION public.clip_steps()
RETURNS TABLE (clip_id uuid, file_checksum text, asset text, status text, error_class text, error text,
               fault text, attempts integer, seconds double precision, code_version text,
               measured_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.id, r.file_checksum, r.asset, r.status, r.error_class, r.error,
           r.fault, r.attempts, r.seconds, r.code_version,
           greatest(r.measured_at, c.created_at)
      FROM public.clips AS c
      JOIN public.results AS r USING (file_checksum)
     WHERE c.user_id = (SELECT auth.uid())
$$;
COMMENT ON FUNCTION public.clip_steps() IS 'What each step found, or why it failed, for the caller''s own clips.';


-- Rights: an older project grants everything to everybody by default, a newer one nothing to anybody.
REVOKE ALL ON public.user_profiles, public.catalogue, public.clips, public.clip_locations,
              public.unreadable_files, public.results, public.artifacts, public.processing_events,
              public.active_processing
  FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON FUNCTION public.clip_steps(), private.touch_updated_at(), private.words(text[]),
                       private.display_name(jsonb, text), private.handle_new_user(), private.is_admin(),
                       private.checksum_algorithm(), private.use_checksum_algorithm(text)
  FROM PUBLIC, anon, authenticated, service_role;

GRANT SELECT, INSERT, UPDATE, DELETE
   ON public.user_profiles, public.catalogue, public.clips, public.clip_locations,
      public.unreadable_files, public.results, public.artifacts, public.processing_events
   TO service_role;
GRANT SELECT ON public.active_processing TO service_role;
GRANT EXECUTE ON FUNCTION private.words(text[]), private.checksum_algorithm(),
                          private.use_checksum_algorithm(text), private.is_admin()
   TO service_role;

-- Owners read what is theirs, change their name and the words about their clips, and delete. Workers write the rest.
GRANT SELECT ON public.user_profiles, public.clips, public.clip_locations, public.unreadable_files,
                public.artifacts, public.processing_events, public.active_processing
   TO authenticated;
GRANT UPDATE (display_name) ON public.user_profiles TO authenticated;
GRANT UPDATE (content_category, content_summary, content_tags) ON public.clips TO authenticated;
GRANT DELETE ON public.clips, public.unreadable_files TO authenticated;
GRANT EXECUTE ON FUNCTION public.clip_steps(), private.is_admin(), private.words(text[]) TO authenticated;

ALTER TABLE public.user_profiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.catalogue ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.clips ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.clip_locations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.unreadable_files ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.results ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.artifacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.processing_events ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Owners see their profile" ON public.user_profiles
FOR SELECT TO authenticated USING (id = (SELECT auth.uid()));
CREATE POLICY "Owners change their profile" ON public.user_profiles
FOR UPDATE TO authenticated USING (id = (SELECT auth.uid())) WITH CHECK (id = (SELECT auth.uid()));

CREATE POLICY "Owners see their clips" ON public.clips
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners change their clips" ON public.clips
FOR UPDATE TO authenticated USING (user_id = (SELECT auth.uid())) WITH CHECK (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners delete their clips" ON public.clips
FOR DELETE TO authenticated USING (user_id = (SELECT auth.uid()));

CREATE POLICY "Owners see their places" ON public.clip_locations
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));

CREATE POLICY "Owners see their unreadable files" ON public.unreadable_files
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners dismiss their unreadable files" ON public.unreadable_files
FOR DELETE TO authenticated USING (user_id = (SELECT auth.uid()));

CREATE POLICY "Owners see their artifacts" ON public.artifacts
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));

CREATE POLICY "Owners see their events" ON public.processing_events
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));

-- No grant and no row: the ledger answers through clip_steps alone.
CREATE POLICY "Nobody reads the ledger" ON public.results FOR SELECT TO authenticated USING (false);
CREATE POLICY "Nobody reads the decisions" ON public.catalogue FOR SELECT TO authenticated USING (false);
