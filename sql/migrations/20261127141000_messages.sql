-- Who was told of failures, and until when: so that nobody is told twice, nor more often than wanted.

CREATE TABLE private.messages (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sent_at      timestamptz NOT NULL DEFAULT now(),
    -- It tells of what failed before this.
    covers_until timestamptz NOT NULL,
    is_delivered boolean NOT NULL
);
COMMENT ON TABLE private.messages IS 'Messages about failures; one that nobody took is sent again with the next.';

-- Failures since the last message.
CREATE INDEX results_failed_since ON public.results (measured_at) WHERE status = 'failed';

-- The caller's own failed steps, without reading what was made.
CREATE FUNCTION public.failed_steps()
RETURNS TABLE (clip_id uuid, asset text, fault text, error_class text, error text, attempts integer,
               measured_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.id, r.asset, r.fault, r.error_class, r.error, r.attempts, greatest(r.measured_at, c.created_at)
      FROM public.results AS r
      JOIN public.clips AS c USING (file_checksum)
     WHERE r.status = 'failed' AND c.user_id = (SELECT auth.uid())
$$;
COMMENT ON FUNCTION public.failed_steps() IS 'The steps that failed in the caller''s own clips, and why.';

REVOKE ALL ON private.messages FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON FUNCTION public.failed_steps() FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT, INSERT ON private.messages TO service_role;
GRANT EXECUTE ON FUNCTION public.failed_steps() TO authenticated;

ALTER TABLE private.messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Nobody sees the messages" ON private.messages FOR SELECT TO authenticated USING (false);
