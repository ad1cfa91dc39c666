-- name: now()$
SELECT clock_timestamp();

-- name: advance(checksums, due, assets, since)^
-- Clips and cells made since a moment, and the step that was taken up last.
SELECT count(*) FILTER (WHERE m.failed OR m.made >= w.due)::int AS clips,
       coalesce(sum(CASE WHEN m.failed THEN w.due ELSE least(m.made, w.due) END), 0)::int AS cells,
       (SELECT step_name
          FROM processing_events
         WHERE status = 'starting' AND "timestamp" >= :since
         ORDER BY "timestamp" DESC
         LIMIT 1) AS step
  FROM unnest(:checksums::text[], :due::int[]) AS w(file_checksum, due)
 CROSS JOIN LATERAL (
       SELECT count(*) AS made, coalesce(bool_or(r.status = 'failed'), false) AS failed
         FROM results r
        WHERE r.file_checksum = w.file_checksum AND r.asset = ANY(:assets)
          AND r.measured_at >= :since) m;
