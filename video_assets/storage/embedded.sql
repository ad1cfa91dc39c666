-- name: health()^
-- Whose server answers, and how many of the two databases it has.
SELECT current_setting('data_directory'),
       (SELECT count(*) FROM pg_database WHERE datname IN ('dagster', 'video_assets'));

-- name: await_makers()$
-- Whoever was killed while it made a database leaves a backend that goes on, and with it holds this lock till its end.
SELECT pg_advisory_lock(hashtextextended('video-assets databases', 0));

-- name: databases()
SELECT datname FROM pg_database;

-- name: make_authenticator()#
-- The role that programs connect as: no rights of its own, it can only become one of the others.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticator') THEN
        CREATE ROLE authenticator NOINHERIT;
    END IF;
END
$$;
