"""One set of migrations, and the same schema wherever and by whomever they are applied."""

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from video_assets.storage import erasure, ledger, owners
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.migrations import Migration, all_migrations, migrate, split, sql_folder
from video_assets.storage.postgres import Postgres
from video_assets.storage.rights import Drift, drift
from video_assets_tests.conftest import TEMPLATE, run_sql
from video_assets_tests.lite.cli import MISSING, SUPABASE, supabase
from video_assets_tests.lite.server import migrate_lite, migrated_lite
from video_assets_tests.servers import server_of
from video_assets_tests.storage.schema_dump import schema_of

HOSTED = "as_hosted"
PASSWORD = uuid.uuid4().hex


@pytest.fixture(scope="module")
def expected(embedded_server: EmbeddedServer) -> list[str]:
    """What the migrations make on the embedded Postgres."""
    return schema_of(embedded_server.admin_url(TEMPLATE))


@pytest.fixture
def plain(embedded_server: EmbeddedServer) -> Iterator[str]:
    """A database that only looks like a project of Supabase, as its superuser."""
    name = sql.Identifier(f"plain_{uuid.uuid4().hex[:12]}")
    admin = embedded_server.admin_url("postgres")
    run_sql(admin, sql.SQL("CREATE DATABASE {}").format(name))
    url = embedded_server.admin_url(name.as_string().strip('"'))
    with psycopg.connect(url) as connection:
        connection.execute((sql_folder() / "embedded" / "10_supabase.sql").read_bytes())
    yield url
    run_sql(admin, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def history_of(url: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        rows = "SELECT version, name FROM supabase_migrations.schema_migrations ORDER BY 1"
        return connection.execute(rows.encode()).fetchall()


def drift_of(url: str) -> Drift:
    """What its rights lack or have besides, the policies of files among them."""
    with psycopg.connect(url) as connection:
        return drift(connection)


FILES = [(each.version, each.name) for each in all_migrations(embedded=False)]


def test_postgres_16(expected: list[str]):
    with server_of(16) as url:
        assert migrate(url, embedded=True) != []
        assert migrate(url, embedded=True) == []
        assert schema_of(url) == expected
        assert not drift_of(url)


# What the role `postgres` of a hosted project is and has: no superuser, but hardly held back. The
# schemas of Supabase are not its own; there it has what Supabase grants it. That it may make
# extensions, and policies for objects, is a setting of Supabase's servers: here the extension is
# there before, and owning the table stands in for the other.
AS_HOSTED = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} LOGIN NOSUPERUSER CREATEROLE CREATEDB REPLICATION BYPASSRLS;
    END IF;
END
$$;
ALTER ROLE {role} PASSWORD '{password}';
GRANT anon, authenticated, service_role TO {role} WITH ADMIN OPTION;
ALTER DATABASE {database} OWNER TO {role};
ALTER SCHEMA extensions OWNER TO {role};
ALTER SCHEMA supabase_migrations OWNER TO {role};
ALTER TABLE supabase_migrations.schema_migrations OWNER TO {role};
GRANT USAGE ON SCHEMA auth, storage TO {role};
GRANT ALL ON auth.users TO {role} WITH GRANT OPTION;
GRANT ALL ON ALL TABLES IN SCHEMA storage TO {role};
DO $$
BEGIN
    IF to_regclass('storage.objects') IS NOT NULL THEN
        ALTER TABLE storage.objects OWNER TO {role};
    END IF;
END
$$;
"""
# Older projects grant everything that is made in public to everybody.
LEGACY = """
ALTER DEFAULT PRIVILEGES FOR ROLE {role} IN SCHEMA public
GRANT ALL ON TABLES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE {role} IN SCHEMA public
GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE {role} IN SCHEMA public
GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
"""
DEFAULTS = "ALTER DEFAULT PRIVILEGES"


def as_hosted(url: str, *, is_old: bool) -> str:
    """Make a database that of a hosted project, and give its address as the role that one gets."""
    address = urlsplit(url)
    given = {"role": HOSTED, "password": PASSWORD, "database": address.path.lstrip("/")}
    with psycopg.connect(url) as connection:
        connection.execute((AS_HOSTED + LEGACY * is_old).format(**given).encode())
    where = f"{HOSTED}:{PASSWORD}@{address.hostname}:{address.port}"
    return address._replace(netloc=where).geturl()


@pytest.mark.parametrize("is_old", [False, True], ids=["new project", "old project"])
def test_a_role_without_superuser_as_hosted_projects_give(
    plain: str, expected: list[str], *, is_old: bool
):
    url = as_hosted(plain, is_old=is_old)
    assert len(migrate(url, embedded=False)) == len(FILES)
    assert migrate(url, embedded=False) == []
    assert [line for line in schema_of(plain) if not line.startswith(DEFAULTS)] == expected
    assert not drift_of(plain)
    try_out(Postgres(url), plain)


def try_out(catalogue: Postgres, admin_url: str) -> None:
    """Sign up, get a clip, see it, and leave, with nothing but the rights of that role."""
    owner, checksum = uuid.uuid4(), "a" * 64
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, 'ann@example.org')", (owner,)
        )
    with catalogue.transaction() as connection:
        connection.execute("SELECT private.use_checksum_algorithm('blake3')")
        connection.execute(
            """INSERT INTO clips (user_id, file_path, local_path, file_name, file_checksum,
                                  file_size_bytes)
               VALUES (%s, '/x', '/x', 'x.mov', %s, 1)""",
            (owner, checksum),
        )
    with ledger.claims(catalogue, "probe", [checksum]) as claims:
        assert claims.checksums == [checksum]
    seen = "SELECT display_name, file_checksum FROM user_profiles, clips"
    with catalogue.transaction(owner) as connection:
        [row] = connection.execute(seen.encode()).fetchall()
    assert row == {"display_name": "ann", "file_checksum": checksum}
    assert owners.find(catalogue, "ann@example.org") == owner
    erasure.erase_owner(catalogue, owner, by="test")
    assert owners.find(catalogue, "ann@example.org") is None
    catalogue.close()


@pytest.mark.parametrize("migration", all_migrations(embedded=False), ids=lambda each: each.name)
def test_what_belongs_to_supabase_is_left_as_it_is(migration: Migration):
    for statement in split(migration.file.read_text("utf-8")):
        assert not re.search(
            r"""\b(ALTER|DROP)\s+(?!TRIGGER|POLICY)\w+\s+(IF\s+EXISTS\s+)?(auth|storage|realtime)\b
              | \bCREATE\s+(?!TRIGGER|POLICY)(OR\s+REPLACE\s+)?\w+\s+(auth|storage|realtime)\.
              | \b(ALTER\s+(DATABASE|SYSTEM|ROLE)|EVENT\s+TRIGGER|CREATE\s+ROLE|OWNER\s+TO)\b
              | \bsession_replication_role\b""",
            statement.text,
            re.VERBOSE | re.IGNORECASE,
        ), statement.line


@pytest.mark.skipif(SUPABASE is None, reason=MISSING)
def test_the_supabase_cli_pushes_them_and_finds_nothing_to_mend(
    plain: str, expected: list[str], tmp_path: Path
):
    for _ in range(2):
        supabase(tmp_path, plain, "db", "push", "--yes")
        assert history_of(plain) == FILES
    assert schema_of(plain) == expected
    assert not drift_of(plain)
    assert migrate(plain, embedded=False) == []
    assert advice(tmp_path, plain) == []
    with psycopg.connect(plain) as connection:
        connection.execute("CREATE TABLE public.bare (id int); GRANT SELECT ON bare TO anon")
    assert "rls_disabled_in_public" in advice(tmp_path, plain)


def advice(folder: Path, url: str) -> list[str]:
    """What Supabase's linter finds."""
    answer = supabase(folder, url, "db", "advisors", "--output-format", "json")
    return [each["name"] for each in json.loads(answer.splitlines()[-1])["results"]]


def test_lite(embedded_server: EmbeddedServer, expected: list[str], tmp_path: Path):
    with migrated_lite(embedded_server, tmp_path) as lite:
        migrate_lite(tmp_path)
        assert schema_of(lite.admin_url) == expected
        assert not drift_of(lite.admin_url)
