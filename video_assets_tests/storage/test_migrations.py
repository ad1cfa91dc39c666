"""Migrations: whole or not at all, once, and in agreement with the Supabase CLI."""

import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.migrations import (
    MigrationError,
    all_migrations,
    migrate,
    pending,
    split,
    sql_folder,
)
from video_assets_tests.conftest import run_sql


@pytest.fixture
def empty(embedded_server: EmbeddedServer) -> Iterator[str]:
    """The URL of an empty database, as superuser."""
    name = sql.Identifier(f"empty_{uuid.uuid4().hex[:12]}")
    admin = embedded_server.admin_url("postgres")
    run_sql(admin, sql.SQL("CREATE DATABASE {}").format(name))
    yield embedded_server.admin_url(name.as_string().strip('"'))
    run_sql(admin, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of our files, to add to."""
    return Path(shutil.copytree(sql_folder(), tmp_path / "sql"))


def fetch(url: str, query: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def waiting(url: str, *, embedded: bool = True, folder: Path | None = None) -> list[str]:
    with psycopg.connect(url, autocommit=True) as connection:
        return [each.name for each in pending(connection, embedded=embedded, folder=folder)]


def everything(url: str) -> list[tuple]:
    return fetch(url, "SELECT * FROM supabase_migrations.schema_migrations ORDER BY version")


def test_applying_twice_changes_nothing(empty: str):
    assert waiting(empty)[0] == "10_supabase.sql"
    assert migrate(empty, embedded=True)[-1] == "90_local_owner.sql"
    before = everything(empty)
    assert migrate(empty, embedded=True) == []
    assert waiting(empty) == []
    assert everything(empty) == before


def test_four_at_once_apply_each_file_once(empty: str):
    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(lambda _: migrate(empty, embedded=True), range(4)))
    files = [each.file.name for each in all_migrations(embedded=True)]
    assert sorted(name for names in applied for name in names) == sorted(files)


def test_the_history_is_the_one_of_the_supabase_cli(empty: str):
    migrate(empty, embedded=True)
    [(version, statements, name)] = everything(empty)[1:2]
    assert (version, name) == ("20261122090000", "catalogue")
    assert statements[0].endswith("CREATE SCHEMA IF NOT EXISTS private")


def test_what_the_supabase_cli_pushed_is_not_applied_again(empty: str):
    stand_in = (sql_folder() / "embedded" / "10_supabase.sql").read_bytes()
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(stand_in)
    for each in all_migrations(embedded=False):
        with psycopg.connect(empty) as connection:
            connection.execute(each.file.read_bytes())
            connection.execute(
                "INSERT INTO supabase_migrations.schema_migrations (version, name) VALUES (%s, %s)",
                (each.version, each.name),
            )
    assert waiting(empty, embedded=False) == []
    assert migrate(empty, embedded=False) == []
    assert migrate(empty, embedded=True) == ["10_supabase.sql", "90_local_owner.sql"]


def test_a_failing_file_leaves_nothing_and_names_the_line(empty: str, folder: Path):
    bad = folder / "migrations" / "20990101000000_bad.sql"
    bad.write_text("CREATE TABLE public.half (id int);\n\n-- wrong\nSELECT 1,\n  missing_column;\n")
    with pytest.raises(MigrationError) as caught:
        migrate(empty, embedded=True, folder=folder)
    assert "20990101000000_bad.sql, line 5" in str(caught.value)
    assert "missing_column" in str(caught.value)
    assert fetch(empty, "SELECT to_regclass('public.half')") == [(None,)]
    assert waiting(empty, folder=folder) == ["bad", "90_local_owner.sql"]


def test_a_fault_without_a_position_names_the_statement(empty: str, folder: Path):
    bad = folder / "migrations" / "20990101000000_bad.sql"
    bad.write_text("SELECT 1;\n-- twice\nINSERT INTO public.catalogue\nVALUES (false, 'md5');\n")
    with pytest.raises(MigrationError, match=r"line 3: .*check constraint.* 'INSERT INTO"):
        migrate(empty, embedded=True, folder=folder)


def test_a_changed_stand_in_is_applied_anew(empty: str, folder: Path):
    migrate(empty, embedded=True, folder=folder)
    stand_in = folder / "embedded" / "10_supabase.sql"
    stand_in.write_text(stand_in.read_text() + "\nCREATE SCHEMA IF NOT EXISTS more;\n")
    assert migrate(empty, embedded=True, folder=folder) == ["10_supabase.sql"]
    assert fetch(empty, "SELECT to_regnamespace('more') IS NOT NULL") == [(True,)]


def test_the_stand_in_refuses_a_real_supabase_project(empty: str):
    with psycopg.connect(empty) as connection:
        connection.execute("CREATE SCHEMA auth; CREATE TABLE auth.refresh_tokens (id int)")
    with pytest.raises(MigrationError, match="set SUPABASE_DB_URL to it"):
        migrate(empty, embedded=True)


def test_a_file_without_a_number_is_refused(folder: Path):
    (folder / "migrations" / "later.sql").write_text("SELECT 1")
    with pytest.raises(MigrationError, match="14 digits"):
        all_migrations(embedded=False, folder=folder)


@pytest.mark.parametrize(
    ("script", "statements"),
    [
        pytest.param("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"], id="two"),
        pytest.param("SELECT ';'';';", ["SELECT ';'';'"], id="in quotes"),
        pytest.param('SELECT ";";', ['SELECT ";"'], id="in a name"),
        pytest.param("SELECT $a$;$$;$a$;", ["SELECT $a$;$$;$a$"], id="in dollar quotes"),
        pytest.param("SELECT 1 -- ;\n;", ["SELECT 1 -- ;"], id="in a comment"),
        pytest.param("/* ; */ SELECT 1;", ["/* ; */ SELECT 1"], id="in a long comment"),
        pytest.param(" ;; -- nothing\n", [], id="nothing"),
    ],
)
def test_a_semicolon_ends_a_statement_only_where_it_is_one(script: str, statements: list[str]):
    assert [each.text for each in split(script)] == statements
