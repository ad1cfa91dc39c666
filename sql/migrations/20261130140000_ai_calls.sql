-- Calls that cost money, what they may cost, and what is left for later because of it.

CREATE TABLE public.ai_calls (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    file_checksum text NOT NULL,
    asset         text NOT NULL,
    run_id        text,
    provider      text NOT NULL,
    model         text NOT NULL,
    account       text NOT NULL,
    request       text NOT NULL,
    status        text NOT NULL DEFAULT 'reserved' CHECK (status IN ('reserved', 'settled', 'lost')),
    outcome       text CHECK (outcome IN ('answered', 'invalid', 'refused', 'rate_limited', 'failed', 'cancelled')),
    reserved_usd  numeric NOT NULL CHECK (reserved_usd >= 0),
    cost_usd      numeric CHECK (cost_usd >= 0),
    prices_as_of  date,
    is_price_known boolean NOT NULL DEFAULT true,
    reserved_tokens bigint NOT NULL CHECK (reserved_tokens >= 0),
    input_tokens  bigint CHECK (input_tokens >= 0),
    cached_tokens bigint CHECK (cached_tokens >= 0),
    output_tokens bigint CHECK (output_tokens >= 0),
    latency_s     double precision CHECK (latency_s >= 0),
    error         text,
    answer        json,
    counted       boolean NOT NULL DEFAULT false,
    is_reusable   boolean NOT NULL DEFAULT true,
    sent_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at    timestamptz,
    CHECK ((status = 'reserved') = (cost_usd IS NULL))
);
COMMENT ON TABLE public.ai_calls IS
    'Every attempt to call a paid service: reserved before it is sent, settled with what it cost.';
COMMENT ON COLUMN public.ai_calls.user_id IS 'Who pays: the first owner of the content.';
COMMENT ON COLUMN public.ai_calls.run_id IS 'The ingest or backfill to whose cap it counts.';
COMMENT ON COLUMN public.ai_calls.account IS 'Digest of provider, address and key, which share a rate limit; no key follows from it.';
COMMENT ON COLUMN public.ai_calls.request IS 'Digest of what was asked: the same request is not paid for twice.';
COMMENT ON COLUMN public.ai_calls.status IS 'lost: its process ended before it was settled, so the whole reservation counts as spent.';
COMMENT ON COLUMN public.ai_calls.prices_as_of IS 'Date of the price table; null where the call is free.';
COMMENT ON COLUMN public.ai_calls.is_price_known IS 'If not, it was allowed by name, and its cost is told as 0.';
COMMENT ON COLUMN public.ai_calls.counted IS 'Its cost is part of the cost of a result.';
COMMENT ON COLUMN public.ai_calls.is_reusable IS 'Whether the same request gets this answer again, instead of being sent.';
COMMENT ON COLUMN public.ai_calls.answer IS
    'As it came, until the result that is made of it is saved; until the content is erased if it could not be used.';

-- The calls within a minute of one account.
CREATE INDEX ai_calls_account ON public.ai_calls (account, sent_at);
-- What a run and an owner have been charged for, and when.
CREATE INDEX ai_calls_run ON public.ai_calls (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX ai_calls_owner ON public.ai_calls (user_id, sent_at);
CREATE INDEX ai_calls_time ON public.ai_calls (sent_at);
-- What a cell has cost, and what was answered to it.
CREATE INDEX ai_calls_cell ON public.ai_calls (file_checksum, asset, request);
-- What is on its way: few.
CREATE INDEX ai_calls_reserved ON public.ai_calls (sent_at) WHERE status = 'reserved';

-- Caps are held against these, because adding up the calls of a month for each call would take longer than it.
CREATE TABLE private.ai_totals (
    scope text PRIMARY KEY,
    usd   numeric NOT NULL
);
COMMENT ON TABLE private.ai_totals IS
    'What was spent or is reserved, by run, day and owner in a month; erasing an owner gives nothing back.';

CREATE FUNCTION private.ai_scopes(_call public.ai_calls) RETURNS TABLE (kind text, scope text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.kind, s.kind || ' ' || s.name
      FROM (VALUES ('run', _call.run_id),
                   ('day', to_char(_call.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')),
                   ('owner', _call.user_id || ' ' || to_char(_call.sent_at AT TIME ZONE 'UTC', 'YYYY-MM')))
           AS s(kind, name)
     WHERE s.name IS NOT NULL
$$;

CREATE FUNCTION private.add_to_ai_totals() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    _more numeric := coalesce(NEW.cost_usd, NEW.reserved_usd)
                     - CASE TG_OP WHEN 'UPDATE' THEN coalesce(OLD.cost_usd, OLD.reserved_usd) ELSE 0 END;
BEGIN
    IF _more <> 0 THEN
        INSERT INTO private.ai_totals AS t (scope, usd)
        SELECT s.scope, _more FROM private.ai_scopes(NEW) AS s
        ON CONFLICT (scope) DO UPDATE SET usd = t.usd + excluded.usd;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER ai_calls_total
AFTER INSERT OR UPDATE OF cost_usd, reserved_usd
ON public.ai_calls FOR EACH ROW EXECUTE FUNCTION private.add_to_ai_totals();

CREATE TABLE private.ai_pauses (
    account    text PRIMARY KEY,
    provider   text NOT NULL,
    asset      text NOT NULL,
    failures   integer NOT NULL DEFAULT 0,
    reason     text NOT NULL,
    until      timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON TABLE private.ai_pauses IS 'Services that fail: how often in a row, and until when nobody asks them.';

CREATE TABLE private.postponed_cells (
    file_checksum text NOT NULL,
    asset         text NOT NULL,
    reason        text NOT NULL,
    until         timestamptz NOT NULL,
    noted_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (file_checksum, asset)
);
COMMENT ON TABLE private.postponed_cells IS
    'Cells that were taken up and left undone for a reason beside the clip; infinity: until somebody asks for them.';

-- Somebody has to look again at a clip that was settled.
CREATE TRIGGER postponed_unsettle
AFTER INSERT OR DELETE OR UPDATE OF until
ON private.postponed_cells FOR EACH ROW EXECUTE FUNCTION private.unsettle();


CREATE TABLE public.analysis (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    clip_id            uuid NOT NULL,
    user_id            uuid NOT NULL DEFAULT auth.uid(),
    segment_id         uuid,
    analysis_type      text NOT NULL DEFAULT 'comprehensive',
    analysis_scope     text NOT NULL DEFAULT 'full_clip' CHECK (analysis_scope IN ('full_clip', 'segment')),
    analyzer           text NOT NULL,
    ai_model           text NOT NULL,
    is_partial         boolean NOT NULL DEFAULT false,
    content_category   text,
    usability_rating   text,
    speaker_count      integer,
    analysis_summary   jsonb,
    visual_analysis    jsonb,
    audio_analysis     jsonb,
    content_analysis   jsonb,
    analysis_file_path text CHECK (analysis_file_path !~ '(^[/\\~]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$))'),
    cost_usd           numeric CHECK (cost_usd >= 0),
    seconds            double precision CHECK (seconds >= 0),
    created_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT check_analysis_scope CHECK ((analysis_scope = 'full_clip') = (segment_id IS NULL)),
    -- A rerun replaces; what arrives while a call runs stands beside the last whole answer.
    UNIQUE NULLS NOT DISTINCT (clip_id, analyzer, segment_id, is_partial),
    FOREIGN KEY (clip_id, user_id) REFERENCES public.clips (id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (segment_id, user_id) REFERENCES public.segments (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE public.analysis IS 'What models say of a clip, one row per analyzer, side by side.';
COMMENT ON COLUMN public.analysis.analyzer IS 'The asset that made it, such as gemini_analysis.';
COMMENT ON COLUMN public.analysis.is_partial IS 'What has arrived so far of an answer that is still coming.';

-- The policies, and the cascades from a clip and a segment.
CREATE INDEX analysis_owner ON public.analysis (user_id);
CREATE INDEX analysis_clip ON public.analysis (clip_id, user_id);
CREATE INDEX analysis_segment ON public.analysis (segment_id, user_id);


-- Whoever changes what was spent is alone: else two that each fit under a cap would exceed it together.
CREATE FUNCTION private.lock_ai_calls() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('private.ai_calls', 0))
$$;

-- Give up the calls of cells whose process has ended: nobody knows what they came to.
CREATE FUNCTION private.lose_ai_calls(_checksums text[], _asset text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.lock_ai_calls();
    UPDATE public.ai_calls AS a
       SET status = 'lost', cost_usd = a.reserved_usd, settled_at = clock_timestamp()
     WHERE a.file_checksum = ANY(_checksums) AND a.asset = _asset AND a.status = 'reserved';
END
$$;

CREATE FUNCTION private.settle_ai_call(
    _call uuid, _outcome text, _usd numeric, _input_tokens bigint, _cached_tokens bigint, _output_tokens bigint,
    _latency_s double precision, _error text, _answer json
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.lock_ai_calls();
    UPDATE public.ai_calls AS a
       SET status = 'settled', outcome = _outcome, cost_usd = _usd, input_tokens = _input_tokens,
           cached_tokens = _cached_tokens, output_tokens = _output_tokens, latency_s = _latency_s,
           error = _error, answer = _answer, settled_at = clock_timestamp()
     WHERE a.id = _call AND a.status = 'reserved';
END
$$;

-- What is reserved within a scope by processes that live: it may yet come to less. A process holds the lock of
-- each of its cells, as `claim` in ledger.sql takes it.
CREATE FUNCTION private.ai_usd_under_way(_scope text) RETURNS numeric
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH held AS MATERIALIZED (
        SELECT (l.classid::bigint << 32) | l.objid::bigint AS key
          FROM pg_locks AS l
         WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
           AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    )
    SELECT coalesce(sum(a.reserved_usd), 0)
      FROM public.ai_calls AS a
     WHERE a.status = 'reserved' AND a.sent_at > clock_timestamp() - interval '30 minutes'
       AND _scope IN (SELECT s.scope FROM private.ai_scopes(a) AS s)
       AND hashtextextended(a.asset || ' ' || a.file_checksum, 0) IN (SELECT h.key FROM held AS h)
$$;

-- Reserve a call, or say why not: `wait_s` until one is worth asking for again, or `obstacle` (pause, call,
-- run, day or owner), with what stands in its way.
CREATE FUNCTION private.reserve_ai_call(
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
    _call.user_id := (SELECT c.user_id FROM public.clips AS c WHERE c.file_checksum = _checksum
                       ORDER BY c.created_at, c.id LIMIT 1);
    _call.run_id := _run;
    _call.sent_at := clock_timestamp();

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

-- Note that a service failed. From `_patience` failures in a row on, or for as long as it says itself, nobody
-- asks it: a minute, then twice as long each time, at most an hour. Calls that were under way when that began
-- tell nothing new.
CREATE FUNCTION private.note_ai_trouble(
    _account text, _provider text, _asset text, _reason text, _patience integer, _pause_s double precision
) RETURNS timestamptz
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO private.ai_pauses AS p (account, provider, asset, failures, reason, until)
    VALUES (_account, _provider, _asset, 1, _reason,
            CASE WHEN _pause_s IS NOT NULL THEN clock_timestamp() + make_interval(secs => _pause_s)
                 WHEN _patience <= 1 THEN clock_timestamp() + interval '1 minute'
                 ELSE '-infinity' END)
    ON CONFLICT (account) DO UPDATE
       SET failures = p.failures + (p.until <= clock_timestamp())::int, reason = excluded.reason,
           asset = excluded.asset,
           until = CASE WHEN _pause_s IS NOT NULL
                        THEN greatest(p.until, clock_timestamp() + make_interval(secs => _pause_s))
                        WHEN p.until <= clock_timestamp() AND p.failures + 1 >= _patience
                        THEN clock_timestamp()
                             + least(interval '1 hour',
                                     interval '1 minute' * 2 ^ least(p.failures + 1 - _patience, 6))
                        ELSE p.until END
    RETURNING CASE WHEN until > clock_timestamp() THEN until END
$$;

REVOKE ALL ON public.ai_calls, public.analysis, private.ai_totals, private.ai_pauses, private.postponed_cells
  FROM PUBLIC, anon, authenticated, service_role;
REVOKE ALL ON FUNCTION private.ai_scopes, private.add_to_ai_totals, private.lock_ai_calls, private.lose_ai_calls,
                       private.settle_ai_call, private.ai_usd_under_way, private.reserve_ai_call,
                       private.note_ai_trouble
  FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE
   ON public.ai_calls, public.analysis, private.ai_totals, private.ai_pauses, private.postponed_cells
   TO service_role;
GRANT SELECT ON public.ai_calls, public.analysis TO authenticated;
GRANT EXECUTE ON FUNCTION private.ai_scopes, private.lock_ai_calls, private.lose_ai_calls, private.settle_ai_call,
                          private.ai_usd_under_way, private.reserve_ai_call, private.note_ai_trouble
   TO service_role;

ALTER TABLE public.ai_calls ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.analysis ENABLE ROW LEVEL SECURITY;
ALTER TABLE private.ai_totals ENABLE ROW LEVEL SECURITY;
ALTER TABLE private.ai_pauses ENABLE ROW LEVEL SECURITY;
ALTER TABLE private.postponed_cells ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Owners see what they pay for" ON public.ai_calls
    FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Owners see their analyses" ON public.analysis
    FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Nobody sees the totals" ON private.ai_totals FOR SELECT TO authenticated USING (false);
CREATE POLICY "Nobody sees the pauses" ON private.ai_pauses FOR SELECT TO authenticated USING (false);
CREATE POLICY "Nobody sees what is postponed" ON private.postponed_cells
    FOR SELECT TO authenticated USING (false);
