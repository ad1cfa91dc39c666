-- name: take_turn()$
-- Whether nobody else is sending; the lock ends with the transaction.
SELECT pg_try_advisory_xact_lock(hashtextextended('video-assets messages', 0));

-- name: last_message(min_interval_s)^
-- Until when everybody was told, and whether it is time again. The first message tells of one interval.
SELECT coalesce(max(covers_until) FILTER (WHERE is_delivered),
                now() - make_interval(secs => :min_interval_s)) AS since,
       now() AS until,
       coalesce(max(sent_at) <= now() - make_interval(secs => :min_interval_s), true) AS is_time
  FROM private.messages;

-- name: failures(owner, since, until, lasting, passing, at_most)
-- Steps that failed since then and are not tried again, by cause, with a few examples.
WITH failed AS (
    SELECT r.asset, coalesce(r.fault, 'ours') AS fault, coalesce(r.error_class, '') AS error_class,
           coalesce(r.error, '') AS error, r.measured_at,
           coalesce(c.file_name, 'clip ' || left(r.file_checksum, 12)) AS name
      FROM results r
      LEFT JOIN clips c ON c.file_checksum = r.file_checksum AND c.user_id = :owner
     WHERE r.status = 'failed' AND r.measured_at > :since AND r.measured_at <= :until
       AND r.attempts >= CASE WHEN r.fault IN ('network', 'unreachable')
                              THEN coalesce((:passing::jsonb ->> r.asset)::int, :lasting)
                              ELSE :lasting END
)
SELECT asset, fault, error_class, count(*)::int AS clips,
       (array_agg(name ORDER BY measured_at DESC, name))[1:(:at_most)] AS examples,
       (array_agg(error ORDER BY measured_at DESC, name))[1] AS error
  FROM failed
 GROUP BY asset, fault, error_class
 ORDER BY count(*) DESC, asset, error_class;

-- name: note(until, is_delivered)!
INSERT INTO private.messages (covers_until, is_delivered) VALUES (:until, :is_delivered);
