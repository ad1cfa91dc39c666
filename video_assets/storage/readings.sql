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

-- FUNCTIONS

REVOKE ALL ON FUNCTION public.ask(text) FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA readings FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION public.ask(text) TO authenticated;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA readings TO authenticated;
