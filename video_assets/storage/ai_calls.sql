-- name: reserve(checksum, asset, run, provider, model, account, request, usd, tokens, prices_as_of, is_price_known, requests_a_minute, tokens_a_minute, call_cap, run_cap, day_cap, owner_cap)^
SELECT call_id, wait_s, obstacle, detail, nullif(until, 'infinity') AS until
  FROM private.reserve_ai_call(
       :checksum, :asset, :run, :provider, :model, :account, :request, :usd::numeric, :tokens::bigint,
       :prices_as_of::date, :is_price_known, :requests_a_minute::int, :tokens_a_minute::bigint,
       :call_cap::numeric, :run_cap::numeric, :day_cap::numeric, :owner_cap::numeric);

-- name: spent(owner)^
-- What was spent or is reserved today, and by one owner this month.
SELECT coalesce(sum(t.usd) FILTER (WHERE s.kind = 'day'), 0) AS day,
       coalesce(sum(t.usd) FILTER (WHERE s.kind = 'owner'), 0) AS owner
  FROM (VALUES ('day', 'day ' || to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')),
               ('owner', 'owner ' || :owner::text || to_char(now() AT TIME ZONE 'UTC', ' YYYY-MM')))
       AS s(kind, scope)
  JOIN private.ai_totals t ON t.scope = s.scope;

-- name: lengths(checksums)
-- How long clips are, as far as it is known.
SELECT DISTINCT ON (file_checksum) file_checksum, duration_seconds::float8 AS duration_s,
       coalesce(has_audio, true) AS has_sound
  FROM clips
 WHERE file_checksum = ANY(:checksums) AND duration_seconds IS NOT NULL
 ORDER BY file_checksum;

-- name: lose(checksums, asset)!
SELECT private.lose_ai_calls(:checksums, :asset);

-- name: settle(call, outcome, usd, input_tokens, cached_tokens, output_tokens, latency_s, error, answer)!
SELECT private.settle_ai_call(:call, :outcome, :usd::numeric, :input_tokens::bigint, :cached_tokens::bigint,
                              :output_tokens::bigint, :latency_s::float8, :error, :answer::json);

-- name: mark_invalid(call, error)!
UPDATE ai_calls SET outcome = 'invalid', error = :error WHERE id = :call AND status = 'settled';

-- name: earlier(checksum, asset, request)^
-- What was answered to the same request and may be told again.
SELECT id, outcome, answer, input_tokens, cached_tokens, output_tokens, cost_usd, error
  FROM ai_calls
 WHERE file_checksum = :checksum AND asset = :asset AND request = :request
   AND status = 'settled' AND outcome IN ('answered', 'invalid', 'refused') AND is_reusable
 ORDER BY settled_at DESC
 LIMIT 1;

-- name: use(checksum, asset, calls)!
-- Of which answers the result of a cell is made.
UPDATE ai_calls SET is_used = (id = ANY(:calls))
 WHERE file_checksum = :checksum AND asset = :asset AND is_used <> (id = ANY(:calls));

-- name: kept(checksum, asset, requests)$
-- The result of a cell that was made of the answers to these requests, if it still is.
SELECT r.result
  FROM results r
 WHERE r.file_checksum = :checksum AND r.asset = :asset AND r.status = 'done'
   AND cardinality(:requests::text[]) = (
       SELECT count(DISTINCT a.request) FROM ai_calls a
        WHERE a.file_checksum = r.file_checksum AND a.asset = r.asset AND a.is_used AND a.counted
          AND a.request = ANY(:requests::text[]));

-- name: note_trouble(account, provider, asset, reason, patience, pause_s)$
SELECT private.note_ai_trouble(:account, :provider, :asset, :reason, :patience::int, :pause_s::float8);

-- name: forget_trouble(account)!
-- What answers after a pause began was under way before it.
DELETE FROM private.ai_pauses WHERE account = :account AND until <= clock_timestamp();

-- name: show_partial(checksum, analyzer, model, summary, visual, audio, content)!
-- What has arrived so far, beside the last whole answer, for every owner of the content.
INSERT INTO analysis (clip_id, user_id, analyzer, ai_model, is_partial, analysis_summary,
                      visual_analysis, audio_analysis, content_analysis)
SELECT c.id, c.user_id, :analyzer, :model, true, :summary, :visual, :audio, :content
  FROM clips c
 WHERE c.file_checksum = :checksum
ON CONFLICT (clip_id, analyzer, segment_id, is_partial) DO UPDATE
   SET ai_model = excluded.ai_model, analysis_summary = excluded.analysis_summary,
       visual_analysis = excluded.visual_analysis, audio_analysis = excluded.audio_analysis,
       content_analysis = excluded.content_analysis, created_at = now();

-- name: hide_partial(checksum, analyzer)!
DELETE FROM analysis a
 USING clips c
 WHERE c.file_checksum = :checksum AND a.clip_id = c.id AND a.analyzer = :analyzer AND a.is_partial;
