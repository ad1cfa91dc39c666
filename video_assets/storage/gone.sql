-- name: gone(after_s)
-- Clips that no place has held for that long, and that are not known as missing yet.
SELECT c.id
  FROM clips c
 WHERE c.missing_since IS NULL
   AND c.created_at <= now() - make_interval(secs => :after_s)
   AND NOT EXISTS (SELECT FROM clip_locations l
                    WHERE l.clip_id = c.id AND l.user_id = c.user_id
                      AND (l.missing_at IS NULL OR l.missing_at > now() - make_interval(secs => :after_s)))
 ORDER BY c.created_at, c.id;

-- name: places(clip_ids, host)
SELECT id, clip_id, path_bytes, size_bytes, mtime_ns
  FROM clip_locations
 WHERE clip_id = ANY(:clip_ids) AND host = :host;

-- name: found(place_ids)!
UPDATE clip_locations SET missing_at = NULL, seen_at = now() WHERE id = ANY(:place_ids);

-- name: mark(clip_ids)!
-- Since the last of its places was missed; of a clip whose only place holds another file, since now.
UPDATE clips c
   SET missing_since = coalesce((SELECT max(l.missing_at) FROM clip_locations l
                                  WHERE l.clip_id = c.id AND l.user_id = c.user_id), now())
 WHERE c.id = ANY(:clip_ids);

-- name: unmark()!
UPDATE clips c SET missing_since = NULL
 WHERE c.missing_since IS NOT NULL
   AND EXISTS (SELECT FROM clip_locations l
                WHERE l.clip_id = c.id AND l.user_id = c.user_id AND l.missing_at IS NULL);
