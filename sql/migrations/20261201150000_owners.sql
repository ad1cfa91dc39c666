-- Owners: what admins may read of all of them, who pays for what several have, and what goes with an account.

-- Admins read through functions of their own: an OR in a policy would cost every query of everybody its index.
CREATE FUNCTION private.refuse_all_but_admins() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT private.is_admin() THEN
        RAISE EXCEPTION 'only an admin may ask this'
            USING ERRCODE = 'insufficient_privilege', HINT = 'whoever runs the database makes admins';
    END IF;
END
$$;

CREATE FUNCTION public.admin_list_profiles(at_most integer DEFAULT 50, skipped integer DEFAULT 0)
RETURNS TABLE (id uuid, email text, display_name text, profile_type text, created_at timestamptz,
               clips bigint, size_bytes bigint, duration_s double precision, month_usd numeric, total bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.refuse_all_but_admins();
    RETURN QUERY
    SELECT p.id, u.email::text, p.display_name, p.profile_type, p.created_at,
           c.clips, c.size_bytes, c.duration_s, coalesce(t.usd, 0), p.total
      FROM (SELECT a.*, count(*) OVER () AS total
              FROM public.user_profiles AS a
             ORDER BY a.created_at, a.id
             LIMIT at_most OFFSET skipped) AS p
      JOIN auth.users AS u ON u.id = p.id
     CROSS JOIN LATERAL (
           SELECT count(*) AS clips, coalesce(sum(o.file_size_bytes), 0)::bigint AS size_bytes,
                  coalesce(sum(o.duration_seconds), 0)::float8 AS duration_s
             FROM public.clips AS o WHERE o.user_id = p.id) AS c
      LEFT JOIN private.ai_totals AS t
        ON t.scope = 'owner ' || p.id || to_char(now() AT TIME ZONE 'UTC', ' YYYY-MM')
     ORDER BY p.created_at, p.id;
END
$$;
COMMENT ON FUNCTION public.admin_list_profiles(integer, integer) IS
    'For admins: every owner in the order in which they came, with how much they have and spent this month.';

CREATE FUNCTION public.admin_list_clips(whose text DEFAULT NULL, at_most integer DEFAULT 50, skipped integer DEFAULT 0)
RETURNS TABLE (id uuid, user_id uuid, file_name text, file_path text, file_checksum text, file_size_bytes bigint,
               duration_seconds numeric, state text, processing_progress integer, content_category text,
               content_summary text, content_tags text[], created_at timestamptz, total bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    _found uuid;
BEGIN
    PERFORM private.refuse_all_but_admins();
    IF whose IS NOT NULL THEN
        _found := private.find_owner(whose);
        IF _found IS NULL THEN
            RAISE EXCEPTION 'there is no owner %', whose USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END IF;
    RETURN QUERY
    SELECT c.id, c.user_id, c.file_name, c.file_path, c.file_checksum, c.file_size_bytes, c.duration_seconds,
           s.state, c.processing_progress, c.content_category, c.content_summary, c.content_tags, c.created_at,
           c.total
      FROM (SELECT o.*, count(*) OVER () AS total
              FROM public.clips AS o
             WHERE whose IS NULL OR o.user_id = _found
             ORDER BY o.created_at DESC, o.id
             LIMIT at_most OFFSET skipped) AS c
      JOIN public.clip_states AS s ON s.clip_id = c.id
     ORDER BY c.created_at DESC, c.id;
END
$$;
COMMENT ON FUNCTION public.admin_list_clips(text, integer, integer) IS
    'For admins: the clips of one owner by id or address, or of all, newest first.';

CREATE FUNCTION public.admin_stats()
RETURNS TABLE (owners bigint, admins bigint, clips bigint, contents bigint, size_bytes bigint,
               duration_s double precision, unfinished bigint, month_usd numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.refuse_all_but_admins();
    RETURN QUERY
    SELECT p.owners, p.admins, c.clips, c.contents, c.size_bytes, c.duration_s, c.unfinished, t.usd
      FROM (SELECT count(*) AS owners, count(*) FILTER (WHERE profile_type = 'admin') AS admins
              FROM public.user_profiles) AS p
     CROSS JOIN (SELECT count(*) AS clips, count(DISTINCT o.file_checksum) AS contents,
                        coalesce(sum(o.file_size_bytes), 0)::bigint AS size_bytes,
                        coalesce(sum(o.duration_seconds), 0)::float8 AS duration_s,
                        count(*) FILTER (WHERE o.processing_progress < 100) AS unfinished
                   FROM public.clips AS o) AS c
     CROSS JOIN (SELECT coalesce(sum(a.usd), 0) AS usd
                   FROM private.ai_totals AS a
                  WHERE a.scope LIKE 'day ' || to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM') || '-%') AS t;
END
$$;
COMMENT ON FUNCTION public.admin_stats() IS 'For admins: how much there is of all owners together.';


-- Reserve a call, or say why not: `wait_s` until one is worth asking for again, or `obstacle` (pause, call,
-- run, day or owner), with what stands in its way. Who asked pays, as long as their cap lets them; else another owner
-- of the content: so a cap of somebody else never holds up a clip, which would tell that they have it too.
CREATE OR REPLACE FUNCTION private.reserve_ai_call(
    _checksum text, _asset text, _run text, _provider text, _model text, _account text, _request text,
    _usd numeric, _tokens bigint, _prices_as_of date, _is_price_known boolean,
    _requests_a_minute integer, _tokens_a_minute bigint,
    _call_cap numeric, _run_cap numeric, _day_cap numeric, _owner_cap numeric
) RETURNS TABLE (call_id uuid, wait_s double precision, obstacle text, detail text, until timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- A request that was sent has arrived after at most five seconds, so no server sees more in any minute.
    _window constant interval := '65 seconds';
    _call   public.ai_calls;
    _paused record;
    _full   record;
    _since  timestamptz;
BEGIN
    PERFORM private.lose_ai_calls(ARRAY[_checksum], _asset);  -- this process holds the cell now
    _call.run_id := _run;
    _call.sent_at := clock_timestamp();
    _call.user_id := (
        SELECT c.user_id
          FROM public.clips AS c
          LEFT JOIN private.ai_totals AS t
            ON t.scope = 'owner ' || c.user_id || to_char(_call.sent_at AT TIME ZONE 'UTC', ' YYYY-MM')
         WHERE c.file_checksum = _checksum
         ORDER BY _usd > 0 AND _owner_cap IS NOT NULL AND coalesce(t.usd, 0) + _usd > _owner_cap,
                  c.user_id IS DISTINCT FROM (SELECT r.user_id FROM public.runs AS r WHERE r.run_id = _run),
                  c.created_at, c.id
         LIMIT 1);

    SELECT p.reason, p.until INTO _paused FROM private.ai_pauses AS p
     WHERE p.account = _account AND p.until > _call.sent_at;
    IF FOUND THEN
        RETURN QUERY SELECT NULL::uuid, NULL::float8, 'pause'::text, _paused.reason, _paused.until;
        RETURN;
    END IF;
    IF _usd > _call_cap THEN
        RETURN QUERY SELECT NULL::uuid, NULL::float8, 'call'::text, NULL::text, 'infinity'::timestamptz;
        RETURN;
    END IF;

    SELECT c.kind, c.until, s.scope, coalesce(t.usd, 0) AS usd, c.cap INTO _full
      FROM (VALUES (1, 'run', _run_cap, 'infinity'::timestamptz),
                   (2, 'day', _day_cap, date_trunc('day', _call.sent_at, 'UTC') + interval '1 day'),
                   (3, 'owner', _owner_cap, date_trunc('month', _call.sent_at, 'UTC') + interval '1 month'))
           AS c(place, kind, cap, until)
      JOIN private.ai_scopes(_call) AS s ON s.kind = c.kind
      LEFT JOIN private.ai_totals AS t ON t.scope = s.scope
     WHERE _usd > 0 AND coalesce(t.usd, 0) + _usd > c.cap
     ORDER BY c.place
     LIMIT 1;
    IF FOUND AND _full.usd - private.ai_usd_under_way(_full.scope) + _usd <= _full.cap THEN
        RETURN QUERY SELECT NULL::uuid, 1::float8, NULL::text, NULL::text, NULL::timestamptz;
        RETURN;
    ELSIF _full.kind IS NOT NULL THEN
        RETURN QUERY SELECT NULL::uuid, NULL::float8, _full.kind, _full.usd::text, _full.until;
        RETURN;
    END IF;

    -- The moment at which the call that fills the limit leaves the window.
    IF _requests_a_minute IS NOT NULL THEN
        SELECT a.sent_at INTO _since FROM public.ai_calls AS a
         WHERE a.account = _account AND a.sent_at > _call.sent_at - _window
         ORDER BY a.sent_at DESC OFFSET _requests_a_minute - 1 LIMIT 1;
    END IF;
    IF _since IS NULL AND _tokens_a_minute IS NOT NULL THEN
        SELECT w.sent_at INTO _since
          FROM (SELECT a.sent_at,
                       sum(coalesce(a.input_tokens + a.output_tokens, a.reserved_tokens))
                           OVER (ORDER BY a.sent_at DESC, a.id) AS tokens
                  FROM public.ai_calls AS a
                 WHERE a.account = _account AND a.sent_at > _call.sent_at - _window) AS w
         WHERE w.tokens + _tokens > _tokens_a_minute
         ORDER BY w.sent_at DESC LIMIT 1;
    END IF;
    IF _since IS NOT NULL THEN
        RETURN QUERY SELECT NULL::uuid, extract(epoch FROM _since + _window - _call.sent_at)::float8,
                            NULL::text, NULL::text, NULL::timestamptz;
        RETURN;
    END IF;

    RETURN QUERY
    INSERT INTO public.ai_calls (user_id, file_checksum, asset, run_id, provider, model, account, request,
                                 reserved_usd, reserved_tokens, prices_as_of, is_price_known, sent_at)
    VALUES (_call.user_id, _checksum, _asset, _run, _provider, _model, _account, _request, _usd, _tokens,
            _prices_as_of, _is_price_known, _call.sent_at)
    RETURNING id, NULL::float8, NULL::text, NULL::text, NULL::timestamptz;
END
$$;

COMMENT ON COLUMN public.ai_calls.user_id IS
    'Who pays: of the owners of the content whoever asked, or who had it first; before them who has not reached their cap.';


-- However an account is deleted, its rows go by cascade. What is left has no owner that a cascade would follow: of its
-- contents, and of the folders of its runs, word is left for the next clean-up; what it spent is forgotten.
CREATE FUNCTION private.leave_word() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.deletions (kind, target, items, marked_by)
    SELECT 'forgotten', left(c.file_checksum, 2) || '/' || c.file_checksum, 0, 'account'
      FROM public.clips AS c WHERE c.user_id = OLD.id
    ON CONFLICT (kind, target) WHERE removed_at IS NULL DO NOTHING;
    INSERT INTO public.deletions (kind, target, marked_by)
    SELECT 'run folder', r.run_id, 'account' FROM public.runs AS r WHERE r.user_id = OLD.id
    ON CONFLICT (kind, target) WHERE removed_at IS NULL DO NOTHING;
    DELETE FROM private.ai_totals AS t
     USING public.runs AS r
     WHERE r.user_id = OLD.id AND t.scope = 'run ' || r.run_id;
    DELETE FROM private.ai_totals AS t WHERE starts_with(t.scope, 'owner ' || OLD.id || ' ');
    RETURN OLD;
END
$$;

CREATE TRIGGER on_auth_user_deleted BEFORE DELETE ON auth.users
FOR EACH ROW EXECUTE FUNCTION private.leave_word();
COMMENT ON TABLE private.ai_totals IS
    'What was spent or is reserved, by run, day and owner in a month; deleting an account gives a day nothing back.';


REVOKE ALL ON FUNCTION private.refuse_all_but_admins(), private.leave_word(),
                       public.admin_list_profiles(integer, integer), public.admin_list_clips(text, integer, integer),
                       public.admin_stats()
  FROM PUBLIC, anon, authenticated, service_role;
-- Whoever is no admin may call them, and is told so.
GRANT EXECUTE ON FUNCTION public.admin_list_profiles(integer, integer), public.admin_list_clips(text, integer, integer),
                          public.admin_stats()
   TO authenticated;
