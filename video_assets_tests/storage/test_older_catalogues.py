"""A catalogue made by migrations as they were before they were put right ends as a new one does."""

import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.migrations import migrate, sql_folder
from video_assets_tests.conftest import run_sql

RIGHTED = "20261130115000_neighbours.sql"
# Whatever stands in these was another text once: not only where they look, but what they do.
CHANGED = (
    *("text_of", "index_text", "condition", "text_query", "match_words", "find_texts"),
    *("find_transcripts", "nearest", "semantic_search_clips", "hybrid_search_clips"),
    *("match_moments", "nearest_moments", "search_moments", "space_of", "follow_space"),
)
FUNCTIONS = """SELECT p.oid::regprocedure::text, p.prosrc, p.proconfig::text, p.proacl::text,
                      p.prosecdef, p.provolatile, pg_get_function_result(p.oid), p.prorows
                 FROM pg_proc AS p
                WHERE p.pronamespace::regnamespace::text IN ('public', 'private')
                ORDER BY 1"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname IN ('public', 'private') ORDER BY 1"
TRIGGERS = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
COLUMNS = """SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull
               FROM pg_attribute
              WHERE attrelid IN ('public.clip_texts'::regclass, 'public.segments'::regclass)
                AND attnum > 0 AND NOT attisdropped
              ORDER BY 1, 2"""
# As the oldest text of these files made them.
LANGUAGES = """
    ALTER TABLE public.segments DROP COLUMN fts, DROP COLUMN language;
    ALTER TABLE public.segments ADD COLUMN language regconfig NOT NULL DEFAULT 'pg_catalog.english';
    ALTER TABLE public.segments ADD COLUMN fts tsvector GENERATED ALWAYS AS (
        to_tsvector(language, left(content, 100000))) STORED;
    ALTER TABLE public.clip_texts ALTER COLUMN language TYPE regconfig USING language::regconfig;
    CREATE INDEX transcripts_owner ON public.transcripts (user_id);
    DROP INDEX public.transcripts_newest;
    CREATE FUNCTION private.match_texts(uuid, tsquery, jsonb, integer) RETURNS void
    LANGUAGE sql AS '';
    CREATE OR REPLACE TRIGGER clips_text_changed AFTER UPDATE ON public.clips
    FOR EACH ROW WHEN (NEW.file_name <> OLD.file_name) EXECUTE FUNCTION private.index_text();
"""
SAID = """
    INSERT INTO clips (user_id, file_path, local_path, file_name, file_checksum,
                       checksum_algorithm, file_size_bytes, full_transcript, transcript_language)
    SELECT id, '/x', '/x', 'x', repeat('a', 64), 'blake3', 1, 'die Häuser', 'de' FROM auth.users;
    INSERT INTO transcripts (clip_id, user_id, full_text, segments, language)
    SELECT id, user_id, 'die Häuser', '[]', 'de' FROM clips;
    INSERT INTO segments (clip_id, user_id, kind, number, content)
    SELECT id, user_id, 'passage', 1, 'die Häuser' FROM clips;
"""


@pytest.fixture
def databases(embedded_server: EmbeddedServer, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The URLs of a new catalogue and of one as it was before they were put right."""
    admin = embedded_server.admin_url("postgres")
    names = [f"empty_{uuid.uuid4().hex[:12]}" for _ in range(2)]
    for name in names:
        run_sql(admin, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    new, old = (embedded_server.admin_url(name) for name in names)
    folder = Path(shutil.copytree(sql_folder(), tmp_path / "sql"))
    for file in (folder / "migrations").glob("*.sql"):
        if file.name >= RIGHTED:
            file.unlink()
    migrate(new, embedded=True)
    migrate(old, embedded=True, folder=folder)
    yield new, old
    for name in names:
        run_sql(admin, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def fetch(url: str, query: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def make_older(url: str) -> None:
    """Put into every function where it looked before, and into some another text."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            """SELECT oid::regprocedure::text, proname, pg_get_functiondef(oid) FROM pg_proc
                WHERE pronamespace::regnamespace::text IN ('public', 'private')"""
        ).fetchall()
        for name, short, definition in names:
            if short in CHANGED:
                older = re.sub(r"\bAS \$function\$", "AS $function$ -- before\n", definition)
                connection.execute(older.encode())
            connection.execute(f"ALTER FUNCTION {name} SET search_path = ''".encode())


def test_functions_of_before_become_those_of_a_new_catalogue(databases: tuple[str, str]):
    new, old = databases
    make_older(old)
    assert fetch(old, FUNCTIONS) != fetch(new, FUNCTIONS)
    migrate(old, embedded=True)
    for query in (FUNCTIONS, INDEXES, TRIGGERS):
        assert fetch(old, query) == fetch(new, query)


def test_languages_of_before_become_text_and_what_is_said_is_still_found(
    databases: tuple[str, str],
):
    new, old = databases
    with psycopg.connect(old) as connection:
        connection.execute(SAID.encode())
        connection.execute(LANGUAGES.encode())
    migrate(old, embedded=True)
    for query in (FUNCTIONS, INDEXES, TRIGGERS, COLUMNS):
        assert fetch(old, query) == fetch(new, query)
    assert fetch(old, "SELECT language, fts::text FROM segments") == [("de", "'haus':2")]
    assert fetch(old, "SELECT language FROM clip_texts") == [("german",)]
