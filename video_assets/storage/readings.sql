-- What the queries of owners give, for people who have a token and no password. Written by
-- video_assets/storage/readings.py from the files of the queries: change those, and write a new file.

DROP SCHEMA IF EXISTS readings CASCADE;
CREATE SCHEMA readings;
REVOKE ALL ON SCHEMA readings FROM PUBLIC, anon, authenticated, service_role;
GRANT USAGE ON SCHEMA readings TO authenticated;

-- Answers questions, such as [{"query": "browse_clip", "parameters": {"clip_id": "…"}}], in one transaction and with the
-- rights of whoever asks. A parameter is its text as Postgres reads it, or null; so is a cell of the answer. Nothing but the
-- functions of one schema can be called, and what is called is spelt by the catalog and never by whoever asks. The questions
-- are a text, since what stands between makes JSON of JSON in more than one way.
CREATE OR REPLACE FUNCTION public.ask(questions text) RETURNS json
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres' SET bytea_output = 'hex'
SET extra_float_digits = 1
AS $function$
DECLARE
    question jsonb;
    known    record;
    answer   json;
    answers  json[] := '{}';
BEGIN
    FOR question IN
        SELECT q.question FROM jsonb_array_elements(questions::jsonb) WITH ORDINALITY AS q (question, place) ORDER BY q.place
    LOOP
        SELECT p.proname, n.names, n.arguments
          INTO known
          FROM pg_proc AS p
         CROSS JOIN LATERAL (
               SELECT coalesce(array_agg(a.name ORDER BY a.name), '{}') AS names,
                      string_agg(format('($1 ->> %L)::%s', a.name, format_type(a.type, NULL)), ', ' ORDER BY a.place)
                          AS arguments
                 FROM unnest(p.proargnames, p.proargtypes::oid[]) WITH ORDINALITY AS a (name, type, place)) AS n
         WHERE p.pronamespace = 'readings'::regnamespace AND p.proname::text = question ->> 'query';
        IF known IS NULL OR known.names <> ARRAY(
            SELECT k.key FROM jsonb_object_keys(question -> 'parameters') AS k (key) ORDER BY k.key)
        THEN
            RAISE EXCEPTION USING ERRCODE = 'undefined_function',
                MESSAGE = 'this catalogue has no query of that name with those parameters';
        END IF;
        EXECUTE format('SELECT readings.%I(%s)', known.proname, known.arguments)
           INTO answer
          USING question -> 'parameters';
        answers := answers || answer;
    END LOOP;
    RETURN array_to_json(answers);
END
$function$;

-- What is told to owners of tables that nobody may read, because they are of contents and not of owners. As in clip_results,
-- nothing is older than the caller's clip: that would say that somebody else has the same content.

CREATE OR REPLACE FUNCTION private.own_cells(_plan jsonb, _checksums text[], _states text[])
RETURNS TABLE (file_checksum text, asset text, state text, fault text, error_class text, error text, attempts integer,
               age_s double precision, is_running boolean, made_code text, is_set_otherwise boolean, made_inputs text,
               inputs text, waits_for text[], postponed text, wait_s double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
#variable_conflict use_column
DECLARE
    _own text[] := ARRAY(
        SELECT c.file_checksum
          FROM public.clips AS c
         WHERE c.user_id = (SELECT auth.uid()) AND (_checksums IS NULL OR c.file_checksum = ANY (_checksums)));
BEGIN
    RETURN QUERY
    SELECT q.file_checksum, q.asset, q.state, q.fault, q.error_class, q.error, q.attempts,
           least(q.age_s, extract(epoch FROM now() - c.created_at)::float8), q.is_running, q.made_code,
           q.is_set_otherwise, q.made_inputs, q.inputs, q.waits_for, q.postponed, q.wait_s
      FROM (
SELECT *, row_number() OVER () AS place FROM (
-- CELLS
) AS cells
           ) AS q
      JOIN public.clips AS c ON c.file_checksum = q.file_checksum AND c.user_id = (SELECT auth.uid())
     ORDER BY c.created_at, q.file_checksum, q.place;
END
$function$;
COMMENT ON FUNCTION private.own_cells(jsonb, text[], text[]) IS 'How a plan stands for clips of the caller''s own.';

CREATE OR REPLACE FUNCTION private.own_waits(_checksums text[])
RETURNS TABLE (asset text, reason text, clips bigint, until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
    SELECT p.asset, p.reason, count(*), nullif(max(p.until), 'infinity')
      FROM private.postponed_cells AS p
      JOIN public.clips AS c ON c.file_checksum = p.file_checksum
     WHERE c.user_id = (SELECT auth.uid()) AND p.until > now()
       AND (_checksums IS NULL OR p.file_checksum = ANY (_checksums))
     GROUP BY p.asset, p.reason
$function$;
COMMENT ON FUNCTION private.own_waits(text[]) IS 'Why cells of the caller''s own clips are left for later.';

CREATE OR REPLACE FUNCTION private.own_spending(OUT today_usd numeric, OUT month_usd numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
    SELECT (SELECT coalesce(sum(coalesce(a.cost_usd, a.reserved_usd)), 0)
              FROM public.ai_calls AS a
             WHERE a.user_id = (SELECT auth.uid()) AND a.sent_at >= date_trunc('day', now(), 'UTC')),
           coalesce((SELECT t.usd
                       FROM private.ai_totals AS t
                      WHERE t.scope = 'owner ' || (SELECT auth.uid())
                                      || to_char(now() AT TIME ZONE 'UTC', ' YYYY-MM')), 0)
$function$;
COMMENT ON FUNCTION private.own_spending() IS
    'What the caller spent since midnight UTC and in this month, with what is reserved for them.';

CREATE OR REPLACE FUNCTION private.own_pauses()
RETURNS TABLE (provider text, asset text, reason text, until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
    SELECT p.provider, p.asset, p.reason, p.until
      FROM private.ai_pauses AS p
     WHERE p.until > now()
       AND EXISTS (SELECT FROM public.clips AS c
                    WHERE c.user_id = (SELECT auth.uid()) AND p.asset = ANY (c.planned_steps))
$function$;
COMMENT ON FUNCTION private.own_pauses() IS 'Services that nobody asks for now, of those that the caller''s clips need.';

-- What owners do beyond their own rows: contents and reports are marked, for whoever cleans up.

CREATE OR REPLACE FUNCTION private.forget_own_clip(_clip uuid, _names text[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    _checksum text;
BEGIN
    SELECT c.file_checksum INTO _checksum
      FROM public.clips AS c WHERE c.id = _clip AND c.user_id = (SELECT auth.uid()) FOR UPDATE;
    IF _checksum IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO public.forgotten (user_id, identity, file_checksum)
    SELECT DISTINCT auth.uid(), f.identity, _checksum FROM unnest(_checksum || _names) AS f (identity)
    ON CONFLICT (user_id, identity) DO UPDATE SET file_checksum = excluded.file_checksum;
    INSERT INTO public.deletions (kind, target, marked_by)
    SELECT 'run reports', t.run_id, 'forget' FROM public.run_clips AS t WHERE t.clip_id = _clip
    ON CONFLICT (kind, target) WHERE removed_at IS NULL DO NOTHING;
    DELETE FROM public.clips AS c WHERE c.id = _clip;
    INSERT INTO public.deletions (kind, target, items, marked_by)
    VALUES ('forgotten', left(_checksum, 2) || '/' || _checksum, 0, 'forget')
    ON CONFLICT (kind, target) WHERE removed_at IS NULL DO NOTHING;
    INSERT INTO public.deletions (kind, target, items, size_bytes, marked_by, removed_at, removed_by)
    VALUES ('clip', _clip::text, 1, 0, 'forget', now(), 'forget');
    RETURN true;
END
$function$;
COMMENT ON FUNCTION private.forget_own_clip(uuid, text[]) IS
    'Removes a clip of the caller''s own, and remembers by its checksum and by names of its files that it stays away.';

-- FUNCTIONS

REVOKE ALL ON FUNCTION public.ask(text), private.own_cells(jsonb, text[], text[]), private.own_waits(text[]),
                       private.own_spending(), private.own_pauses(), private.forget_own_clip(uuid, text[])
  FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA readings FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION public.ask(text), private.own_cells(jsonb, text[], text[]), private.own_waits(text[]),
                          private.own_spending(), private.own_pauses(), private.forget_own_clip(uuid, text[])
   TO authenticated;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA readings TO authenticated;
