-- name: seen()
SELECT false, version FROM supabase_migrations.schema_migrations
UNION ALL
SELECT true, name || ' ' || digest FROM supabase_migrations.embedded_files;

-- name: seen_migrations()
SELECT false, version FROM supabase_migrations.schema_migrations;

-- name: make_history()#
-- The table of the Supabase CLI, for a database that it has never touched.
DO $$
BEGIN
    IF to_regclass('supabase_migrations.schema_migrations') IS NULL THEN
        CREATE SCHEMA IF NOT EXISTS supabase_migrations;
        CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations (
            version text PRIMARY KEY, statements text[], name text
        );
    END IF;
END
$$;

-- name: lock(key)$
-- Ends with the transaction, so that it also holds through a pooler and never outlives a process.
SELECT pg_advisory_xact_lock(:key);

-- name: is_migration_seen(version)$
SELECT EXISTS (SELECT FROM supabase_migrations.schema_migrations WHERE version = :version);

-- name: has_embedded_history()$
SELECT to_regclass('supabase_migrations.embedded_files') IS NOT NULL;

-- name: is_embedded_seen(version)$
SELECT EXISTS (SELECT FROM supabase_migrations.embedded_files WHERE name || ' ' || digest = :version);

-- name: record_migration(version, name, statements)!
INSERT INTO supabase_migrations.schema_migrations (version, name, statements)
VALUES (:version, :name, :statements);

-- name: record_embedded(name, version)!
INSERT INTO supabase_migrations.embedded_files (name, digest)
VALUES (:name, split_part(:version, ' ', 2))
ON CONFLICT (name) DO UPDATE SET digest = excluded.digest;
