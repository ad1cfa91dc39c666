-- Watching the work: a history in which every attempt has its own end, and that never gets in its way.

-- Rows for every owner of some clips. Whoever begins a step holds the claim on it: so an attempt that is still open
-- then is one whose process ended before it did, and this is noted as its end.
-- Whatever keeps the rows from being written, a lock or a full disk, the transaction of the work goes on.
CREATE FUNCTION private.note_events(checksums text[], step text, what text, why text, facts jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    INSERT INTO public.processing_events (video_id, user_id, step_name, step_index, status, error, "timestamp", metadata)
    SELECT c.id, c.user_id, step, last.step_index, 'error', 'its process ended before the step did', now(),
           jsonb_build_object('run', last.metadata -> 'run', 'error_class', 'Interrupted', 'fault', 'unreachable')
      FROM public.clips AS c
     CROSS JOIN LATERAL (
           SELECT e.status, e.step_index, e.metadata
             FROM public.processing_events AS e
            WHERE e.video_id = c.id AND e.user_id = c.user_id AND e.step_name = step
            ORDER BY e."timestamp" DESC
            LIMIT 1) AS last
     WHERE what = 'starting' AND c.file_checksum = ANY (checksums) AND last.status = 'starting';

    -- A moment later than the line above, by which alone the two could not be put in order.
    INSERT INTO public.processing_events (video_id, user_id, step_name, step_index, status, error, "timestamp", metadata)
    SELECT c.id, c.user_id, step, array_position(c.planned_steps, step), what, why, clock_timestamp(), facts
      FROM public.clips AS c
     WHERE c.file_checksum = ANY (checksums);
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'the events of % were not noted: %', step, SQLERRM;
END
$$;
COMMENT ON FUNCTION private.note_events(text[], text, text, text, jsonb) IS
    'Notes what happened to clips in one step; step_index counts the planned steps from 1.';

REVOKE ALL ON FUNCTION private.note_events(text[], text, text, text, jsonb)
  FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION private.note_events(text[], text, text, text, jsonb) TO service_role;
