-- All of these but the last run as `authenticated`: row level security leaves what the caller pays for.

-- name: groups(by, since, at_most)
-- What calls cost, by what they were made for; the dearest first, days in their order.
WITH named AS (
    SELECT a.*, CASE :by WHEN 'asset' THEN a.asset
                         WHEN 'model' THEN a.provider || '/' || a.model
                         WHEN 'day' THEN to_char(a.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')
                         WHEN 'owner' THEN a.user_id::text
                         ELSE a.file_checksum END AS name
      FROM ai_calls a
     WHERE :since::timestamptz IS NULL OR a.sent_at >= :since::timestamptz
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
 ORDER BY CASE WHEN :by = 'day' THEN name END DESC, usd DESC, calls DESC, name
 LIMIT :at_most;

-- name: whole(since)^
SELECT count(*)::int AS calls, coalesce(sum(coalesce(cost_usd, reserved_usd)), 0) AS usd
  FROM ai_calls
 WHERE :since::timestamptz IS NULL OR sent_at >= :since::timestamptz;

-- name: spending()^
-- What the caller has spent since midnight UTC and in this month, with what is reserved for them.
SELECT today_usd, month_usd FROM private.own_spending();

-- name: answers(checksum)
-- What is kept of what was answered about a clip, and what is waited for, the latest first.
SELECT asset, provider || '/' || model AS model, status, outcome, sent_at,
       coalesce(cost_usd, reserved_usd) AS usd, error, answer, batch
  FROM ai_calls
 WHERE file_checksum = :checksum AND (answer IS NOT NULL OR error IS NOT NULL OR status = 'waiting')
 ORDER BY sent_at DESC;

-- name: pauses()
-- The services that nobody asks for now, of those that the caller's clips need.
SELECT provider, asset, reason, until FROM private.own_pauses() ORDER BY until;

-- name: of_run(run)$
-- What a run has spent, with what is reserved for it.
SELECT coalesce((SELECT usd FROM private.ai_totals WHERE scope = 'run ' || :run), 0);
