-- name: contents(checksums)
-- What is known of these contents: whether anybody has them, whether every clip of theirs is complete, and which
-- assets have a result.
SELECT k.file_checksum,
       EXISTS (SELECT FROM clips c WHERE c.file_checksum = k.file_checksum) AS is_owned,
       NOT EXISTS (SELECT FROM clips c
                    WHERE c.file_checksum = k.file_checksum
                      AND c.processing_progress < 100) AS is_complete,
       ARRAY(SELECT asset FROM results r
              WHERE r.file_checksum = k.file_checksum AND r.status = 'done') AS made
  FROM unnest(:checksums::text[]) AS k(file_checksum);

-- name: named(checksums)
-- Every file that a result of these contents names, at whatever place in it, or a row that follows from one.
SELECT n.name #>> '{}' AS name
  FROM results r
 CROSS JOIN LATERAL jsonb_path_query(
           r.result, 'strict $.** ? (@.type() == "string" && @ starts with $folder)',
           jsonb_build_object('folder', left(r.file_checksum, 2) || '/' || r.file_checksum || '/'))
           AS n(name)
 WHERE r.file_checksum = ANY(:checksums)
 UNION
SELECT a.file_path
  FROM clips c
  JOIN artifacts a ON a.video_id = c.id AND a.user_id = c.user_id
 WHERE c.file_checksum = ANY(:checksums)
 UNION
SELECT s.representative_frame
  FROM clips c
  JOIN scenes s ON s.video_id = c.id AND s.user_id = c.user_id
 WHERE c.file_checksum = ANY(:checksums) AND s.representative_frame IS NOT NULL
 UNION
SELECT unnest(c.thumbnails) FROM clips c WHERE c.file_checksum = ANY(:checksums);

-- name: places_below(host, lowest, above)
-- Places of clips that lie in a folder: such a file is a source, whatever else it looks like.
SELECT path_bytes
  FROM clip_locations
 WHERE host = :host AND path_bytes >= :lowest AND path_bytes < :above
 UNION
SELECT path_bytes
  FROM unreadable_files
 WHERE host = :host AND path_bytes >= :lowest AND path_bytes < :above;

-- name: remove_events(older_than_s, at_most)!
DELETE FROM processing_events
 WHERE id IN (SELECT id FROM processing_events
               WHERE "timestamp" < now() - make_interval(secs => :older_than_s)
               ORDER BY "timestamp"
               LIMIT :at_most);

-- name: count_events(older_than_s)$
SELECT count(*) FROM processing_events WHERE "timestamp" < now() - make_interval(secs => :older_than_s);
