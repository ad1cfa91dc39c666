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
WITH plan AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(_plan) AS p(
           asset text, position int, code_version text, settings_fingerprint text,
           required text[], upstream text[])
), known AS MATERIALIZED (
    SELECT file_checksum, jsonb_object_agg(asset, asset || ':' || result_digest) AS done,
           min(measured_at) FILTER (WHERE asset = 'checksum') AS registered_at
      FROM public.results
     WHERE status = 'done'
       AND (_own::text[] IS NULL OR file_checksum = ANY(_own::text[]))
     GROUP BY file_checksum
), cells AS (
    SELECT k.file_checksum, k.registered_at, k.done, p.position, p.required, r.*, p.asset AS wanted,
           l.reason AS postponed, extract(epoch FROM nullif(l.until, 'infinity') - now())::float8 AS wait_s,
           array_to_string(ARRAY(SELECT k.done ->> u.asset FROM unnest(p.upstream) AS u(asset)), ',')
               AS inputs,
           k.done ?& p.required AS is_ready, r.code_version <> p.code_version AS is_old_code,
           r.settings_fingerprint <> p.settings_fingerprint AND p.settings_fingerprint <> ''
               AS is_set_otherwise
      FROM known AS k
     CROSS JOIN plan AS p
      LEFT JOIN (SELECT file_checksum AS checksum, asset, status, code_version,
                        settings_fingerprint, input_fingerprint, fault, error_class, error,
                        attempts, measured_at
                   FROM public.results
                  WHERE _own::text[] IS NULL OR file_checksum = ANY(_own::text[])) AS r
        ON r.checksum = k.file_checksum AND r.asset = p.asset
      LEFT JOIN private.postponed_cells AS l
        ON l.file_checksum = k.file_checksum AND l.asset = p.asset AND l.until > now()
     WHERE k.registered_at IS NOT NULL
), judged AS (
    SELECT *,
           CASE WHEN status IS NULL AND NOT is_ready THEN 'waiting'
                WHEN postponed IS NOT NULL
                     AND (status IS NULL OR status = 'failed' OR is_old_code OR is_set_otherwise
                          OR (is_ready AND input_fingerprint <> inputs)) THEN 'waiting'
                WHEN status IS NULL THEN 'missing'
                WHEN is_old_code OR is_set_otherwise THEN 'stale'
                WHEN is_ready AND input_fingerprint <> inputs THEN 'stale'
                ELSE status
           END AS state
      FROM cells
), held AS MATERIALIZED (
    SELECT (classid::bigint << 32) | objid::bigint AS key
      FROM pg_locks
     WHERE locktype = 'advisory' AND objsubid = 1 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT file_checksum, wanted AS asset, state, fault, error_class, error, attempts,
       extract(epoch FROM now() - measured_at)::float8 AS age_s,
       state <> 'done'
           AND hashtextextended(wanted || ' ' || file_checksum, 0) IN (SELECT key FROM held)
           AS is_running,
       CASE state WHEN 'stale' THEN code_version END AS made_code,
       state = 'stale' AND is_set_otherwise AS is_set_otherwise,
       CASE WHEN state = 'stale' AND is_ready THEN input_fingerprint END AS made_inputs,
       CASE WHEN state = 'stale' AND is_ready THEN inputs END AS inputs,
       CASE state WHEN 'waiting'
            THEN ARRAY(SELECT n.asset FROM unnest(required) AS n(asset) WHERE NOT done ? n.asset)
            END AS waits_for,
       CASE state WHEN 'waiting' THEN postponed END AS postponed,
       CASE state WHEN 'waiting' THEN wait_s END AS wait_s
  FROM judged
 WHERE _states::text[] IS NULL OR state = ANY(_states::text[])
 ORDER BY registered_at, file_checksum, position
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

CREATE FUNCTION readings.analyses_analyses("checksums" text[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT a.clip_id, c.file_name, c.file_checksum, c.duration_seconds::float8 AS duration_s, c.thumbnails,
       a.analyzer, a.ai_model, a.is_partial,
       NOT a.is_partial AND a.analyzer IS NOT DISTINCT FROM c.content_analyzer AS is_chosen,
       a.analysis_summary AS summary, a.visual_analysis AS visual, a.audio_analysis AS audio,
       a.content_analysis AS content, a.analysis_file_path AS file, a.prompt_version, a.calls, a.input_tokens,
       a.cached_tokens, a.output_tokens, a.warnings, a.cost_usd::float8, a.seconds, a.created_at
  FROM analysis a
  JOIN clips c ON c.id = a.clip_id AND c.user_id = a.user_id
 WHERE a.analysis_scope = 'full_clip'
   AND ($1::text[] IS NULL OR c.file_checksum = ANY($1))
   AND (NOT a.is_partial OR NOT EXISTS (
        SELECT FROM analysis w
         WHERE w.clip_id = a.clip_id AND w.analyzer = a.analyzer AND w.analysis_scope = 'full_clip'
           AND NOT w.is_partial))
 ORDER BY c.file_path, c.id, a.is_partial, a.analyzer
)
SELECT json_agg(array_to_json(ARRAY[
       answer."clip_id"::text,
       answer."file_name"::text,
       answer."file_checksum"::text,
       answer."duration_s"::text,
       answer."thumbnails"::text,
       answer."analyzer"::text,
       answer."ai_model"::text,
       left(answer."is_partial"::text, 1),
       left(answer."is_chosen"::text, 1),
       answer."summary"::text,
       answer."visual"::text,
       answer."audio"::text,
       answer."content"::text,
       answer."file"::text,
       answer."prompt_version"::text,
       answer."calls"::text,
       answer."input_tokens"::text,
       answer."cached_tokens"::text,
       answer."output_tokens"::text,
       answer."warnings"::text,
       answer."cost_usd"::text,
       answer."seconds"::text,
       answer."created_at"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["clip_id", 2950], ["file_name", 25], ["file_checksum", 25], ["duration_s", 701], ["thumbnails", 1009], ["analyzer", 25], ["ai_model", 25], ["is_partial", 16], ["is_chosen", 16], ["summary", 3802], ["visual", 3802], ["audio", 3802], ["content", 3802], ["file", 25], ["prompt_version", 25], ["calls", 23], ["input_tokens", 20], ["cached_tokens", 20], ["output_tokens", 20], ["warnings", 1009], ["cost_usd", 701], ["seconds", 701], ["created_at", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.browse_active("at_most" bigint) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
WITH page AS MATERIALIZED (
    SELECT id, file_name, processing_progress AS progress, current_step, status,
           seconds_since_update, updated_at
      FROM active_processing
     ORDER BY updated_at DESC, id
     LIMIT $1
)
SELECT p.id, p.file_name, p.progress, p.current_step, p.status, p.seconds_since_update,
       s.failed_steps,
       coalesce((SELECT array_agg(r.step) FROM running_steps r WHERE r.clip_id = p.id), '{}')
           AS running_steps,
       (SELECT count(*) FROM clips
         WHERE processing_progress < 100 OR updated_at > now() - interval '1 hour') AS total
  FROM page p
  JOIN clip_states s ON s.clip_id = p.id
 ORDER BY p.updated_at DESC, p.id
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."file_name"::text,
       answer."progress"::text,
       answer."current_step"::text,
       answer."status"::text,
       answer."seconds_since_update"::text,
       answer."failed_steps"::text,
       answer."running_steps"::text,
       answer."total"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["id", 2950], ["file_name", 25], ["progress", 23], ["current_step", 25], ["status", 25], ["seconds_since_update", 701], ["failed_steps", 1009], ["running_steps", 1009], ["total", 20]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.browse_artifacts("clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT step_name AS step, artifact_type AS kind, file_path AS name, size_bytes, created_at
  FROM artifacts
 WHERE video_id = $1
 ORDER BY step_name, artifact_type, file_path
)
SELECT json_agg(array_to_json(ARRAY[
       answer."step"::text,
       answer."kind"::text,
       answer."name"::text,
       answer."size_bytes"::text,
       answer."created_at"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["step", 25], ["kind", 25], ["name", 25], ["size_bytes", 20], ["created_at", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.browse_clip("clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT c.id, c.user_id, c.file_name, c.file_path, c.file_checksum, c.checksum_algorithm,
       c.file_size_bytes, c.searchable_content,
       c.duration_seconds, c.width, c.height, c.display_width, c.display_height, c.rotation,
       c.frame_rate, c.is_vfr, c.bitrate, c.start_timecode, c.codec, c.container, c.has_audio,
       c.audio_tracks, c.subtitle_tracks, c.camera_make, c.camera_model, c.technical_metadata,
       c.camera_details, c.content_category, c.content_summary, c.content_tags,
       c.content_language, c.content_analyzer, c.content_model,
       c.transcript_preview, c.full_transcript, c.transcript_word_count, c.transcript_language,
       c.captured_at, c.captured_at_local, c.capture_utc_offset_minutes, c.gps_latitude,
       c.gps_longitude, c.gps_altitude, c.location_name, c.lens_model, c.focal_length_mm,
       c.focal_length_category, c.is_hdr, c.hdr_format, c.loudness_lufs, c.true_peak_dbtp,
       c.exposure_quality, c.exposure_stops, c.exposure_warning, c.scene_count,
       c.thumbnails, c.created_at, c.updated_at,
       c.processed_at, c.preset, c.planned_steps, c.processing_progress AS progress, c.current_step,
       s.state, s.failed_steps
  FROM clips c
  JOIN clip_states s ON s.clip_id = c.id
 WHERE c.id = $1
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."user_id"::text,
       answer."file_name"::text,
       answer."file_path"::text,
       answer."file_checksum"::text,
       answer."checksum_algorithm"::text,
       answer."file_size_bytes"::text,
       answer."searchable_content"::text,
       answer."duration_seconds"::text,
       answer."width"::text,
       answer."height"::text,
       answer."display_width"::text,
       answer."display_height"::text,
       answer."rotation"::text,
       answer."frame_rate"::text,
       left(answer."is_vfr"::text, 1),
       answer."bitrate"::text,
       answer."start_timecode"::text,
       answer."codec"::text,
       answer."container"::text,
       left(answer."has_audio"::text, 1),
       answer."audio_tracks"::text,
       answer."subtitle_tracks"::text,
       answer."camera_make"::text,
       answer."camera_model"::text,
       answer."technical_metadata"::text,
       answer."camera_details"::text,
       answer."content_category"::text,
       answer."content_summary"::text,
       answer."content_tags"::text,
       answer."content_language"::text,
       answer."content_analyzer"::text,
       answer."content_model"::text,
       answer."transcript_preview"::text,
       answer."full_transcript"::text,
       answer."transcript_word_count"::text,
       answer."transcript_language"::text,
       answer."captured_at"::text,
       answer."captured_at_local"::text,
       answer."capture_utc_offset_minutes"::text,
       answer."gps_latitude"::text,
       answer."gps_longitude"::text,
       answer."gps_altitude"::text,
       answer."location_name"::text,
       answer."lens_model"::text,
       answer."focal_length_mm"::text,
       answer."focal_length_category"::text,
       left(answer."is_hdr"::text, 1),
       answer."hdr_format"::text,
       answer."loudness_lufs"::text,
       answer."true_peak_dbtp"::text,
       answer."exposure_quality"::text,
       answer."exposure_stops"::text,
       left(answer."exposure_warning"::text, 1),
       answer."scene_count"::text,
       answer."thumbnails"::text,
       answer."created_at"::text,
       answer."updated_at"::text,
       answer."processed_at"::text,
       answer."preset"::text,
       answer."planned_steps"::text,
       answer."progress"::text,
       answer."current_step"::text,
       answer."state"::text,
       answer."failed_steps"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["id", 2950], ["user_id", 2950], ["file_name", 25], ["file_path", 25], ["file_checksum", 25], ["checksum_algorithm", 25], ["file_size_bytes", 20], ["searchable_content", 25], ["duration_seconds", 1700], ["width", 23], ["height", 23], ["display_width", 23], ["display_height", 23], ["rotation", 23], ["frame_rate", 1700], ["is_vfr", 16], ["bitrate", 20], ["start_timecode", 25], ["codec", 25], ["container", 25], ["has_audio", 16], ["audio_tracks", 3802], ["subtitle_tracks", 3802], ["camera_make", 25], ["camera_model", 25], ["technical_metadata", 3802], ["camera_details", 3802], ["content_category", 25], ["content_summary", 25], ["content_tags", 1009], ["content_language", 25], ["content_analyzer", 25], ["content_model", 25], ["transcript_preview", 25], ["full_transcript", 25], ["transcript_word_count", 23], ["transcript_language", 25], ["captured_at", 1184], ["captured_at_local", 1114], ["capture_utc_offset_minutes", 23], ["gps_latitude", 701], ["gps_longitude", 701], ["gps_altitude", 701], ["location_name", 25], ["lens_model", 25], ["focal_length_mm", 701], ["focal_length_category", 25], ["is_hdr", 16], ["hdr_format", 25], ["loudness_lufs", 701], ["true_peak_dbtp", 701], ["exposure_quality", 25], ["exposure_stops", 701], ["exposure_warning", 16], ["scene_count", 23], ["thumbnails", 1009], ["created_at", 1184], ["updated_at", 1184], ["processed_at", 1184], ["preset", 25], ["planned_steps", 1009], ["progress", 23], ["current_step", 25], ["state", 25], ["failed_steps", 1009]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.browse_find_exact("file_name" text, "paths" bytea[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT DISTINCT c.id, c.file_name, c.file_path, c.file_checksum, c.created_at
  FROM clips c
  LEFT JOIN clip_locations l ON l.clip_id = c.id
 WHERE c.id::text = lower($1) OR c.file_checksum = lower($1)
    OR c.file_name = $1 OR c.file_path = $1
    OR l.path_bytes = ANY($2) OR l.path = $1
    OR right(l.path, length($1) + 1) = '/' || $1
 ORDER BY c.created_at DESC, c.id
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."file_name"::text,
       answer."file_path"::text,
       answer."file_checksum"::text,
       answer."created_at"::text]))
  FROM answer
$query$ INTO answer USING $1, $2;
    RETURN json_build_object('columns', '[["id", 2950], ["file_name", 25], ["file_path", 25], ["file_checksum", 25], ["created_at", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.browse_find_prefix("prefix" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT id, file_name, file_path, file_checksum, created_at
  FROM clips
 WHERE starts_with(id::text, $1) OR starts_with(file_checksum, $1)
 ORDER BY created_at DESC, id
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."file_name"::text,
       answer."file_path"::text,
       answer."file_checksum"::text,
       answer."created_at"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["id", 2950], ["file_name", 25], ["file_path", 25], ["file_checksum", 25], ["created_at", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.browse_find_unreadable("paths" bytea[], "file_name" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT path, reason, seen_at
  FROM unreadable_files
 WHERE path_bytes = ANY($1) OR path = $2
    OR right(path, length($2) + 1) = '/' || $2
 ORDER BY seen_at DESC
)
SELECT json_agg(array_to_json(ARRAY[
       answer."path"::text,
       answer."reason"::text,
       answer."seen_at"::text]))
  FROM answer
$query$ INTO answer USING $1, $2;
    RETURN json_build_object('columns', '[["path", 25], ["reason", 25], ["seen_at", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.browse_list_clips("state" text, "sort" text, "at_most" bigint) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT c.id, c.file_name, c.file_path, c.file_checksum, c.file_size_bytes, c.duration_seconds,
       c.width, c.height, c.display_width, c.display_height, c.frame_rate, c.is_vfr, c.codec,
       c.container, c.processing_progress AS progress, s.state, s.failed_steps, c.created_at,
       count(*) OVER () AS total
  FROM clips c
  JOIN clip_states s ON s.clip_id = c.id
 WHERE $1::text IS NULL OR s.state = $1
 ORDER BY CASE $2::text WHEN 'oldest' THEN c.created_at END,
          CASE $2 WHEN 'name' THEN lower(c.file_name) END,
          CASE $2 WHEN 'duration' THEN c.duration_seconds END DESC NULLS LAST,
          CASE $2 WHEN 'size' THEN c.file_size_bytes END DESC NULLS LAST,
          CASE $2 WHEN 'progress' THEN c.processing_progress END,
          c.created_at DESC, c.id
 LIMIT $3
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."file_name"::text,
       answer."file_path"::text,
       answer."file_checksum"::text,
       answer."file_size_bytes"::text,
       answer."duration_seconds"::text,
       answer."width"::text,
       answer."height"::text,
       answer."display_width"::text,
       answer."display_height"::text,
       answer."frame_rate"::text,
       left(answer."is_vfr"::text, 1),
       answer."codec"::text,
       answer."container"::text,
       answer."progress"::text,
       answer."state"::text,
       answer."failed_steps"::text,
       answer."created_at"::text,
       answer."total"::text]))
  FROM answer
$query$ INTO answer USING $1, $2, $3;
    RETURN json_build_object('columns', '[["id", 2950], ["file_name", 25], ["file_path", 25], ["file_checksum", 25], ["file_size_bytes", 20], ["duration_seconds", 1700], ["width", 23], ["height", 23], ["display_width", 23], ["display_height", 23], ["frame_rate", 1700], ["is_vfr", 16], ["codec", 25], ["container", 25], ["progress", 23], ["state", 25], ["failed_steps", 1009], ["created_at", 1184], ["total", 20]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.browse_places("clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT path, host, size_bytes, first_seen_at, seen_at, missing_at
  FROM clip_locations
 WHERE clip_id = $1
 ORDER BY missing_at DESC NULLS FIRST, first_seen_at, path
)
SELECT json_agg(array_to_json(ARRAY[
       answer."path"::text,
       answer."host"::text,
       answer."size_bytes"::text,
       answer."first_seen_at"::text,
       answer."seen_at"::text,
       answer."missing_at"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["path", 25], ["host", 25], ["size_bytes", 20], ["first_seen_at", 1184], ["seen_at", 1184], ["missing_at", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.browse_quiet_s("clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT extract(epoch FROM now() - greatest(
           c.updated_at,
           (SELECT max("timestamp") FROM processing_events WHERE video_id = c.id)))::float8
  FROM clips c
 WHERE c.id = $1
)
SELECT json_agg(array_to_json(ARRAY[
       answer."extract"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["extract", 701]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.browse_results("checksum" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT asset, status, code_version, error_class, error, fault, attempts, seconds, measured_at,
       problems, result
  FROM clip_results($1)
)
SELECT json_agg(array_to_json(ARRAY[
       answer."asset"::text,
       answer."status"::text,
       answer."code_version"::text,
       answer."error_class"::text,
       answer."error"::text,
       answer."fault"::text,
       answer."attempts"::text,
       answer."seconds"::text,
       answer."measured_at"::text,
       answer."problems"::text,
       answer."result"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["asset", 25], ["status", 25], ["code_version", 25], ["error_class", 25], ["error", 25], ["fault", 25], ["attempts", 23], ["seconds", 701], ["measured_at", 1184], ["problems", 3802], ["result", 3802]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.browse_running("clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT step, extract(epoch FROM now() - started_at)::float8 AS seconds
  FROM running_steps
 WHERE clip_id = $1
)
SELECT json_agg(array_to_json(ARRAY[
       answer."step"::text,
       answer."seconds"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["step", 25], ["seconds", 701]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.browse_scenes("clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT scene_number AS number, timestamp_start AS start_s, timestamp_end AS end_s, begins_with,
       representative_frame, description, objects, activities
  FROM scenes
 WHERE video_id = $1
 ORDER BY scene_number
)
SELECT json_agg(array_to_json(ARRAY[
       answer."number"::text,
       answer."start_s"::text,
       answer."end_s"::text,
       answer."begins_with"::text,
       answer."representative_frame"::text,
       answer."description"::text,
       answer."objects"::text,
       answer."activities"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["number", 23], ["start_s", 701], ["end_s", 701], ["begins_with", 25], ["representative_frame", 25], ["description", 25], ["objects", 1009], ["activities", 1009]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.costs_answers("checksum" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT asset, provider || '/' || model AS model, status, outcome, sent_at,
       coalesce(cost_usd, reserved_usd) AS usd, error, answer, batch
  FROM ai_calls
 WHERE file_checksum = $1 AND (answer IS NOT NULL OR error IS NOT NULL OR status = 'waiting')
 ORDER BY sent_at DESC
)
SELECT json_agg(array_to_json(ARRAY[
       answer."asset"::text,
       answer."model"::text,
       answer."status"::text,
       answer."outcome"::text,
       answer."sent_at"::text,
       answer."usd"::text,
       answer."error"::text,
       answer."answer"::text,
       answer."batch"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["asset", 25], ["model", 25], ["status", 25], ["outcome", 25], ["sent_at", 1184], ["usd", 1700], ["error", 25], ["answer", 114], ["batch", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.costs_groups("by" text, "since" timestamp with time zone, "at_most" bigint) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
WITH named AS (
    SELECT a.*, CASE $1 WHEN 'asset' THEN a.asset
                         WHEN 'model' THEN a.provider || '/' || a.model
                         WHEN 'day' THEN to_char(a.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')
                         WHEN 'owner' THEN a.user_id::text
                         ELSE a.file_checksum END AS name
      FROM ai_calls a
     WHERE $2::timestamptz IS NULL OR a.sent_at >= $2::timestamptz
)
SELECT name, count(*)::int AS calls, count(DISTINCT file_checksum)::int AS clips,
       count(*) FILTER (WHERE outcome = 'answered')::int AS answered,
       count(*) FILTER (WHERE status = 'settled' AND outcome <> 'answered')::int AS unusable,
       count(*) FILTER (WHERE status = 'lost')::int AS lost,
       count(*) FILTER (WHERE status IN ('reserved', 'waiting'))::int AS under_way,
       coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
       coalesce(sum(cached_tokens), 0)::bigint AS cached_tokens,
       coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
       sum(coalesce(cost_usd, reserved_usd)) AS usd,
       coalesce(sum(coalesce(cost_usd, reserved_usd)) FILTER (WHERE status <> 'settled'), 0) AS unsettled_usd,
       count(*) FILTER (WHERE NOT is_price_known)::int AS unpriced,
       count(*) OVER ()::int AS total
  FROM named
 GROUP BY name
 ORDER BY CASE WHEN $1 = 'day' THEN name END DESC, usd DESC, calls DESC, name
 LIMIT $3
)
SELECT json_agg(array_to_json(ARRAY[
       answer."name"::text,
       answer."calls"::text,
       answer."clips"::text,
       answer."answered"::text,
       answer."unusable"::text,
       answer."lost"::text,
       answer."under_way"::text,
       answer."input_tokens"::text,
       answer."cached_tokens"::text,
       answer."output_tokens"::text,
       answer."usd"::text,
       answer."unsettled_usd"::text,
       answer."unpriced"::text,
       answer."total"::text]))
  FROM answer
$query$ INTO answer USING $1, $2, $3;
    RETURN json_build_object('columns', '[["name", 25], ["calls", 23], ["clips", 23], ["answered", 23], ["unusable", 23], ["lost", 23], ["under_way", 23], ["input_tokens", 20], ["cached_tokens", 20], ["output_tokens", 20], ["usd", 1700], ["unsettled_usd", 1700], ["unpriced", 23], ["total", 23]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.costs_pauses() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT provider, asset, reason, until FROM private.own_pauses() ORDER BY until
)
SELECT json_agg(array_to_json(ARRAY[
       answer."provider"::text,
       answer."asset"::text,
       answer."reason"::text,
       answer."until"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["provider", 25], ["asset", 25], ["reason", 25], ["until", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.costs_spending() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT today_usd, month_usd FROM private.own_spending()
)
SELECT json_agg(array_to_json(ARRAY[
       answer."today_usd"::text,
       answer."month_usd"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["today_usd", 1700], ["month_usd", 1700]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.costs_whole("since" timestamp with time zone) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT count(*)::int AS calls, coalesce(sum(coalesce(cost_usd, reserved_usd)), 0) AS usd
  FROM ai_calls
 WHERE $1::timestamptz IS NULL OR sent_at >= $1::timestamptz
)
SELECT json_agg(array_to_json(ARRAY[
       answer."calls"::text,
       answer."usd"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["calls", 23], ["usd", 1700]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.counts_states() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT 'complete' AS state, count(*) AS clips
  FROM clips
 WHERE processing_progress = 100 AND missing_since IS NULL
 UNION ALL
SELECT s.state, count(*)
  FROM clips c
  JOIN clip_states s ON s.clip_id = c.id
 WHERE c.processing_progress < 100 OR c.missing_since IS NOT NULL
 GROUP BY s.state
)
SELECT json_agg(array_to_json(ARRAY[
       answer."state"::text,
       answer."clips"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["state", 25], ["clips", 20]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.counts_steps() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
WITH running AS MATERIALIZED (
    SELECT clip_id, step FROM running_steps
), complete AS (
    SELECT user_id, plan_key, count(*) AS clips
      FROM clips
     WHERE processing_progress = 100 AND id NOT IN (SELECT clip_id FROM running)
     GROUP BY user_id, plan_key
), open AS (
    SELECT planned_steps, processing_status, id FROM clips WHERE processing_progress < 100
     UNION ALL
    SELECT planned_steps, processing_status, id
      FROM clips
     WHERE processing_progress = 100 AND id IN (SELECT clip_id FROM running)
), alike AS (
    SELECT (SELECT planned_steps
              FROM clips
             WHERE processing_progress = 100 AND user_id = c.user_id AND plan_key = c.plan_key
             LIMIT 1) AS planned_steps,
           NULL::text[] AS found, c.clips
      FROM complete c
     UNION ALL
    SELECT o.planned_steps, f.found, count(*)
      FROM open o
     CROSS JOIN LATERAL (
           SELECT ARRAY(SELECT CASE WHEN (o.id, p.step) IN (SELECT clip_id, step FROM running) THEN 'running'
                                    ELSE o.processing_status -> p.step ->> 'status' END
                          FROM unnest(o.planned_steps) WITH ORDINALITY AS p(step, place)
                         ORDER BY p.place) AS found) AS f
     GROUP BY o.planned_steps, f.found
), cells AS (
    SELECT p.step, p.place,
           CASE WHEN a.found IS NULL OR a.found[p.place] = 'completed' THEN 'done'
                WHEN a.found[p.place] IN ('failed', 'running') THEN a.found[p.place]
                WHEN 'failed' = ANY (a.found) THEN 'blocked'
                ELSE 'waiting' END AS state,
           a.clips
      FROM alike a
     CROSS JOIN unnest(a.planned_steps) WITH ORDINALITY AS p(step, place)
     UNION ALL
    SELECT k.step, NULL, CASE k.found ->> 'status' WHEN 'completed' THEN 'done' ELSE 'failed' END, 1
      FROM clips c
     CROSS JOIN jsonb_each(c.processing_status - c.planned_steps) AS k(step, found)
     WHERE c.processing_status - c.planned_steps <> '{}'
)
SELECT step,
       coalesce(sum(clips) FILTER (WHERE state = 'done'), 0)::int AS done,
       coalesce(sum(clips) FILTER (WHERE state = 'failed'), 0)::int AS failed,
       coalesce(sum(clips) FILTER (WHERE state = 'running'), 0)::int AS running,
       coalesce(sum(clips) FILTER (WHERE state = 'waiting'), 0)::int AS waiting,
       coalesce(sum(clips) FILTER (WHERE state = 'blocked'), 0)::int AS blocked
  FROM cells
 GROUP BY step
 ORDER BY min(place) NULLS LAST, step
)
SELECT json_agg(array_to_json(ARRAY[
       answer."step"::text,
       answer."done"::text,
       answer."failed"::text,
       answer."running"::text,
       answer."waiting"::text,
       answer."blocked"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["step", 25], ["done", 23], ["failed", 23], ["running", 23], ["waiting", 23], ["blocked", 23]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.counts_unreadable_files() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT count(*) FROM unreadable_files
)
SELECT json_agg(array_to_json(ARRAY[
       answer."count"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["count", 20]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.descriptions_clear("clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    affected bigint;
BEGIN
    EXECUTE $query$
DELETE FROM human_edits WHERE clip_id = $1
$query$ USING $1;
    GET DIAGNOSTICS affected = ROW_COUNT;
    RETURN json_build_object('affected', affected);
END
$function$;

CREATE FUNCTION readings.descriptions_edited("clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT replace(field, 'content_', '') AS field FROM human_edits WHERE clip_id = $1 ORDER BY field
)
SELECT json_agg(array_to_json(ARRAY[
       answer."field"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["field", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.descriptions_promote("analyzer" text, "clips" uuid[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    affected bigint;
BEGIN
    EXECUTE $query$
INSERT INTO promotions (analyzer, clip_id)
SELECT $1, clip_id
  FROM unnest(coalesce($2::uuid[], ARRAY[NULL::uuid])) AS c(clip_id)
$query$ USING $1, $2;
    GET DIAGNOSTICS affected = ROW_COUNT;
    RETURN json_build_object('affected', affected);
END
$function$;

CREATE FUNCTION readings.descriptions_promotions("clips" uuid[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT p.clip_id, c.file_name, p.analyzer, p.promoted_at, p.rolled_back_at
  FROM promotions p
  LEFT JOIN clips c ON c.id = p.clip_id
 WHERE p.clip_id IS NULL OR $1::uuid[] IS NULL OR p.clip_id = ANY($1)
 ORDER BY p.promoted_at DESC
)
SELECT json_agg(array_to_json(ARRAY[
       answer."clip_id"::text,
       answer."file_name"::text,
       answer."analyzer"::text,
       answer."promoted_at"::text,
       answer."rolled_back_at"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["clip_id", 2950], ["file_name", 25], ["analyzer", 25], ["promoted_at", 1184], ["rolled_back_at", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.descriptions_roll_back("clips" uuid[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
UPDATE promotions p
   SET rolled_back_at = clock_timestamp()
  FROM (SELECT DISTINCT ON (clip_id) id
          FROM promotions
         WHERE rolled_back_at IS NULL
           AND CASE WHEN $1::uuid[] IS NULL THEN clip_id IS NULL ELSE clip_id = ANY($1) END
         ORDER BY clip_id, promoted_at DESC) newest
 WHERE p.id = newest.id
RETURNING p.clip_id, p.analyzer, p.promoted_at, p.rolled_back_at
)
SELECT json_agg(array_to_json(ARRAY[
       answer."clip_id"::text,
       answer."analyzer"::text,
       answer."promoted_at"::text,
       answer."rolled_back_at"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["clip_id", 2950], ["analyzer", 25], ["promoted_at", 1184], ["rolled_back_at", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.descriptions_set_category("value" text, "clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    affected bigint;
BEGIN
    EXECUTE $query$
UPDATE clips SET content_category = $1 WHERE id = $2
$query$ USING $1, $2;
    GET DIAGNOSTICS affected = ROW_COUNT;
    RETURN json_build_object('affected', affected);
END
$function$;

CREATE FUNCTION readings.descriptions_set_summary("value" text, "clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    affected bigint;
BEGIN
    EXECUTE $query$
UPDATE clips SET content_summary = $1 WHERE id = $2
$query$ USING $1, $2;
    GET DIAGNOSTICS affected = ROW_COUNT;
    RETURN json_build_object('affected', affected);
END
$function$;

CREATE FUNCTION readings.descriptions_set_tags("value" text[], "clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    affected bigint;
BEGIN
    EXECUTE $query$
UPDATE clips SET content_tags = $1::text[] WHERE id = $2
$query$ USING $1, $2;
    GET DIAGNOSTICS affected = ROW_COUNT;
    RETURN json_build_object('affected', affected);
END
$function$;

CREATE FUNCTION readings.descriptions_speakers("clips" uuid[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT content_analyzer AS analyzer, count(*) AS clips
  FROM clips
 WHERE $1::uuid[] IS NULL OR id = ANY($1)
 GROUP BY content_analyzer
 ORDER BY clips DESC, analyzer
)
SELECT json_agg(array_to_json(ARRAY[
       answer."analyzer"::text,
       answer."clips"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["analyzer", 25], ["clips", 20]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.erasure_forget_clip("clip_id" uuid, "names" text[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT private.forget_own_clip($1, $2::text[])
)
SELECT json_agg(array_to_json(ARRAY[
       left(answer."forget_own_clip"::text, 1)]))
  FROM answer
$query$ INTO answer USING $1, $2;
    RETURN json_build_object('columns', '[["forget_own_clip", 16]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.erasure_places("clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT host, volume, inode, path_bytes, size_bytes, mtime_ns
  FROM clip_locations
 WHERE clip_id = $1 AND volume IS NOT NULL AND inode IS NOT NULL
)
SELECT json_agg(array_to_json(ARRAY[
       answer."host"::text,
       answer."volume"::text,
       answer."inode"::text,
       answer."path_bytes"::text,
       answer."size_bytes"::text,
       answer."mtime_ns"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["host", 25], ["volume", 25], ["inode", 1700], ["path_bytes", 17], ["size_bytes", 20], ["mtime_ns", 20]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.export_analyses("clips" uuid[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT a.clip_id, c.file_name, c.file_checksum, a.analyzer, a.ai_model, a.is_partial,
       NOT a.is_partial AND a.analyzer IS NOT DISTINCT FROM c.content_analyzer AS is_chosen, a.content_category,
       a.usability_rating,
       a.speaker_count, a.analysis_summary ->> 'overall' AS summary,
       ARRAY(SELECT jsonb_array_elements_text(CASE jsonb_typeof(a.analysis_summary -> 'content_tags')
                                              WHEN 'array' THEN a.analysis_summary -> 'content_tags'
                                              ELSE '[]' END)) AS tags,
       a.calls, a.input_tokens, a.cached_tokens, a.output_tokens, a.cost_usd::float8 AS cost_usd, a.seconds,
       a.prompt_version, a.analysis_summary, a.visual_analysis, a.audio_analysis, a.content_analysis, a.created_at
  FROM analysis a
  JOIN clips c ON c.id = a.clip_id
 WHERE c.id = ANY($1::uuid[])
 ORDER BY c.file_path, c.id, a.analyzer, a.is_partial
)
SELECT json_agg(array_to_json(ARRAY[
       answer."clip_id"::text,
       answer."file_name"::text,
       answer."file_checksum"::text,
       answer."analyzer"::text,
       answer."ai_model"::text,
       left(answer."is_partial"::text, 1),
       left(answer."is_chosen"::text, 1),
       answer."content_category"::text,
       answer."usability_rating"::text,
       answer."speaker_count"::text,
       answer."summary"::text,
       answer."tags"::text,
       answer."calls"::text,
       answer."input_tokens"::text,
       answer."cached_tokens"::text,
       answer."output_tokens"::text,
       answer."cost_usd"::text,
       answer."seconds"::text,
       answer."prompt_version"::text,
       answer."analysis_summary"::text,
       answer."visual_analysis"::text,
       answer."audio_analysis"::text,
       answer."content_analysis"::text,
       answer."created_at"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["clip_id", 2950], ["file_name", 25], ["file_checksum", 25], ["analyzer", 25], ["ai_model", 25], ["is_partial", 16], ["is_chosen", 16], ["content_category", 25], ["usability_rating", 25], ["speaker_count", 23], ["summary", 25], ["tags", 1009], ["calls", 23], ["input_tokens", 20], ["cached_tokens", 20], ["output_tokens", 20], ["cost_usd", 701], ["seconds", 701], ["prompt_version", 25], ["analysis_summary", 3802], ["visual_analysis", 3802], ["audio_analysis", 3802], ["content_analysis", 3802], ["created_at", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.export_clips("clips" uuid[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT c.id, c.file_name, c.file_path, c.file_checksum, c.file_size_bytes, s.state, s.failed_steps,
       c.container, c.codec, c.duration_seconds::float8 AS duration_seconds, c.width, c.height,
       c.display_width, c.display_height, c.rotation, c.frame_rate::float8 AS frame_rate, c.is_vfr, c.bitrate,
       c.start_timecode, c.has_audio, c.camera_make, c.camera_model, c.lens_model, c.focal_length_mm,
       c.focal_length_category, c.captured_at, c.captured_at_local, c.capture_utc_offset_minutes,
       c.gps_latitude, c.gps_longitude, c.gps_altitude, c.location_name, c.is_hdr, c.hdr_format,
       c.loudness_lufs, c.true_peak_dbtp, c.exposure_quality, c.exposure_stops, c.exposure_warning,
       c.scene_count, c.content_category, c.content_summary, c.content_tags, c.content_language,
       c.content_analyzer, c.content_model, c.transcript_language,
       c.transcript_word_count, c.transcript_preview, c.processing_progress, c.created_at, c.processed_at
  FROM clips c
  JOIN clip_states s ON s.clip_id = c.id
 WHERE c.id = ANY($1::uuid[])
 ORDER BY c.file_path, c.id
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."file_name"::text,
       answer."file_path"::text,
       answer."file_checksum"::text,
       answer."file_size_bytes"::text,
       answer."state"::text,
       answer."failed_steps"::text,
       answer."container"::text,
       answer."codec"::text,
       answer."duration_seconds"::text,
       answer."width"::text,
       answer."height"::text,
       answer."display_width"::text,
       answer."display_height"::text,
       answer."rotation"::text,
       answer."frame_rate"::text,
       left(answer."is_vfr"::text, 1),
       answer."bitrate"::text,
       answer."start_timecode"::text,
       left(answer."has_audio"::text, 1),
       answer."camera_make"::text,
       answer."camera_model"::text,
       answer."lens_model"::text,
       answer."focal_length_mm"::text,
       answer."focal_length_category"::text,
       answer."captured_at"::text,
       answer."captured_at_local"::text,
       answer."capture_utc_offset_minutes"::text,
       answer."gps_latitude"::text,
       answer."gps_longitude"::text,
       answer."gps_altitude"::text,
       answer."location_name"::text,
       left(answer."is_hdr"::text, 1),
       answer."hdr_format"::text,
       answer."loudness_lufs"::text,
       answer."true_peak_dbtp"::text,
       answer."exposure_quality"::text,
       answer."exposure_stops"::text,
       left(answer."exposure_warning"::text, 1),
       answer."scene_count"::text,
       answer."content_category"::text,
       answer."content_summary"::text,
       answer."content_tags"::text,
       answer."content_language"::text,
       answer."content_analyzer"::text,
       answer."content_model"::text,
       answer."transcript_language"::text,
       answer."transcript_word_count"::text,
       answer."transcript_preview"::text,
       answer."processing_progress"::text,
       answer."created_at"::text,
       answer."processed_at"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["id", 2950], ["file_name", 25], ["file_path", 25], ["file_checksum", 25], ["file_size_bytes", 20], ["state", 25], ["failed_steps", 1009], ["container", 25], ["codec", 25], ["duration_seconds", 701], ["width", 23], ["height", 23], ["display_width", 23], ["display_height", 23], ["rotation", 23], ["frame_rate", 701], ["is_vfr", 16], ["bitrate", 20], ["start_timecode", 25], ["has_audio", 16], ["camera_make", 25], ["camera_model", 25], ["lens_model", 25], ["focal_length_mm", 701], ["focal_length_category", 25], ["captured_at", 1184], ["captured_at_local", 1114], ["capture_utc_offset_minutes", 23], ["gps_latitude", 701], ["gps_longitude", 701], ["gps_altitude", 701], ["location_name", 25], ["is_hdr", 16], ["hdr_format", 25], ["loudness_lufs", 701], ["true_peak_dbtp", 701], ["exposure_quality", 25], ["exposure_stops", 701], ["exposure_warning", 16], ["scene_count", 23], ["content_category", 25], ["content_summary", 25], ["content_tags", 1009], ["content_language", 25], ["content_analyzer", 25], ["content_model", 25], ["transcript_language", 25], ["transcript_word_count", 23], ["transcript_preview", 25], ["processing_progress", 23], ["created_at", 1184], ["processed_at", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.export_clips_in_order("run_id" text, "checksums" text[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT c.id
  FROM clips c
 WHERE ($1::text IS NULL OR c.id IN (SELECT clip_id FROM run_clips WHERE run_id = $1))
   AND ($2::text[] IS NULL OR c.file_checksum = ANY($2))
 ORDER BY c.file_path, c.id
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text]))
  FROM answer
$query$ INTO answer USING $1, $2;
    RETURN json_build_object('columns', '[["id", 2950]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.export_scenes("clips" uuid[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT s.video_id AS clip_id, c.file_name, c.file_checksum, s.scene_number, s.timestamp_start, s.timestamp_end,
       s.start_frame, s.end_frame, s.begins_with, s.representative_frame, s.representative_time, s.description,
       s.objects, s.activities
  FROM scenes s
  JOIN clips c ON c.id = s.video_id
 WHERE c.id = ANY($1::uuid[])
 ORDER BY c.file_path, c.id, s.scene_number
)
SELECT json_agg(array_to_json(ARRAY[
       answer."clip_id"::text,
       answer."file_name"::text,
       answer."file_checksum"::text,
       answer."scene_number"::text,
       answer."timestamp_start"::text,
       answer."timestamp_end"::text,
       answer."start_frame"::text,
       answer."end_frame"::text,
       answer."begins_with"::text,
       answer."representative_frame"::text,
       answer."representative_time"::text,
       answer."description"::text,
       answer."objects"::text,
       answer."activities"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["clip_id", 2950], ["file_name", 25], ["file_checksum", 25], ["scene_number", 23], ["timestamp_start", 701], ["timestamp_end", 701], ["start_frame", 23], ["end_frame", 23], ["begins_with", 25], ["representative_frame", 25], ["representative_time", 701], ["description", 25], ["objects", 1009], ["activities", 1009]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.export_transcripts("clips" uuid[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT t.clip_id, c.file_name, c.file_checksum, t.language, t.word_count, t.source, t.model, t.full_text,
       t.segments
  FROM transcripts t
  JOIN clips c ON c.id = t.clip_id
 WHERE c.id = ANY($1::uuid[])
 ORDER BY c.file_path, c.id
)
SELECT json_agg(array_to_json(ARRAY[
       answer."clip_id"::text,
       answer."file_name"::text,
       answer."file_checksum"::text,
       answer."language"::text,
       answer."word_count"::text,
       answer."source"::text,
       answer."model"::text,
       answer."full_text"::text,
       answer."segments"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["clip_id", 2950], ["file_name", 25], ["file_checksum", 25], ["language", 25], ["word_count", 23], ["source", 25], ["model", 25], ["full_text", 25], ["segments", 3802]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.locations_known_as("checksums" text[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT file_checksum, file_path
  FROM clips
 WHERE file_checksum = ANY($1)
)
SELECT json_agg(array_to_json(ARRAY[
       answer."file_checksum"::text,
       answer."file_path"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["file_checksum", 25], ["file_path", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.own_cells_cells("plan" jsonb, "checksums" text[], "states" text[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT * FROM private.own_cells($1, $2, $3)
)
SELECT json_agg(array_to_json(ARRAY[
       answer."file_checksum"::text,
       answer."asset"::text,
       answer."state"::text,
       answer."fault"::text,
       answer."error_class"::text,
       answer."error"::text,
       answer."attempts"::text,
       answer."age_s"::text,
       left(answer."is_running"::text, 1),
       answer."made_code"::text,
       left(answer."is_set_otherwise"::text, 1),
       answer."made_inputs"::text,
       answer."inputs"::text,
       answer."waits_for"::text,
       answer."postponed"::text,
       answer."wait_s"::text]))
  FROM answer
$query$ INTO answer USING $1, $2, $3;
    RETURN json_build_object('columns', '[["file_checksum", 25], ["asset", 25], ["state", 25], ["fault", 25], ["error_class", 25], ["error", 25], ["attempts", 23], ["age_s", 701], ["is_running", 16], ["made_code", 25], ["is_set_otherwise", 16], ["made_inputs", 25], ["inputs", 25], ["waits_for", 1009], ["postponed", 25], ["wait_s", 701]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.own_cells_failed_clips() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT DISTINCT c.file_checksum FROM failed_steps() f JOIN clips c ON c.id = f.clip_id
)
SELECT json_agg(array_to_json(ARRAY[
       answer."file_checksum"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["file_checksum", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.owners_clips("whose" text, "at_most" integer, "skipped" integer) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT * FROM admin_list_clips($1, $2, $3)
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."user_id"::text,
       answer."file_name"::text,
       answer."file_path"::text,
       answer."file_checksum"::text,
       answer."file_size_bytes"::text,
       answer."duration_seconds"::text,
       answer."state"::text,
       answer."processing_progress"::text,
       answer."content_category"::text,
       answer."content_summary"::text,
       answer."content_tags"::text,
       answer."created_at"::text,
       answer."total"::text]))
  FROM answer
$query$ INTO answer USING $1, $2, $3;
    RETURN json_build_object('columns', '[["id", 2950], ["user_id", 2950], ["file_name", 25], ["file_path", 25], ["file_checksum", 25], ["file_size_bytes", 20], ["duration_seconds", 1700], ["state", 25], ["processing_progress", 23], ["content_category", 25], ["content_summary", 25], ["content_tags", 1009], ["created_at", 1184], ["total", 20]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.owners_profiles("at_most" integer, "skipped" integer) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT * FROM admin_list_profiles($1, $2)
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."email"::text,
       answer."display_name"::text,
       answer."profile_type"::text,
       answer."created_at"::text,
       answer."clips"::text,
       answer."size_bytes"::text,
       answer."duration_s"::text,
       answer."month_usd"::text,
       answer."total"::text]))
  FROM answer
$query$ INTO answer USING $1, $2;
    RETURN json_build_object('columns', '[["id", 2950], ["email", 25], ["display_name", 25], ["profile_type", 25], ["created_at", 1184], ["clips", 20], ["size_bytes", 20], ["duration_s", 701], ["month_usd", 1700], ["total", 20]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.owners_statistics() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT * FROM admin_stats()
)
SELECT json_agg(array_to_json(ARRAY[
       answer."owners"::text,
       answer."admins"::text,
       answer."clips"::text,
       answer."contents"::text,
       answer."size_bytes"::text,
       answer."duration_s"::text,
       answer."unfinished"::text,
       answer."month_usd"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["owners", 20], ["admins", 20], ["clips", 20], ["contents", 20], ["size_bytes", 20], ["duration_s", 701], ["unfinished", 20], ["month_usd", 1700]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.pace_attempts("clip_id" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT step_name AS step, step_index, status, error, metadata ->> 'run' AS run_id,
       (metadata ->> 'seconds')::float8 AS seconds, metadata ->> 'error_class' AS error_class,
       "timestamp" AS at
  FROM (SELECT e.*, lead(status) OVER (PARTITION BY step_name ORDER BY "timestamp") AS following
          FROM processing_events e
         WHERE e.video_id = $1) AS e
 WHERE status <> 'starting' OR following IS NULL
 ORDER BY "timestamp" DESC
)
SELECT json_agg(array_to_json(ARRAY[
       answer."step"::text,
       answer."step_index"::text,
       answer."status"::text,
       answer."error"::text,
       answer."run_id"::text,
       answer."seconds"::text,
       answer."error_class"::text,
       answer."at"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["step", 25], ["step_index", 23], ["status", 25], ["error", 25], ["run_id", 25], ["seconds", 701], ["error_class", 25], ["at", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.pace_causes("at_most" bigint) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT asset AS step, fault, error_class, count(*)::int AS clips
  FROM failed_steps()
 GROUP BY asset, fault, error_class
 ORDER BY count(*) DESC, asset, fault, error_class
 LIMIT $1
)
SELECT json_agg(array_to_json(ARRAY[
       answer."step"::text,
       answer."fault"::text,
       answer."error_class"::text,
       answer."clips"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["step", 25], ["fault", 25], ["error_class", 25], ["clips", 23]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.pace_lately("within_s" double precision) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT step_name AS step, count(*)::int AS made,
       coalesce(sum((metadata ->> 'seconds')::float8), 0)::float8 AS seconds,
       extract(epoch FROM now() - min("timestamp"))::float8 AS first_s,
       extract(epoch FROM now() - max("timestamp"))::float8 AS last_s
  FROM processing_events
 WHERE "timestamp" > now() - make_interval(secs => $1) AND status = 'completed'
 GROUP BY step_name
)
SELECT json_agg(array_to_json(ARRAY[
       answer."step"::text,
       answer."made"::text,
       answer."seconds"::text,
       answer."first_s"::text,
       answer."last_s"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["step", 25], ["made", 23], ["seconds", 701], ["first_s", 701], ["last_s", 701]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.pace_quiet_s() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT extract(epoch FROM now() - max("timestamp"))::float8 FROM processing_events
)
SELECT json_agg(array_to_json(ARRAY[
       answer."extract"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["extract", 701]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.postponed_reasons("checksums" text[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT asset, reason, clips, until FROM private.own_waits($1) ORDER BY clips DESC, asset, reason
)
SELECT json_agg(array_to_json(ARRAY[
       answer."asset"::text,
       answer."reason"::text,
       answer."clips"::text,
       answer."until"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["asset", 25], ["reason", 25], ["clips", 20], ["until", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_fulltext("text" text, "limit" integer, "filters" jsonb, "offset" integer) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT id, file_name, local_path, content_summary, content_tags, duration_seconds, camera_make, camera_model,
       content_category, processed_at, fts_rank::float8 AS score, 'fulltext' AS match_type
  FROM fulltext_search_clips($1, $2, $3, $4)
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."file_name"::text,
       answer."local_path"::text,
       answer."content_summary"::text,
       answer."content_tags"::text,
       answer."duration_seconds"::text,
       answer."camera_make"::text,
       answer."camera_model"::text,
       answer."content_category"::text,
       answer."processed_at"::text,
       answer."score"::text,
       answer."match_type"::text]))
  FROM answer
$query$ INTO answer USING $1, $2, $3, $4;
    RETURN json_build_object('columns', '[["id", 2950], ["file_name", 25], ["local_path", 25], ["content_summary", 25], ["content_tags", 1009], ["duration_seconds", 1700], ["camera_make", 25], ["camera_model", 25], ["content_category", 25], ["processed_at", 1184], ["score", 701], ["match_type", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_hybrid("text" text, "summary" extensions.vector, "keyword" extensions.vector, "limit" integer, "fulltext_weight" double precision, "summary_weight" double precision, "keyword_weight" double precision, "rrf_k" integer, "filters" jsonb, "offset" integer, "threshold" double precision) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT id, file_name, local_path, content_summary, content_tags, duration_seconds, camera_make, camera_model,
       content_category, processed_at, search_rank AS score, match_type,
       jsonb_strip_nulls(jsonb_build_object('text', text_place, 'summary', summary_place,
                                            'keyword', keyword_place)) AS places
  FROM hybrid_search_clips($1, $2::vector, $3::vector, $4, $5, $6,
                           $7, $8, $9, $10, $11)
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."file_name"::text,
       answer."local_path"::text,
       answer."content_summary"::text,
       answer."content_tags"::text,
       answer."duration_seconds"::text,
       answer."camera_make"::text,
       answer."camera_model"::text,
       answer."content_category"::text,
       answer."processed_at"::text,
       answer."score"::text,
       answer."match_type"::text,
       answer."places"::text]))
  FROM answer
$query$ INTO answer USING $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11;
    RETURN json_build_object('columns', '[["id", 2950], ["file_name", 25], ["local_path", 25], ["content_summary", 25], ["content_tags", 1009], ["duration_seconds", 1700], ["camera_make", 25], ["camera_model", 25], ["content_category", 25], ["processed_at", 1184], ["score", 701], ["match_type", 25], ["places", 3802]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_legs() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT current_setting('video_assets.legs')::jsonb
)
SELECT json_agg(array_to_json(ARRAY[
       answer."current_setting"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["current_setting", 3802]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_model_in_use() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT s.model
  FROM embedding_spaces AS s
 WHERE s.is_in_use AND EXISTS (SELECT FROM clip_vectors AS v WHERE v.user_id = auth.uid() AND v.space = s.id)
)
SELECT json_agg(array_to_json(ARRAY[
       answer."model"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["model", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_moments("text" text, "vector" extensions.vector, "limit" integer, "fulltext_weight" double precision, "semantic_weight" double precision, "filters" jsonb, "offset" integer, "threshold" double precision) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT m.clip_id AS id, m.file_name, m.local_path, m.content_summary, c.content_tags, m.duration_seconds,
       c.camera_make, c.camera_model, c.content_category, c.processed_at, m.search_rank AS score, m.match_type,
       jsonb_strip_nulls(jsonb_build_object('text', m.text_place, 'semantic', m.semantic_place)) AS places,
       m.timestamp_start AS at_s, m.timestamp_end AS until_s, m.excerpt, m.segment_id AS moment
  FROM search_moments($1, $2::vector, $3, $4, $5, filters => $6,
                      match_offset => $7, similarity_threshold => $8) WITH ORDINALITY AS m (
       segment_id, clip_id, file_name, local_path, content_summary, duration_seconds, kind, timestamp_start,
       timestamp_end, excerpt, search_rank, match_type, text_place, semantic_place, place)
  JOIN clips AS c ON c.id = m.clip_id
 ORDER BY m.place
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."file_name"::text,
       answer."local_path"::text,
       answer."content_summary"::text,
       answer."content_tags"::text,
       answer."duration_seconds"::text,
       answer."camera_make"::text,
       answer."camera_model"::text,
       answer."content_category"::text,
       answer."processed_at"::text,
       answer."score"::text,
       answer."match_type"::text,
       answer."places"::text,
       answer."at_s"::text,
       answer."until_s"::text,
       answer."excerpt"::text,
       answer."moment"::text]))
  FROM answer
$query$ INTO answer USING $1, $2, $3, $4, $5, $6, $7, $8;
    RETURN json_build_object('columns', '[["id", 2950], ["file_name", 25], ["local_path", 25], ["content_summary", 25], ["content_tags", 1009], ["duration_seconds", 1700], ["camera_make", 25], ["camera_model", 25], ["content_category", 25], ["processed_at", 1184], ["score", 701], ["match_type", 25], ["places", 3802], ["at_s", 701], ["until_s", 701], ["excerpt", 25], ["moment", 2950]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_note_legs() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT set_config('video_assets.legs', '[]', true)
)
SELECT json_agg(array_to_json(ARRAY[
       answer."set_config"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["set_config", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_semantic("summary" extensions.vector, "keyword" extensions.vector, "limit" integer, "summary_weight" double precision, "keyword_weight" double precision, "threshold" double precision, "filters" jsonb, "offset" integer) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT id, file_name, local_path, content_summary, content_tags, duration_seconds, camera_make, camera_model,
       content_category, processed_at, combined_similarity AS score, 'semantic' AS match_type
  FROM semantic_search_clips($1::vector, $2::vector, $3, $4, $5,
                             $6, $7, $8)
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."file_name"::text,
       answer."local_path"::text,
       answer."content_summary"::text,
       answer."content_tags"::text,
       answer."duration_seconds"::text,
       answer."camera_make"::text,
       answer."camera_model"::text,
       answer."content_category"::text,
       answer."processed_at"::text,
       answer."score"::text,
       answer."match_type"::text]))
  FROM answer
$query$ INTO answer USING $1, $2, $3, $4, $5, $6, $7, $8;
    RETURN json_build_object('columns', '[["id", 2950], ["file_name", 25], ["local_path", 25], ["content_summary", 25], ["content_tags", 1009], ["duration_seconds", 1700], ["camera_make", 25], ["camera_model", 25], ["content_category", 25], ["processed_at", 1184], ["score", 701], ["match_type", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_similar("clip" uuid, "limit" integer, "threshold" double precision, "filters" jsonb, "offset" integer) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT s.id, s.file_name, s.local_path, s.content_summary, s.content_tags, s.duration_seconds, c.camera_make,
       c.camera_model, s.content_category, c.processed_at, s.similarity_score AS score, 'similar' AS match_type
  FROM find_similar_clips($1, $2, $3, $4, $5) AS s
  JOIN clips AS c ON c.id = s.id
 ORDER BY s.similarity_score DESC, s.id
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."file_name"::text,
       answer."local_path"::text,
       answer."content_summary"::text,
       answer."content_tags"::text,
       answer."duration_seconds"::text,
       answer."camera_make"::text,
       answer."camera_model"::text,
       answer."content_category"::text,
       answer."processed_at"::text,
       answer."score"::text,
       answer."match_type"::text]))
  FROM answer
$query$ INTO answer USING $1, $2, $3, $4, $5;
    RETURN json_build_object('columns', '[["id", 2950], ["file_name", 25], ["local_path", 25], ["content_summary", 25], ["content_tags", 1009], ["duration_seconds", 1700], ["camera_make", 25], ["camera_model", 25], ["content_category", 25], ["processed_at", 1184], ["score", 701], ["match_type", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_spaces() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT s.model, s.is_in_use, count(v.clip_id)::integer AS clips
  FROM embedding_spaces AS s
  LEFT JOIN clip_vectors AS v ON v.space = s.id AND v.kind = 1
 WHERE s.is_in_use OR s.created_at >= (SELECT created_at FROM embedding_spaces WHERE is_in_use)
 GROUP BY s.id
 ORDER BY s.is_in_use DESC, s.created_at DESC
)
SELECT json_agg(array_to_json(ARRAY[
       answer."model"::text,
       left(answer."is_in_use"::text, 1),
       answer."clips"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["model", 25], ["is_in_use", 16], ["clips", 23]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_statistics() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT * FROM get_user_stats()
)
SELECT json_agg(array_to_json(ARRAY[
       answer."total_clips"::text,
       answer."total_duration_hours"::text,
       answer."total_storage_gb"::text,
       answer."clips_with_transcripts"::text,
       answer."clips_in_progress"::text,
       answer."clips_completed"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["total_clips", 23], ["total_duration_hours", 1700], ["total_storage_gb", 1700], ["clips_with_transcripts", 23], ["clips_in_progress", 23], ["clips_completed", 23]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_stills("ids" uuid[], "times" double precision[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT coalesce(s.representative_frame, c.thumbnails[(cardinality(c.thumbnails) + 1) / 2]) AS still
  FROM unnest($1::uuid[], $2::float8[]) WITH ORDINALITY AS asked (id, at_s, place)
  LEFT JOIN clips AS c ON c.id = asked.id
  LEFT JOIN LATERAL (
       SELECT representative_frame
         FROM scenes
        WHERE video_id = asked.id AND timestamp_start <= asked.at_s
        ORDER BY timestamp_start DESC
        LIMIT 1) AS s ON true
 ORDER BY asked.place
)
SELECT json_agg(array_to_json(ARRAY[
       answer."still"::text]))
  FROM answer
$query$ INTO answer USING $1, $2;
    RETURN json_build_object('columns', '[["still", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_transcripts("text" text, "limit" integer, "shortest" integer, "filters" jsonb, "offset" integer) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT t.clip_id AS id, t.file_name, t.local_path, t.content_summary, c.content_tags, t.duration_seconds,
       c.camera_make, c.camera_model, c.content_category, t.processed_at, t.fts_rank::float8 AS score,
       'transcript' AS match_type, t.timestamp_start AS at_s, t.timestamp_end AS until_s, t.excerpt
  FROM search_transcripts($1, $2, $3, $4, $5) WITH ORDINALITY AS t (
       clip_id, file_name, local_path, content_summary, transcript_preview, duration_seconds, processed_at,
       fts_rank, timestamp_start, timestamp_end, excerpt, place)
  JOIN clips AS c ON c.id = t.clip_id
 ORDER BY t.place
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."file_name"::text,
       answer."local_path"::text,
       answer."content_summary"::text,
       answer."content_tags"::text,
       answer."duration_seconds"::text,
       answer."camera_make"::text,
       answer."camera_model"::text,
       answer."content_category"::text,
       answer."processed_at"::text,
       answer."score"::text,
       answer."match_type"::text,
       answer."at_s"::text,
       answer."until_s"::text,
       answer."excerpt"::text]))
  FROM answer
$query$ INTO answer USING $1, $2, $3, $4, $5;
    RETURN json_build_object('columns', '[["id", 2950], ["file_name", 25], ["local_path", 25], ["content_summary", 25], ["content_tags", 1009], ["duration_seconds", 1700], ["camera_make", 25], ["camera_model", 25], ["content_category", 25], ["processed_at", 1184], ["score", 701], ["match_type", 25], ["at_s", 701], ["until_s", 701], ["excerpt", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_vector_state("clip" uuid) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT CASE WHEN bool_or(s.is_in_use) THEN 'there'
            WHEN count(s.id) > 0 THEN 'of the next model'
            ELSE (SELECT CASE max(r.status) WHEN 'done' THEN 'none' WHEN 'failed' THEN 'failed' ELSE 'waits' END
                    FROM clip_results((SELECT file_checksum FROM clips WHERE id = $1)) AS r
                   WHERE r.asset = 'embeddings')
       END
  FROM clip_vectors AS v
  JOIN embedding_spaces AS s ON s.id = v.space
  JOIN embedding_spaces AS u ON u.is_in_use AND s.created_at >= u.created_at
 WHERE v.clip_id = $1 AND v.kind = 1
)
SELECT json_agg(array_to_json(ARRAY[
       answer."case"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["case", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_visible("filters" jsonb) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT (SELECT count(*) FROM clips)::integer AS clips,
       (SELECT count(*) FROM private.matching_clips($1))::integer AS clips_in_question,
       (SELECT count(*) FROM clip_vectors AS v JOIN embedding_spaces AS s ON s.id = v.space AND s.is_in_use
         WHERE v.kind = 1)::integer AS clips_with_vectors,
       (SELECT count(*) FROM transcripts)::integer AS clips_with_speech,
       (SELECT count(*) FROM segments WHERE kind = 'passage')::integer AS moments,
       (SELECT count(*) FROM moment_vectors AS v JOIN embedding_spaces AS s ON s.id = v.space AND s.is_in_use
       )::integer AS moments_with_vectors,
       (SELECT model FROM embedding_spaces WHERE is_in_use) AS model
)
SELECT json_agg(array_to_json(ARRAY[
       answer."clips"::text,
       answer."clips_in_question"::text,
       answer."clips_with_vectors"::text,
       answer."clips_with_speech"::text,
       answer."moments"::text,
       answer."moments_with_vectors"::text,
       answer."model"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["clips", 23], ["clips_in_question", 23], ["clips_with_vectors", 23], ["clips_with_speech", 23], ["moments", 23], ["moments_with_vectors", 23], ["model", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.queries_words() RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT word
  FROM ts_stat('SELECT fts FROM public.clip_texts ORDER BY created_at DESC, clip_id LIMIT 2000')
 WHERE length(word) >= 4 AND word !~ '[0-9]'
)
SELECT json_agg(array_to_json(ARRAY[
       answer."word"::text]))
  FROM answer
$query$ INTO answer;
    RETURN json_build_object('columns', '[["word", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_facts_activity("run_id" text, "slots" double precision) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
WITH made AS MATERIALIZED (
    SELECT asset, status, extract(epoch FROM measured_at)::float8 AS until,
           extract(epoch FROM measured_at)::float8 - coalesce(seconds, 0) AS since
      FROM run_steps($1)
     WHERE is_of_run
), span AS (
    SELECT min(since) AS since, greatest(max(until) - min(since), 0.001) / $2 AS slot_s FROM made
)
SELECT m.asset AS step, slot, count(*) AS clips, count(*) FILTER (WHERE m.status = 'failed') AS failed,
       min(s.since) AS since, min(s.slot_s) AS slot_s
  FROM made m
 CROSS JOIN span s
 CROSS JOIN LATERAL generate_series(
       least(floor((m.since - s.since) / s.slot_s), $2 - 1)::int,
       least(floor((m.until - s.since) / s.slot_s), $2 - 1)::int) AS slot
 GROUP BY m.asset, slot
 ORDER BY min(min(m.since)) OVER (PARTITION BY m.asset), m.asset, slot
)
SELECT json_agg(array_to_json(ARRAY[
       answer."step"::text,
       answer."slot"::text,
       answer."clips"::text,
       answer."failed"::text,
       answer."since"::text,
       answer."slot_s"::text]))
  FROM answer
$query$ INTO answer USING $1, $2;
    RETURN json_build_object('columns', '[["step", 25], ["slot", 23], ["clips", 20], ["failed", 20], ["since", 701], ["slot_s", 701]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_facts_causes("run_id" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT step, error_class, fault, count(*) AS clips
  FROM (SELECT r.asset AS step, r.error_class, r.fault
          FROM run_steps($1) r
          JOIN clips c ON c.id = r.clip_id
         WHERE r.status = 'failed' AND (r.asset = ANY(c.planned_steps) OR cardinality(c.planned_steps) = 0)
         UNION ALL
        SELECT 'read', NULL, 'file' FROM run_unreadable_files WHERE run_id = $1) f
 GROUP BY step, error_class, fault
 ORDER BY clips DESC, step, error_class
)
SELECT json_agg(array_to_json(ARRAY[
       answer."step"::text,
       answer."error_class"::text,
       answer."fault"::text,
       answer."clips"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["step", 25], ["error_class", 25], ["fault", 25], ["clips", 20]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_facts_clips_in_order("run_id" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT c.id
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
 WHERE t.run_id = $1
 ORDER BY c.file_path, c.id
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["id", 2950]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_facts_clips_of("run_id" text, "clips" uuid[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT c.id, c.user_id, c.file_name, c.file_path, c.file_checksum, c.file_size_bytes, c.duration_seconds::float8,
       coalesce(c.display_width, c.width) AS width, coalesce(c.display_height, c.height) AS height,
       c.frame_rate::float8, c.codec, c.container, c.camera_make, c.camera_model, c.lens_model, c.captured_at,
       c.captured_at_local, c.location_name, c.is_hdr, c.hdr_format, c.loudness_lufs, c.exposure_quality,
       c.exposure_stops, c.exposure_warning, c.scene_count, c.transcript_preview, c.content_summary, c.thumbnails,
       c.created_at, c.processed_at, c.processing_status, c.processing_progress, c.current_step, t.taken_as,
       s.state, s.failed_steps,
       (SELECT count(*) FROM clip_locations l WHERE l.clip_id = c.id) > 1 AS is_duplicate,
       (SELECT a.file_path FROM artifacts a
         WHERE a.video_id = c.id AND a.artifact_type = 'video_document') AS document,
       (SELECT jsonb_object_agg(a.analyzer, a.analysis_file_path) FROM analysis a
         WHERE a.clip_id = c.id AND NOT a.is_partial AND a.analysis_file_path IS NOT NULL) AS analyses
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
  JOIN clip_states s ON s.clip_id = c.id
 WHERE t.run_id = $1 AND c.id = ANY($2::uuid[])
 ORDER BY c.file_path, c.id
)
SELECT json_agg(array_to_json(ARRAY[
       answer."id"::text,
       answer."user_id"::text,
       answer."file_name"::text,
       answer."file_path"::text,
       answer."file_checksum"::text,
       answer."file_size_bytes"::text,
       answer."duration_seconds"::text,
       answer."width"::text,
       answer."height"::text,
       answer."frame_rate"::text,
       answer."codec"::text,
       answer."container"::text,
       answer."camera_make"::text,
       answer."camera_model"::text,
       answer."lens_model"::text,
       answer."captured_at"::text,
       answer."captured_at_local"::text,
       answer."location_name"::text,
       left(answer."is_hdr"::text, 1),
       answer."hdr_format"::text,
       answer."loudness_lufs"::text,
       answer."exposure_quality"::text,
       answer."exposure_stops"::text,
       left(answer."exposure_warning"::text, 1),
       answer."scene_count"::text,
       answer."transcript_preview"::text,
       answer."content_summary"::text,
       answer."thumbnails"::text,
       answer."created_at"::text,
       answer."processed_at"::text,
       answer."processing_status"::text,
       answer."processing_progress"::text,
       answer."current_step"::text,
       answer."taken_as"::text,
       answer."state"::text,
       answer."failed_steps"::text,
       left(answer."is_duplicate"::text, 1),
       answer."document"::text,
       answer."analyses"::text]))
  FROM answer
$query$ INTO answer USING $1, $2;
    RETURN json_build_object('columns', '[["id", 2950], ["user_id", 2950], ["file_name", 25], ["file_path", 25], ["file_checksum", 25], ["file_size_bytes", 20], ["duration_seconds", 701], ["width", 23], ["height", 23], ["frame_rate", 701], ["codec", 25], ["container", 25], ["camera_make", 25], ["camera_model", 25], ["lens_model", 25], ["captured_at", 1184], ["captured_at_local", 1114], ["location_name", 25], ["is_hdr", 16], ["hdr_format", 25], ["loudness_lufs", 701], ["exposure_quality", 25], ["exposure_stops", 701], ["exposure_warning", 16], ["scene_count", 23], ["transcript_preview", 25], ["content_summary", 25], ["thumbnails", 1009], ["created_at", 1184], ["processed_at", 1184], ["processing_status", 3802], ["processing_progress", 23], ["current_step", 25], ["taken_as", 25], ["state", 25], ["failed_steps", 1009], ["is_duplicate", 16], ["document", 25], ["analyses", 3802]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_facts_counts("run_id" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT k.kind, k.value, count(*) AS clips
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
 CROSS JOIN LATERAL (VALUES
       ('camera', nullif(trim(concat_ws(' ', CASE WHEN NOT coalesce(c.camera_model ^@ c.camera_make, false)
                                                  THEN c.camera_make END, c.camera_model)), '')),
       ('resolution', coalesce(c.display_width, c.width) || 'x' || coalesce(c.display_height, c.height)),
       ('codec', c.codec),
       ('container', c.container),
       ('exposure', c.exposure_quality),
       ('place', nullif(c.location_name, '')),
       ('language', c.transcript_language),
       ('day', to_char(coalesce(c.captured_at_local, c.captured_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD')))
       AS k (kind, value)
 WHERE t.run_id = $1 AND k.value IS NOT NULL
 GROUP BY k.kind, k.value
 ORDER BY k.kind, clips DESC, k.value
)
SELECT json_agg(array_to_json(ARRAY[
       answer."kind"::text,
       answer."value"::text,
       answer."clips"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["kind", 25], ["value", 25], ["clips", 20]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_facts_documents("clip_ids" uuid[]) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT clip_id, (content - 'analysis') #- '{camera,telemetry}' AS content
  FROM clip_documents($1::uuid[])
)
SELECT json_agg(array_to_json(ARRAY[
       answer."clip_id"::text,
       answer."content"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["clip_id", 2950], ["content", 3802]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_facts_failures("run_id" text, "at_most" bigint) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
WITH failed AS (
    SELECT r.clip_id, c.file_name AS file, r.asset AS step, r.error_class, r.error, r.fault, r.attempts
      FROM run_steps($1) r
      JOIN clips c ON c.id = r.clip_id
     WHERE r.status = 'failed' AND (r.asset = ANY(c.planned_steps) OR cardinality(c.planned_steps) = 0)
     UNION ALL
    SELECT NULL, f.path, 'read', NULL, f.reason, 'file', 1
      FROM run_unreadable_files f
     WHERE f.run_id = $1
), ranked AS (
    SELECT *, count(*) OVER (PARTITION BY step, error_class, fault) AS alike FROM failed
)
SELECT clip_id, file,
       jsonb_agg(jsonb_build_object('step', step, 'error_class', error_class, 'error', error, 'fault', fault,
                                    'attempts', attempts)
                 ORDER BY alike DESC, step) AS faults,
       count(*) OVER () AS total
  FROM ranked
 GROUP BY clip_id, file
 ORDER BY max(alike) DESC, min(step), file
 LIMIT $2
)
SELECT json_agg(array_to_json(ARRAY[
       answer."clip_id"::text,
       answer."file"::text,
       answer."faults"::text,
       answer."total"::text]))
  FROM answer
$query$ INTO answer USING $1, $2;
    RETURN json_build_object('columns', '[["clip_id", 2950], ["file", 25], ["faults", 3802], ["total", 20]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_facts_slowest("run_id" text, "at_most" bigint) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT c.file_name AS file, sum(r.seconds) AS seconds, c.duration_seconds::float8 AS duration_s,
       (array_agg(r.asset ORDER BY r.seconds DESC NULLS LAST))[1] AS step, max(r.seconds) AS step_s
  FROM run_steps($1) r
  JOIN clips c ON c.id = r.clip_id
 WHERE r.is_of_run AND r.seconds > 0
 GROUP BY c.id
 ORDER BY seconds DESC, c.file_name
 LIMIT $2
)
SELECT json_agg(array_to_json(ARRAY[
       answer."file"::text,
       answer."seconds"::text,
       answer."duration_s"::text,
       answer."step"::text,
       answer."step_s"::text]))
  FROM answer
$query$ INTO answer USING $1, $2;
    RETURN json_build_object('columns', '[["file", 25], ["seconds", 701], ["duration_s", 701], ["step", 25], ["step_s", 701]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_facts_spreads("run_id" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT coalesce(array_agg(c.duration_seconds::float8) FILTER (WHERE c.duration_seconds IS NOT NULL), '{}')
           AS durations_s,
       coalesce(array_agg(c.loudness_lufs) FILTER (WHERE c.loudness_lufs IS NOT NULL), '{}') AS loudness_lufs,
       coalesce(array_agg(c.exposure_stops) FILTER (WHERE c.exposure_stops IS NOT NULL), '{}') AS exposure_stops
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
 WHERE t.run_id = $1
)
SELECT json_agg(array_to_json(ARRAY[
       answer."durations_s"::text,
       answer."loudness_lufs"::text,
       answer."exposure_stops"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["durations_s", 1022], ["loudness_lufs", 1022], ["exposure_stops", 1022]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_facts_steps("run_id" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT r.asset AS step,
       count(*) FILTER (WHERE r.status = 'done') AS done,
       count(*) FILTER (WHERE r.status = 'failed') AS failed,
       count(*) FILTER (WHERE r.is_of_run) AS made,
       coalesce(sum(r.seconds) FILTER (WHERE r.is_of_run), 0) AS total_s,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY r.seconds) FILTER (WHERE r.is_of_run) AS median_s,
       max(r.seconds) FILTER (WHERE r.is_of_run) AS slowest_s,
       (array_agg(c.file_name ORDER BY r.seconds DESC NULLS LAST, c.file_name)
          FILTER (WHERE r.is_of_run AND r.seconds IS NOT NULL))[1] AS slowest_file,
       coalesce(sum(r.cost_usd) FILTER (WHERE r.is_of_run), 0)::float8 AS cost_usd
  FROM run_steps($1) r
  JOIN clips c ON c.id = r.clip_id
 GROUP BY r.asset
 ORDER BY total_s DESC, r.asset
)
SELECT json_agg(array_to_json(ARRAY[
       answer."step"::text,
       answer."done"::text,
       answer."failed"::text,
       answer."made"::text,
       answer."total_s"::text,
       answer."median_s"::text,
       answer."slowest_s"::text,
       answer."slowest_file"::text,
       answer."cost_usd"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["step", 25], ["done", 20], ["failed", 20], ["made", 20], ["total_s", 701], ["median_s", 701], ["slowest_s", 701], ["slowest_file", 25], ["cost_usd", 701]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_facts_timeline("run_id" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT c.file_name, c.processed_at, s.state, c.duration_seconds::float8
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
  JOIN clip_states s ON s.clip_id = c.id
 WHERE t.run_id = $1
 ORDER BY c.processed_at NULLS LAST, c.file_path, c.id
)
SELECT json_agg(array_to_json(ARRAY[
       answer."file_name"::text,
       answer."processed_at"::text,
       answer."state"::text,
       answer."duration_seconds"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["file_name", 25], ["processed_at", 1184], ["state", 25], ["duration_seconds", 701]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_facts_totals("run_id" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT count(*) AS clips,
       count(*) FILTER (WHERE s.state = 'complete') AS complete,
       count(*) FILTER (WHERE s.state = 'failed') AS failed,
       count(*) FILTER (WHERE s.state = 'processing') AS processing,
       count(*) FILTER (WHERE s.state = 'waiting') AS waiting,
       count(*) FILTER (WHERE t.taken_as = 'new') AS new,
       count(*) FILTER (WHERE t.taken_as = 'known') AS known,
       count(*) FILTER (WHERE t.taken_as = 'moved') AS moved,
       count(*) FILTER (WHERE t.taken_as = 'duplicate') AS duplicate,
       coalesce(sum(c.duration_seconds), 0)::float8 AS duration_s,
       coalesce(sum(c.file_size_bytes), 0)::bigint AS size_bytes,
       count(*) FILTER (WHERE c.is_hdr) AS hdr,
       count(*) FILTER (WHERE greatest(c.width, c.height) >= 3840 OR least(c.width, c.height) >= 2160) AS is_4k,
       count(*) FILTER (WHERE c.exposure_warning) AS exposure_warnings,
       count(*) FILTER (WHERE c.exposure_quality <> 'unknown') AS rated,
       avg(CASE c.exposure_quality WHEN 'excellent' THEN 1.0 WHEN 'good' THEN 0.75
                                   WHEN 'fair' THEN 0.5 WHEN 'poor' THEN 0.25 END)::float8 AS technical_quality,
       count(*) FILTER (WHERE c.has_audio) AS with_audio,
       count(*) FILTER (WHERE c.transcript_word_count > 0) AS with_transcript,
       count(*) FILTER (WHERE c.gps_latitude IS NOT NULL) AS with_position,
       coalesce(sum(c.scene_count), 0)::bigint AS scenes,
       min(coalesce(c.captured_at_local, c.captured_at AT TIME ZONE 'UTC')) AS first_captured,
       max(coalesce(c.captured_at_local, c.captured_at AT TIME ZONE 'UTC')) AS last_captured
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
  JOIN clip_states s ON s.clip_id = c.id
 WHERE t.run_id = $1
)
SELECT json_agg(array_to_json(ARRAY[
       answer."clips"::text,
       answer."complete"::text,
       answer."failed"::text,
       answer."processing"::text,
       answer."waiting"::text,
       answer."new"::text,
       answer."known"::text,
       answer."moved"::text,
       answer."duplicate"::text,
       answer."duration_s"::text,
       answer."size_bytes"::text,
       answer."hdr"::text,
       answer."is_4k"::text,
       answer."exposure_warnings"::text,
       answer."rated"::text,
       answer."technical_quality"::text,
       answer."with_audio"::text,
       answer."with_transcript"::text,
       answer."with_position"::text,
       answer."scenes"::text,
       answer."first_captured"::text,
       answer."last_captured"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["clips", 20], ["complete", 20], ["failed", 20], ["processing", 20], ["waiting", 20], ["new", 20], ["known", 20], ["moved", 20], ["duplicate", 20], ["duration_s", 701], ["size_bytes", 20], ["hdr", 20], ["is_4k", 20], ["exposure_warnings", 20], ["rated", 20], ["technical_quality", 701], ["with_audio", 20], ["with_transcript", 20], ["with_position", 20], ["scenes", 20], ["first_captured", 1114], ["last_captured", 1114]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_progress_clips_of_output("run_id" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT count(*)::int AS clips,
       (count(*) FILTER (WHERE s.state = 'complete'))::int AS complete,
       (count(*) FILTER (WHERE s.state = 'failed'))::int AS failed,
       coalesce(sum(c.total_steps), 0)::int AS cells,
       coalesce(sum(round(c.total_steps * c.processing_progress / 100.0)), 0)::int AS cells_done
  FROM run_clips t
  JOIN clips c ON c.id = t.clip_id
  JOIN clip_states s ON s.clip_id = c.id
 WHERE t.run_id = $1
)
SELECT json_agg(array_to_json(ARRAY[
       answer."clips"::text,
       answer."complete"::text,
       answer."failed"::text,
       answer."cells"::text,
       answer."cells_done"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["clips", 23], ["complete", 23], ["failed", 23], ["cells", 23], ["cells_done", 23]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_progress_clips_of_run("since" double precision, "run_id" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
WITH cells AS (
    SELECT video_id, step_name, (array_agg(status ORDER BY "timestamp" DESC))[1] AS status
      FROM processing_events
     WHERE "timestamp" > to_timestamp($1) - interval '1 minute' AND metadata ->> 'run' = $2
     GROUP BY video_id, step_name
)
SELECT count(DISTINCT video_id)::int AS clips,
       (count(DISTINCT video_id) FILTER (WHERE status IN ('failed', 'error')))::int AS failed,
       count(*)::int AS cells,
       (count(*) FILTER (WHERE status <> 'starting'))::int AS cells_done
  FROM cells
)
SELECT json_agg(array_to_json(ARRAY[
       answer."clips"::text,
       answer."failed"::text,
       answer."cells"::text,
       answer."cells_done"::text]))
  FROM answer
$query$ INTO answer USING $1, $2;
    RETURN json_build_object('columns', '[["clips", 23], ["failed", 23], ["cells", 23], ["cells_done", 23]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_progress_find("name" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT run_id, preset, status, started_at, ended_at
  FROM runs
 WHERE starts_with(run_id, $1)
    OR ($1 = 'latest' AND started_at = (SELECT max(started_at) FROM runs))
 ORDER BY run_id <> $1, started_at DESC
 LIMIT 20
)
SELECT json_agg(array_to_json(ARRAY[
       answer."run_id"::text,
       answer."preset"::text,
       answer."status"::text,
       answer."started_at"::text,
       answer."ended_at"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["run_id", 25], ["preset", 25], ["status", 25], ["started_at", 1184], ["ended_at", 1184]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.run_progress_steps("since" double precision, "until" double precision, "run_id" text, "output_run" text) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
WITH ends AS (
    SELECT e.step_name, e.step_index, e.status, e.video_id, c.file_name,
           (e.metadata ->> 'seconds')::float8 AS seconds
      FROM processing_events e
      JOIN clips c ON c.id = e.video_id
     WHERE e."timestamp" BETWEEN to_timestamp($1) - interval '1 minute'
                             AND coalesce(to_timestamp($2), now()) + interval '1 minute'
       AND e.status <> 'starting'
       AND e.metadata ->> 'error_class' IS DISTINCT FROM 'Interrupted'
       AND (e.metadata ->> 'run' = $3
            OR e.video_id IN (SELECT clip_id FROM run_clips WHERE run_id = $4))
)
SELECT step_name AS step,
       (count(*) FILTER (WHERE status = 'completed'))::int AS done,
       (count(DISTINCT video_id) FILTER (WHERE status <> 'completed'))::int AS failed,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE status = 'completed')
           AS median_s,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE status = 'completed')
           AS p95_s,
       max(seconds) FILTER (WHERE status = 'completed') AS slowest_s,
       (array_agg(file_name ORDER BY seconds DESC NULLS LAST, file_name)
           FILTER (WHERE status = 'completed'))[1] AS slowest
  FROM ends
 GROUP BY step_name
 ORDER BY min(step_index) NULLS LAST, step_name
)
SELECT json_agg(array_to_json(ARRAY[
       answer."step"::text,
       answer."done"::text,
       answer."failed"::text,
       answer."median_s"::text,
       answer."p95_s"::text,
       answer."slowest_s"::text,
       answer."slowest"::text]))
  FROM answer
$query$ INTO answer USING $1, $2, $3, $4;
    RETURN json_build_object('columns', '[["step", 25], ["done", 23], ["failed", 23], ["median_s", 701], ["p95_s", 701], ["slowest_s", 701], ["slowest", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.runs_list_runs("named" text, "at_most" bigint) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
WITH shown AS (
    SELECT *, count(*) OVER () AS total
      FROM runs
     WHERE $1::text IS NULL OR run_id = $1 OR name = $1 OR starts_with(run_id, $1)
     ORDER BY run_id = $1 DESC, started_at DESC, run_id DESC
     LIMIT $2
), states AS MATERIALIZED (
    SELECT clip_id, state FROM clip_states
     WHERE clip_id IN (SELECT clip_id FROM run_clips JOIN shown USING (run_id))
)
SELECT u.run_id, u.user_id, u.name, u.kind, u.preset, u.preset_document, u.roots, u.status, u.note, u.host,
       u.started_at, u.ended_at, u.total,
       count(t.clip_id) AS clips,
       count(*) FILTER (WHERE s.state = 'complete') AS complete,
       count(*) FILTER (WHERE s.state = 'failed') AS failed,
       count(*) FILTER (WHERE t.taken_as = 'new') AS new,
       (SELECT count(*) FROM run_unreadable_files f WHERE f.run_id = u.run_id) AS unreadable,
       coalesce(sum(c.duration_seconds), 0)::float8 AS duration_s,
       coalesce(sum(c.file_size_bytes), 0)::bigint AS size_bytes
  FROM shown u
  LEFT JOIN run_clips t ON t.run_id = u.run_id
  LEFT JOIN clips c ON c.id = t.clip_id
  LEFT JOIN states s ON s.clip_id = t.clip_id
 GROUP BY u.run_id, u.user_id, u.name, u.kind, u.preset, u.preset_document, u.roots, u.status, u.note, u.host,
          u.started_at, u.ended_at, u.total
 ORDER BY u.run_id = $1 DESC, u.started_at DESC, u.run_id DESC
)
SELECT json_agg(array_to_json(ARRAY[
       answer."run_id"::text,
       answer."user_id"::text,
       answer."name"::text,
       answer."kind"::text,
       answer."preset"::text,
       answer."preset_document"::text,
       answer."roots"::text,
       answer."status"::text,
       answer."note"::text,
       answer."host"::text,
       answer."started_at"::text,
       answer."ended_at"::text,
       answer."total"::text,
       answer."clips"::text,
       answer."complete"::text,
       answer."failed"::text,
       answer."new"::text,
       answer."unreadable"::text,
       answer."duration_s"::text,
       answer."size_bytes"::text]))
  FROM answer
$query$ INTO answer USING $1, $2;
    RETURN json_build_object('columns', '[["run_id", 25], ["user_id", 2950], ["name", 25], ["kind", 25], ["preset", 25], ["preset_document", 3802], ["roots", 1009], ["status", 25], ["note", 25], ["host", 25], ["started_at", 1184], ["ended_at", 1184], ["total", 20], ["clips", 20], ["complete", 20], ["failed", 20], ["new", 20], ["unreadable", 20], ["duration_s", 701], ["size_bytes", 20]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

CREATE FUNCTION readings.selection_select_clips("conditions" jsonb) RETURNS json
LANGUAGE plpgsql SET search_path = pg_catalog, public, extensions, pg_temp AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
SELECT file_checksum, preset FROM private.matching_clips($1)
)
SELECT json_agg(array_to_json(ARRAY[
       answer."file_checksum"::text,
       answer."preset"::text]))
  FROM answer
$query$ INTO answer USING $1;
    RETURN json_build_object('columns', '[["file_checksum", 25], ["preset", 25]]'::json, 'rows', coalesce(answer, '[]'));
END
$function$;

REVOKE ALL ON FUNCTION public.ask(text), private.own_cells(jsonb, text[], text[]), private.own_waits(text[]),
                       private.own_spending(), private.own_pauses(), private.forget_own_clip(uuid, text[])
  FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA readings FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION public.ask(text), private.own_cells(jsonb, text[], text[]), private.own_waits(text[]),
                          private.own_spending(), private.own_pauses(), private.forget_own_clip(uuid, text[])
   TO authenticated;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA readings TO authenticated;
