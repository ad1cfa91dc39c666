-- Output runs: what one ingest, backfill or watched folder took in, and when. How it went is never counted here,
-- it is read from the ledger.

CREATE TABLE public.runs (
    -- Also the name of its folder.
    run_id          text PRIMARY KEY CHECK (run_id ~ '^[^/\\[:cntrl:].][^/\\[:cntrl:]]{0,99}$'),
    user_id         uuid NOT NULL DEFAULT auth.uid() REFERENCES auth.users (id) ON DELETE CASCADE,
    name            text,
    kind            text NOT NULL CHECK (kind IN ('ingest', 'quick-process', 'backfill', 'watch')),
    preset          text NOT NULL,
    preset_document jsonb NOT NULL CHECK (jsonb_typeof(preset_document) = 'object'),
    roots           text[] NOT NULL DEFAULT '{}',
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'completed', 'failed', 'stopped')),
    note            text,
    host            text NOT NULL,
    process         text,
    started_at      timestamptz NOT NULL DEFAULT now(),
    ended_at        timestamptz,
    CHECK ((status = 'active') = (ended_at IS NULL)),
    CHECK (ended_at >= started_at),
    -- What children refer to, so that none can hang on a run of somebody else.
    UNIQUE (run_id, user_id)
);
COMMENT ON TABLE public.runs IS 'Each ingest, backfill or registration of a watched folder, with the preset it used.';
COMMENT ON COLUMN public.runs.preset_document IS 'The preset as it was, without secrets.';
COMMENT ON COLUMN public.runs.process IS 'Number and start of the process that works on it; null where the daemon does.';
COMMENT ON COLUMN public.runs.note IS 'Why it failed or was stopped.';

-- An owner's runs, newest first; the policies, and the cascade from auth.users.
CREATE INDEX runs_newest ON public.runs (user_id, started_at DESC);
-- Which runs may have been killed or have come to their end? Nearly always none.
CREATE INDEX runs_active ON public.runs (user_id) WHERE status = 'active';


CREATE TABLE public.run_clips (
    run_id   text NOT NULL,
    clip_id  uuid NOT NULL,
    user_id  uuid NOT NULL DEFAULT auth.uid(),
    taken_as text NOT NULL CHECK (taken_as IN ('new', 'known', 'moved', 'duplicate')),
    PRIMARY KEY (run_id, clip_id),
    FOREIGN KEY (run_id, user_id) REFERENCES public.runs (run_id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (clip_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.run_clips IS 'The clips of a run, and what each was to the catalogue when it was taken in.';

-- The cascade from a run.
CREATE INDEX run_clips_run ON public.run_clips (run_id, user_id);
-- The cascade from a clip.
CREATE INDEX run_clips_clip ON public.run_clips (clip_id, user_id);
-- The policies.
CREATE INDEX run_clips_owner ON public.run_clips (user_id);


CREATE TABLE public.run_unreadable_files (
    id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    run_id  text NOT NULL,
    user_id uuid NOT NULL DEFAULT auth.uid(),
    path    text NOT NULL,
    reason  text NOT NULL,
    FOREIGN KEY (run_id, user_id) REFERENCES public.runs (run_id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.run_unreadable_files IS 'Files that a run found and that could not become clips, and why.';

-- The files of a run, and the cascade from it.
CREATE INDEX run_unreadable_files_run ON public.run_unreadable_files (run_id, user_id);
-- The policies.
CREATE INDEX run_unreadable_files_owner ON public.run_unreadable_files (user_id);


-- What the ledger says of the clips of a run of the caller's; is_of_run tells what was made while it lasted.
-- As in clip_steps, nothing is older than the clip: that would say that somebody else has the same content.
CREATE FUNCTION public.run_steps(run text)
RETURNS TABLE (clip_id uuid, asset text, status text, error_class text, error text, fault text, attempts integer,
               seconds double precision, cost_usd numeric, measured_at timestamptz, is_of_run boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.id, r.asset, r.status, r.error_class, r.error, r.fault, r.attempts, r.seconds, r.cost_usd,
           m.measured_at,
           m.measured_at BETWEEN u.started_at AND coalesce(u.ended_at, 'infinity')
      FROM public.runs AS u
      JOIN public.run_clips AS t ON t.run_id = u.run_id AND t.user_id = u.user_id
      JOIN public.clips AS c ON c.id = t.clip_id AND c.user_id = t.user_id
      JOIN public.results AS r ON r.file_checksum = c.file_checksum
     CROSS JOIN LATERAL (SELECT greatest(r.measured_at, c.created_at)) AS m (measured_at)
     WHERE u.run_id = run AND u.user_id = (SELECT auth.uid())
$$;
COMMENT ON FUNCTION public.run_steps(text) IS 'What each step found, or why it failed, for the clips of a run of the caller''s own.';

-- The documents of some clips of the caller's.
CREATE FUNCTION public.clip_documents(clip_ids uuid[])
RETURNS TABLE (clip_id uuid, content jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.id, r.result -> 'content'
      FROM public.clips AS c
      JOIN public.results AS r ON r.file_checksum = c.file_checksum
     WHERE c.id = ANY (clip_ids) AND c.user_id = (SELECT auth.uid())
       AND r.asset = 'video_document' AND r.status = 'done'
$$;
COMMENT ON FUNCTION public.clip_documents(uuid[]) IS 'What the documents of clips of the caller''s own say.';


-- Rights: as of all tables. Owners read what is theirs, workers write it.
REVOKE ALL ON public.runs, public.run_clips, public.run_unreadable_files
  FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON FUNCTION public.run_steps(text), public.clip_documents(uuid[])
  FROM PUBLIC, anon, authenticated, service_role;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.runs, public.run_clips, public.run_unreadable_files TO service_role;
GRANT SELECT ON public.runs, public.run_clips, public.run_unreadable_files TO authenticated;
GRANT EXECUTE ON FUNCTION public.run_steps(text), public.clip_documents(uuid[]) TO authenticated;

ALTER TABLE public.runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.run_clips ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.run_unreadable_files ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Owners see their runs" ON public.runs
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners see the clips of their runs" ON public.run_clips
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners see the unreadable files of their runs" ON public.run_unreadable_files
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
