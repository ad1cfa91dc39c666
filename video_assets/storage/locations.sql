-- name: known_paths(owner, host, paths)
-- What was last seen at each of these paths by this owner.
SELECT l.path_bytes, l.volume, l.inode, l.size_bytes, l.mtime_ns, c.file_checksum
  FROM clip_locations l
  JOIN clips c ON c.id = l.clip_id
 WHERE l.user_id = :owner AND l.host = :host AND l.path_bytes = ANY(:paths);

-- name: known_files(owner, host, inodes)
-- The same files under other names: a rename keeps volume, inode, size and modification time.
SELECT l.volume, l.inode, l.size_bytes, l.mtime_ns, c.file_checksum
  FROM clip_locations l
  JOIN clips c ON c.id = l.clip_id
 WHERE l.user_id = :owner AND l.host = :host AND l.inode = ANY(:inodes::numeric[]);

-- name: known_between(owner, host, root, after, until)
-- What was last seen at a path, and below it from one path to another, in the order of their bytes.
SELECT l.path_bytes, l.volume, l.inode, l.size_bytes, l.mtime_ns,
       l.missing_at IS NOT NULL AS is_missing
  FROM clip_locations l
 WHERE l.user_id = :owner AND l.host = :host
   AND (l.path_bytes = :root OR (l.path_bytes > :after AND l.path_bytes <= :until))
 ORDER BY l.path_bytes;

-- name: count_between(owner, host, root, after, until)^
SELECT count(*) FILTER (WHERE missing_at IS NULL) AS known,
       count(*) FILTER (WHERE missing_at IS NOT NULL) AS missing
  FROM clip_locations
 WHERE user_id = :owner AND host = :host
   AND (path_bytes = :root OR (path_bytes > :after AND path_bytes <= :until));

-- name: touch(owner, host, paths, volumes)!
-- Seen again, unchanged; the file system may go by another name than it did.
UPDATE clip_locations l
   SET seen_at = now(), missing_at = NULL, volume = seen.volume
  FROM unnest(:paths::bytea[], :volumes::text[]) AS seen (path_bytes, volume)
 WHERE l.user_id = :owner AND l.host = :host AND l.path_bytes = seen.path_bytes;

-- name: refused_since(owner, host, paths, seconds)
-- Files that could not be read a while ago; unchanged, they cannot be read now.
SELECT path_bytes, size_bytes, mtime_ns
  FROM unreadable_files
 WHERE user_id = :owner AND host = :host AND path_bytes = ANY(:paths)
   AND seen_at > now() - make_interval(secs => :seconds);

-- name: unreadable_below(owner, host, root, after, until)
SELECT path_bytes
  FROM unreadable_files
 WHERE user_id = :owner AND host = :host
   AND (path_bytes = :root OR (path_bytes > :after AND path_bytes <= :until));

-- name: upsert_clip(owner, checksum, algorithm, path, file_name, size_bytes, preset, steps)^
-- One clip per owner and content. `is_new` tells whether this owner has just got it.
INSERT INTO clips (user_id, file_checksum, checksum_algorithm, file_path, local_path, file_name,
                   file_size_bytes, preset, planned_steps)
VALUES (:owner, :checksum, :algorithm, :path, :path, :file_name, :size_bytes, :preset, :steps)
ON CONFLICT (user_id, file_checksum) DO UPDATE SET file_size_bytes = excluded.file_size_bytes
RETURNING id, (xmax = 0) AS is_new;

-- name: upsert_location(clip_id, owner, host, volume, inode, path_bytes, path, size_bytes, mtime_ns)!
-- What lies at a path now; the clip that lay there before keeps its other places.
INSERT INTO clip_locations (clip_id, user_id, host, volume, inode, path_bytes, path, size_bytes,
                            mtime_ns)
VALUES (:clip_id, :owner, :host, :volume, :inode, :path_bytes, :path, :size_bytes, :mtime_ns)
ON CONFLICT (user_id, host, path_bytes) DO UPDATE
   SET clip_id = excluded.clip_id, volume = excluded.volume, inode = excluded.inode,
       size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, seen_at = now(),
       missing_at = NULL;

-- name: clip_locations(clip_id, host)
SELECT path_bytes, volume, inode, size_bytes, mtime_ns
  FROM clip_locations
 WHERE clip_id = :clip_id AND host = :host
 ORDER BY first_seen_at;

-- name: mark_missing(owner, host, paths)!
UPDATE clip_locations SET missing_at = now()
 WHERE user_id = :owner AND host = :host AND path_bytes = ANY(:paths) AND missing_at IS NULL;

-- name: name_by_present(owner, host, paths)!
-- A clip that goes by a place where it is missing goes by another of its places, if it has one.
UPDATE clips c
   SET file_path = present.path, local_path = present.path,
       file_name = regexp_replace(present.path, '^.*/', '')
  FROM clip_locations gone
  JOIN LATERAL (SELECT l.path FROM clip_locations l
                 WHERE l.clip_id = gone.clip_id AND l.missing_at IS NULL
                 ORDER BY l.seen_at DESC LIMIT 1) AS present ON true
 WHERE gone.user_id = :owner AND gone.host = :host AND gone.path_bytes = ANY(:paths)
   AND gone.missing_at IS NOT NULL AND c.id = gone.clip_id AND c.file_path = gone.path;

-- name: forget(owner, host, paths)!
-- A file that was renamed lies at its old path no more.
DELETE FROM clip_locations
 WHERE user_id = :owner AND host = :host AND path_bytes = ANY(:paths);

-- name: name_clip(path, file_name, clip_id)!
-- The clip goes by the place where it can be found now.
UPDATE clips SET file_path = :path, local_path = :path, file_name = :file_name
 WHERE id = :clip_id AND (file_path, file_name) IS DISTINCT FROM (:path, :file_name);

-- name: save_unreadable(owner, host, path_bytes, path, size_bytes, mtime_ns, reason)!
INSERT INTO unreadable_files (user_id, host, path_bytes, path, size_bytes, mtime_ns, reason)
VALUES (:owner, :host, :path_bytes, :path, :size_bytes, :mtime_ns, :reason)
ON CONFLICT (user_id, host, path_bytes) DO UPDATE
   SET size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, reason = excluded.reason,
       seen_at = now();

-- name: forget_unreadable(owner, host, paths)!
DELETE FROM unreadable_files
 WHERE user_id = :owner AND host = :host AND path_bytes = ANY(:paths);

-- name: sources(checksums, host)
-- Every place of these clips, whoever registered it, the latest seen first and this host before others.
SELECT c.file_checksum, l.path_bytes, l.size_bytes, l.mtime_ns
  FROM clips c
  JOIN clip_locations l ON l.clip_id = c.id
 WHERE c.file_checksum = ANY(:checksums)
 ORDER BY (l.host = :host) DESC, l.missing_at DESC NULLS FIRST, l.seen_at DESC;

-- name: places(checksums)
-- Every place where these clips lie or have lain, on any host and whoever registered it.
SELECT c.file_checksum, l.host, l.volume, l.path_bytes
  FROM clips c
  JOIN clip_locations l ON l.clip_id = c.id
 WHERE c.file_checksum = ANY(:checksums);

-- name: known_as(checksums)
-- Runs as `authenticated`. The place by which this owner's catalogue knows each clip.
SELECT file_checksum, file_path
  FROM clips
 WHERE file_checksum = ANY(:checksums);
