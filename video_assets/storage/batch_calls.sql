-- name: wait(call, address, made)!
-- From now on it outlives the process that makes it.
UPDATE ai_calls SET status = 'waiting', address = :address, made = :made
 WHERE id = :call AND status = 'reserved';

-- name: note(call, batch)!
UPDATE ai_calls SET batch = :batch WHERE id = :call;

-- name: adopt(call, made)!
UPDATE ai_calls SET made = :made WHERE id = :call;

-- name: waiting(checksum, asset)
-- The calls of a cell that wait for a batch, and how many batches for the same ended without an answer.
SELECT a.id AS call, a.request, a.batch, a.made, a.sent_at, a.reserved_usd,
       extract(epoch FROM clock_timestamp() - a.sent_at)::float8 AS age_s,
       (SELECT count(*)::int FROM ai_calls b
         WHERE b.file_checksum = a.file_checksum AND b.asset = a.asset AND b.request = a.request
           AND b.batch IS NOT NULL AND b.outcome = 'failed' AND NOT b.counted) AS failures
  FROM ai_calls a
 WHERE a.file_checksum = :checksum AND a.asset = :asset AND a.status = 'waiting' AND a.is_reusable
 ORDER BY a.sent_at;

-- name: known(account, since)
-- The batches of an account that belong to some call.
SELECT batch FROM ai_calls WHERE account = :account AND sent_at >= :since AND batch IS NOT NULL;

-- name: lose(call)!
UPDATE ai_calls
   SET status = 'lost', cost_usd = reserved_usd, settled_at = clock_timestamp()
 WHERE id = :call AND status = 'waiting';

-- name: out(owner, checksums)
-- The batches that an owner waits for; of some contents, or of all.
SELECT provider, address, batch
  FROM ai_calls
 WHERE user_id = :owner AND status = 'waiting' AND batch IS NOT NULL
   AND (:checksums::text[] IS NULL OR file_checksum = ANY(:checksums::text[]))
 ORDER BY sent_at;

-- name: looked_at(checksums, since)
-- The cells that were left for later since then because of a batch that is out.
SELECT p.file_checksum, p.asset
  FROM private.postponed_cells p
 WHERE p.file_checksum = ANY(:checksums::text[]) AND p.noted_at >= :since
   AND EXISTS (SELECT FROM ai_calls a
                WHERE a.file_checksum = p.file_checksum AND a.asset = p.asset AND a.status = 'waiting');
