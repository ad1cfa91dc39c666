-- name: entries(asset, checksums)
-- What the ledger says of one asset for some clips, without the documents.
SELECT file_checksum, status, code_version, settings_fingerprint, input_fingerprint, attempts,
       fault
  FROM results
 WHERE asset = :asset AND file_checksum = ANY(:checksums);

-- name: documents(asset, checksums)
-- The results of one asset for some clips.
SELECT file_checksum, result_digest, result
  FROM results
 WHERE asset = :asset AND file_checksum = ANY(:checksums) AND status = 'done';

-- name: save_done(checksum, asset, code_version, settings_fingerprint, input_fingerprint, result, result_digest, problems, seconds, cpu_seconds, run_id)!
-- One row per clip and asset; a rerun replaces it and never adds a second.
INSERT INTO results (file_checksum, asset, status, code_version, settings_fingerprint,
                     input_fingerprint, result, result_digest, problems, seconds, cpu_seconds,
                     run_id)
VALUES (:checksum, :asset, 'done', :code_version, :settings_fingerprint, :input_fingerprint,
        :result, :result_digest, :problems, :seconds, :cpu_seconds, :run_id)
ON CONFLICT (file_checksum, asset) DO UPDATE
   SET status = 'done', code_version = excluded.code_version,
       settings_fingerprint = excluded.settings_fingerprint,
       input_fingerprint = excluded.input_fingerprint, result = excluded.result,
       result_digest = excluded.result_digest, problems = excluded.problems,
       error_class = NULL, error = NULL, fault = NULL, attempts = results.attempts + 1,
       seconds = excluded.seconds, cpu_seconds = excluded.cpu_seconds, run_id = excluded.run_id,
       reported = false, measured_at = now();

-- name: forget_answers(checksum, asset)!
-- A cell whose service refused it twice, the second time without being asked: whoever wants it once more
-- asks anew.
UPDATE ai_calls AS a SET is_reusable = false
  FROM results AS r
 WHERE r.file_checksum = :checksum AND r.asset = :asset AND r.fault = 'refused' AND r.attempts > 1
   AND a.file_checksum = r.file_checksum AND a.asset = r.asset AND a.is_reusable;

-- name: close_calls(checksum, asset)!
-- What the calls for a cell cost since its last result, and that their answers are in the result now. One
-- that waits for a batch was for something else that nobody wants any more.
WITH closed AS (
    UPDATE ai_calls
       SET counted = true, is_reusable = false,
           answer = CASE outcome WHEN 'answered' THEN NULL ELSE answer END,
           status = CASE status WHEN 'waiting' THEN 'lost' ELSE status END,
           cost_usd = coalesce(cost_usd, reserved_usd)
     WHERE file_checksum = :checksum AND asset = :asset AND NOT counted AND status <> 'reserved'
 RETURNING cost_usd
), cost AS (
    SELECT sum(cost_usd) AS usd FROM closed
), taken_up AS (
    DELETE FROM private.postponed_cells WHERE file_checksum = :checksum AND asset = :asset
)
UPDATE results SET cost_usd = (SELECT usd FROM cost)
 WHERE file_checksum = :checksum AND asset = :asset
   AND cost_usd IS DISTINCT FROM (SELECT usd FROM cost);

-- name: save_registered(checksum, code_version, settings_fingerprint, result, result_digest)!
-- Registration is the `checksum` asset's work; content that is known stays as it was found, and bytes
-- that were found to have changed are whole again.
INSERT INTO results (file_checksum, asset, status, code_version, settings_fingerprint,
                     input_fingerprint, result, result_digest)
VALUES (:checksum, 'checksum', 'done', :code_version, :settings_fingerprint, '', :result,
        :result_digest)
ON CONFLICT (file_checksum, asset) DO UPDATE
   SET status = 'done', code_version = excluded.code_version,
       settings_fingerprint = excluded.settings_fingerprint, result = excluded.result,
       result_digest = excluded.result_digest, error_class = NULL, error = NULL, fault = NULL,
       attempts = 1, reported = false, measured_at = now()
 WHERE results.status = 'failed';

-- name: save_failed(checksum, asset, code_version, settings_fingerprint, input_fingerprint, error_class, error, fault, seconds, run_id)!
-- A failure with the same code, settings and inputs as the last one is one more attempt at it.
INSERT INTO results (file_checksum, asset, status, code_version, settings_fingerprint,
                     input_fingerprint, error_class, error, fault, seconds, run_id)
VALUES (:checksum, :asset, 'failed', :code_version, :settings_fingerprint, :input_fingerprint,
        :error_class, :error, :fault, :seconds, :run_id)
ON CONFLICT (file_checksum, asset) DO UPDATE
   SET attempts = CASE WHEN results.status = 'failed'
                        AND results.code_version = excluded.code_version
                        AND results.settings_fingerprint = excluded.settings_fingerprint
                        AND results.input_fingerprint = excluded.input_fingerprint
                       THEN results.attempts + 1 ELSE 1 END,
       status = 'failed', code_version = excluded.code_version,
       settings_fingerprint = excluded.settings_fingerprint,
       input_fingerprint = excluded.input_fingerprint, result = NULL, result_digest = NULL,
       problems = '{}', error_class = excluded.error_class, error = excluded.error,
       fault = excluded.fault, seconds = excluded.seconds, cpu_seconds = NULL,
       run_id = excluded.run_id, reported = true, measured_at = now();

-- name: plan_clips(owner, checksums, preset, steps)!
-- What the latest ingest asks for; progress counts these steps.
UPDATE clips SET planned_steps = :steps::text[], preset = :preset
 WHERE user_id = :owner AND file_checksum = ANY(:checksums)
   AND (planned_steps, preset) <> (:steps::text[], :preset);

-- name: mark_reported(asset, checksums)!
UPDATE results SET reported = true WHERE asset = :asset AND file_checksum = ANY(:checksums);

-- name: unreported(older_than_s)
-- Results that Dagster was not told of, because a process died between the two.
SELECT file_checksum, asset, code_version, result_digest, result, seconds
  FROM results
 WHERE NOT reported AND status = 'done'
   AND (asset = 'checksum' OR measured_at < now() - make_interval(secs => :older_than_s))
 ORDER BY measured_at, file_checksum
 LIMIT 5000;

-- name: latest_reported()$
-- The clip that was registered last of those that Dagster knows.
SELECT file_checksum
  FROM results
 WHERE asset = 'checksum' AND status = 'done' AND reported
 ORDER BY measured_at DESC
 LIMIT 1;

-- name: forget_reported(told)!
-- Dagster's storage is new, or somebody deleted its keys: it has to be told of those clips again.
UPDATE results SET reported = false
 WHERE reported AND status = 'done'
   AND file_checksum IN (
       SELECT file_checksum FROM results
        WHERE asset = 'checksum' AND file_checksum NOT IN (SELECT unnest(:told::text[])));

-- name: cells(plan, checksums, states)
-- The state of every cell, clip by asset of the plan, in the order of registration; of some clips and
-- states, or of all. An upstream text such as 'probe:9f2c…' tells which result of probe a cell was made
-- from; a plan names the upstream assets in the order in which they stand there.
WITH plan AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(:plan) AS p(
           asset text, position int, code_version text, settings_fingerprint text,
           required text[], upstream text[])
), known AS MATERIALIZED (
    SELECT file_checksum, jsonb_object_agg(asset, asset || ':' || result_digest) AS done,
           min(measured_at) FILTER (WHERE asset = 'checksum') AS registered_at
      FROM public.results
     WHERE status = 'done'
       AND (:checksums::text[] IS NULL OR file_checksum = ANY(:checksums::text[]))
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
                  WHERE :checksums::text[] IS NULL OR file_checksum = ANY(:checksums::text[])) AS r
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
 WHERE :states::text[] IS NULL OR state = ANY(:states::text[])
 ORDER BY registered_at, file_checksum, position;

-- name: forgive(checksums, assets)!
-- Failures that never were, so that their cells are made like those that nobody tried yet; the clip's
-- checksum is what registration found and stays.
DELETE FROM results AS r
 USING unnest(:checksums::text[], :assets::text[]) AS f(checksum, asset)
 WHERE r.file_checksum = f.checksum AND r.asset = f.asset AND r.asset <> 'checksum'
   AND r.status = 'failed';

-- name: claim(checksums, asset)
-- The locks of the cells that nobody else holds; they end with the session.
SELECT c.file_checksum
  FROM unnest(:checksums::text[]) WITH ORDINALITY AS c(file_checksum, place)
 WHERE pg_try_advisory_lock(hashtextextended(:asset || ' ' || c.file_checksum, 0))
 ORDER BY c.place;

-- name: in_hand(assets, checksums)
-- The clips whose cells are locked as `claim` does it; Postgres shows the key in two halves.
SELECT DISTINCT c.file_checksum
  FROM unnest(:assets::text[]) AS a(asset)
 CROSS JOIN unnest(:checksums::text[]) AS c(file_checksum)
 WHERE hashtextextended(a.asset || ' ' || c.file_checksum, 0) IN (
       SELECT l.classid::bigint << 32 | l.objid::bigint
         FROM pg_locks l
         JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
        WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted);

-- name: measured_lately(assets, within_s)
-- The assets that have results younger than that.
SELECT a.asset
  FROM unnest(:assets::text[]) AS a(asset)
 WHERE EXISTS (SELECT FROM results AS r
                WHERE r.asset = a.asset AND r.measured_at > now() - make_interval(secs => :within_s));
