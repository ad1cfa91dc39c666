-- name: children()
-- The tables whose rows hang on a clip, and the column that names it.
SELECT t.relname AS table_name, a.attname AS column_name
  FROM pg_constraint f
  JOIN pg_class t ON t.oid = f.conrelid
  JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
 WHERE f.contype = 'f' AND f.confrelid = 'public.clips'::regclass
   AND t.relnamespace = 'public'::regnamespace
 ORDER BY t.relname;

-- name: owned()
-- The tables whose rows belong to an owner.
SELECT t.relname AS table_name, a.attname AS column_name
  FROM pg_class t
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'user_id'
 WHERE t.relkind IN ('r', 'p') AND t.relnamespace = 'public'::regnamespace
 ORDER BY t.relname;

-- name: checksums(owner, clip_id)
-- The contents of an owner, or of one clip of theirs, and whether somebody else has them too.
SELECT c.file_checksum,
       EXISTS (SELECT FROM clips o
                WHERE o.file_checksum = c.file_checksum AND o.user_id <> c.user_id) AS is_shared
  FROM clips c
 WHERE c.user_id = :owner AND (:clip_id::uuid IS NULL OR c.id = :clip_id)
 ORDER BY c.created_at, c.file_checksum;

-- name: count_results(checksums)$
SELECT count(*) FROM results WHERE file_checksum = ANY(:checksums);

-- name: stored(owner, checksums, only_here)^
-- What goes from object stores: an owner's own copies, and those of contents that nobody else has.
SELECT count(*) AS files, coalesce(sum(size_bytes), 0)::bigint AS size_bytes
  FROM private.artifact_copies
 WHERE done_at IS NOT NULL
   AND (user_id = :owner AND file_checksum = ANY(:checksums)
        OR user_id IS NULL AND file_checksum = ANY(:only_here));

-- name: places(clip_id)
SELECT host, volume, inode, path_bytes, size_bytes, mtime_ns
  FROM clip_locations
 WHERE clip_id = :clip_id AND volume IS NOT NULL AND inode IS NOT NULL;

-- name: forget_clip(clip_id, names)$
-- Runs as `authenticated`, as the query before it; marked for whoever cleans up.
SELECT private.forget_own_clip(:clip_id, :names::text[]);

-- name: erase_owner(owner, stays)$
SELECT private.erase_owner(:owner, :stays);
