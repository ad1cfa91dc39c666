-- What is removed: what was marked for it, what went and when, what an owner wants to see no more, and clips
-- whose files are gone.

CREATE TABLE public.deletions (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind       text NOT NULL,
    target     text NOT NULL,
    items      integer NOT NULL DEFAULT 1 CHECK (items >= 0),
    size_bytes bigint NOT NULL DEFAULT 0 CHECK (size_bytes >= 0),
    mtime_ns   bigint,
    marked_at  timestamptz NOT NULL DEFAULT now(),
    marked_by  text NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz,
    removed_by text,
    CHECK ((removed_at IS NULL) = (removed_by IS NULL))
);
COMMENT ON TABLE public.deletions IS
    'What is to be removed once it has been unneeded for long enough, and the record of what was: ids and counts.';
COMMENT ON COLUMN public.deletions.target IS
    'A file by its name in the artifact store, a clip or an owner by its id, or nothing where only a count is kept.';
COMMENT ON COLUMN public.deletions.mtime_ns IS 'Of the file when it was marked: one that was written since waits anew.';
COMMENT ON COLUMN public.deletions.seen_at IS 'When it was last found to be unneeded.';

-- A thing is marked once.
CREATE UNIQUE INDEX deletions_open ON public.deletions (kind, target) WHERE removed_at IS NULL;


-- An identity is a checksum, or a digest of what the file system says of a file: no name is kept.
CREATE TABLE public.forgotten (
    user_id       uuid NOT NULL DEFAULT auth.uid() REFERENCES auth.users (id) ON DELETE CASCADE,
    identity      text NOT NULL,
    file_checksum text NOT NULL CHECK (file_checksum ~ '^([0-9a-f]{32}|[0-9a-f]{64})$'),
    forgotten_at  timestamptz NOT NULL DEFAULT now(),
    -- Is this one forgotten? Also the index under the policy and the cascade from auth.users.
    PRIMARY KEY (user_id, identity)
);
COMMENT ON TABLE public.forgotten IS 'What no watched folder brings back for its owner; an explicit ingest does.';

-- Everything by which one content would be recognised.
CREATE INDEX forgotten_checksum ON public.forgotten (user_id, file_checksum);


ALTER TABLE public.clips ADD COLUMN missing_since timestamptz;
COMMENT ON COLUMN public.clips.missing_since IS
    'Since when no place holds it; set after a grace period, and void as soon as a place does again.';

-- The few clips whose files are gone.
CREATE INDEX clips_missing ON public.clips (user_id) WHERE missing_since IS NOT NULL;

CREATE OR REPLACE VIEW public.clip_states WITH (security_invoker = true) AS
SELECT c.id AS clip_id,
       c.user_id,
       f.failed_steps,
       CASE WHEN c.missing_since IS NOT NULL
             AND NOT EXISTS (SELECT FROM public.clip_locations AS l
                              WHERE l.clip_id = c.id AND l.user_id = c.user_id
                                AND l.missing_at IS NULL) THEN 'missing'
            WHEN c.processing_progress = 100 THEN 'complete'
            WHEN cardinality(f.failed_steps) > 0 THEN 'failed'
            WHEN c.processing_status - 'checksum' <> '{}' THEN 'processing'
            WHEN EXISTS (SELECT FROM public.processing_events AS e
                          WHERE e.video_id = c.id AND e.user_id = c.user_id) THEN 'processing'
            ELSE 'waiting'
       END AS state
  FROM public.clips AS c
 CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(s.key ORDER BY s.key), '{}') AS failed_steps
         FROM jsonb_each(c.processing_status) AS s
        WHERE s.value ->> 'status' = 'failed'
          AND (s.key = ANY (c.planned_steps) OR cardinality(c.planned_steps) = 0)) AS f;
COMMENT ON VIEW public.clip_states IS
    'How each clip stands: missing (its files are gone), complete, failed (a planned step has), processing (begun) or '
    'waiting (registered only).';


-- Everything that hangs on an account goes with it. The one owner of an embedded catalogue stays, with nothing.
CREATE FUNCTION private.erase_owner(owner uuid, stays boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    account auth.users;
BEGIN
    SELECT * INTO account FROM auth.users WHERE id = owner FOR UPDATE;
    DELETE FROM auth.users WHERE id = owner;
    IF stays AND account.id IS NOT NULL THEN
        INSERT INTO auth.users SELECT account.*;
    END IF;
END
$$;

-- The owner whom a word names: their id, or their address.
CREATE FUNCTION private.find_owner(word text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT id FROM auth.users WHERE id::text = lower(word) OR lower(email) = lower(word)
$$;


REVOKE ALL ON public.deletions, public.forgotten FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON FUNCTION private.erase_owner(uuid, boolean), private.find_owner(text)
  FROM PUBLIC, anon, authenticated, service_role;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.deletions, public.forgotten TO service_role;
GRANT SELECT ON public.forgotten TO authenticated;
GRANT EXECUTE ON FUNCTION private.erase_owner(uuid, boolean), private.find_owner(text) TO service_role;

ALTER TABLE public.deletions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.forgotten ENABLE ROW LEVEL SECURITY;

-- No grant and no row: it tells of contents, whoever had them.
CREATE POLICY "Nobody reads the deletions" ON public.deletions FOR SELECT TO authenticated USING (false);
CREATE POLICY "Owners see what they forgot" ON public.forgotten
FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
