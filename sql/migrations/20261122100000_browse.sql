-- What an owner is shown of their clips beyond the tables: what runs, how each clip stands, what was found.

-- A run holds an advisory lock on each cell it took up (`claim` in storage/ledger.sql), which ends with its process
-- however that ends: so a step that began and was killed is not shown as running for ever.
CREATE VIEW public.running_steps WITH (security_invoker = true) AS
WITH held AS MATERIALIZED (
    SELECT (classid::bigint << 32) | objid::bigint AS key
      FROM pg_catalog.pg_locks
     WHERE locktype = 'advisory' AND objsubid = 1 AND granted
       AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
)
SELECT c.id AS clip_id, c.user_id, p.step, e.started_at
  FROM public.clips AS c
 CROSS JOIN unnest(c.planned_steps) AS p (step)
  JOIN held AS h ON h.key = hashtextextended(p.step || ' ' || c.file_checksum, 0)
 CROSS JOIN LATERAL (
       SELECT status, "timestamp" AS started_at
         FROM public.processing_events
        WHERE video_id = c.id AND user_id = c.user_id AND step_name = p.step
        ORDER BY "timestamp" DESC
        LIMIT 1) AS e
 WHERE e.status = 'starting';
COMMENT ON VIEW public.running_steps IS 'Steps that a living run has begun and not ended.';

CREATE VIEW public.clip_states WITH (security_invoker = true) AS
SELECT c.id AS clip_id,
       c.user_id,
       f.failed_steps,
       CASE WHEN c.processing_progress = 100 THEN 'complete'
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
    'How each clip stands: complete, failed (a planned step has), processing (begun) or waiting (registered only).';

-- The ledger's rows of one content, if it is a clip of the caller's, with what was found. As in clip_steps,
-- none is older than the clip: that would say that somebody else has the same content.
CREATE FUNCTION public.clip_results(checksum text)
RETURNS TABLE (asset text, status text, code_version text, error_class text, error text, fault text,
               attempts integer, seconds double precision, measured_at timestamptz, problems jsonb,
               result jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.asset, r.status, r.code_version, r.error_class, r.error, r.fault,
           r.attempts, r.seconds, greatest(r.measured_at, c.created_at), r.problems, r.result
      FROM public.clips AS c
      JOIN public.results AS r USING (file_checksum)
     WHERE c.file_checksum = checksum AND c.user_id = (SELECT auth.uid())
$$;
COMMENT ON FUNCTION public.clip_results(text) IS 'What each step found in one clip of the caller''s own.';


REVOKE ALL ON public.running_steps, public.clip_states FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON FUNCTION public.clip_results(text) FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON public.running_steps, public.clip_states TO authenticated, service_role;
GRANT EXECUTE ON FUNCTION public.clip_results(text) TO authenticated;
