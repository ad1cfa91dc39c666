-- name: facts()^
-- The server, the role that connects, and the room that there is.
SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
       current_setting('server_version_num')::int / 10000 AS major,
       current_user AS role, r.rolsuper AS is_superuser,
       (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector,
       ARRAY(SELECT w.role FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS w (role)
              WHERE to_regrole(w.role) IS NULL) AS no_such_roles,
       ARRAY(SELECT w.rolname::text FROM pg_roles AS w
              WHERE w.rolname IN ('authenticated', 'service_role')
                AND NOT pg_has_role(current_user, w.oid, 'MEMBER')) AS closed_roles,
       least(current_setting('max_connections')::int
                 - current_setting('superuser_reserved_connections')::int,
             nullif(r.rolconnlimit, -1)) AS most,
       (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS in_use
  FROM pg_roles AS r
 WHERE r.rolname = current_user;

-- name: applied()
-- The numbers of all migrations that the database has seen, ours or not.
SELECT version FROM supabase_migrations.schema_migrations ORDER BY version;

-- name: sees_buckets()$
-- Whether there is a table of buckets that this role may read.
SELECT coalesce(bool_or(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')), false)
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = 'storage' AND c.relname = 'buckets';

-- name: is_bucket_public(id)$
-- NULL where there is none.
SELECT coalesce(public, false) FROM storage.buckets WHERE id = :id;

-- name: ping()$
SELECT 1;
