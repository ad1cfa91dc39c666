# ruff: noqa: S608 - the tables are ours
"""Whoever asks, and whatever their token says: nothing of another owner is read or written.

Tables and views are read from the catalogs, so that a new one is tried too. Users reach them
through the API, with claims that it has checked: their own SQL never gets to the database, because
neither `anon` nor `authenticated` can log in.
"""

import json
from collections.abc import Iterator

import pytest

from video_assets_tests.security.intruders import ANON, EVE, INTRUDERS, Scene

REFUSALS = {"42501", "22P02"}  # may not; claims that name nobody
OF_VIEWS = {"0A000", "42809", "55000"}  # whatever is in them, they cannot be written
# What an owner may do to their own rows, and nobody to any other.
MAY = {
    "public.clips": {"DELETE", "content_category", "content_summary", "content_tags"},
    "public.unreadable_files": {"DELETE"},
    "public.user_profiles": {"display_name"},
}
WRITERS = ("as herself", "as a worker", "without claims", "with a list", "anon as the victim")
VERBS = {
    "DELETE": "DELETE FROM {}",
    "TRUNCATE": "TRUNCATE {} CASCADE",
    "ALTER": "ALTER TABLE {} DISABLE ROW LEVEL SECURITY",
    "POLICY": "CREATE POLICY mine ON {} USING (true)",
    "TRIGGER": """CREATE TRIGGER mine AFTER INSERT ON {}
                  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at()""",
}


@pytest.mark.parametrize("who", INTRUDERS)
def test_nothing_is_read(scene: Scene, who: str):
    tables = scene.relations("r,p,v,m,f,S")
    assert "public.clips" in tables
    with scene.intruding(who):
        for table in tables:
            seen = scene.attempt(f"SELECT * FROM {table}")
            assert not any(map(scene.shows, seen.rows)), table
            assert seen.code is None or seen.code in REFUSALS, table
            assert who in EVE or not seen.rows or table == "public.embedding_spaces", table
            assert who not in ANON or seen.code == "42501", table


@pytest.mark.parametrize("who", EVE)
def test_a_token_is_that_of_its_sub(scene: Scene, who: str):
    with scene.intruding(who):
        assert scene.attempt("SELECT id::text FROM clips").rows == [f"('{scene.eve.clip}',)"]
        assert scene.attempt("SELECT private.is_admin()").rows == ["(False,)"]


def test_no_catalog_tells_of_values(scene: Scene):
    query = """SELECT format('%I.%I', relnamespace::regnamespace, relname) FROM pg_class
                WHERE relkind IN ('r', 'v')
                  AND relnamespace::regnamespace::text IN ('pg_catalog', 'information_schema')"""
    catalogs = scene.names(query)
    with scene.intruding("as herself"):
        seen = {catalog: scene.attempt(f"SELECT * FROM {catalog}") for catalog in catalogs}
    assert [catalog for catalog in seen if any(map(scene.shows, seen[catalog].rows))] == []
    assert len(seen["pg_catalog.pg_class"].rows) > 100
    stats = "SELECT * FROM pg_stats WHERE tablename = 'clips'"
    assert len(scene.attempt(stats).rows) > 10  # as superuser
    with scene.intruding("as herself"):
        assert scene.attempt(stats).rows == []


def test_no_condition_of_a_callers_making_is_tried_on_rows_of_others(scene: Scene):
    for table in scene.relations("r,p,v"):
        with scene.intruding("as herself"):
            seen = scene.attempt(
                f"""SELECT 1 FROM {table} AS x
                     WHERE CASE WHEN strpos(x::text, %s) > 0 THEN x::text::integer = 0 END""",
                (scene.victim.name,),
            )
            assert (seen.rows, seen.code) in [([], None), ([], "42501")], table


@pytest.mark.parametrize("who", WRITERS)
def test_nothing_is_written(scene: Scene, who: str):
    views = scene.relations("v")
    for table in scene.relations("r,p,v"):
        before, done = scene.rows_of_others(table), set[str]()
        for what, statement, values in writes(scene, table):
            with scene.intruding(who):
                outcome = scene.attempt(statement, values)
                # A key that is broken, unique or foreign, would tell what there is.
                refusals = REFUSALS | (OF_VIEWS if table in views else set())
                assert outcome.code in {None, *refusals}, (statement, outcome.error)
                assert not any(map(scene.shows, outcome.rows))
                if outcome.error is None:
                    done.add(what)
                    assert scene.rows_of_others(table) == before, statement
        may = MAY.get(table, set())
        assert done == may if who in EVE else done <= may, table


def writes(scene: Scene, table: str) -> Iterator[tuple[str, str, tuple[object, ...]]]:
    """Every way to change a table, with rows like those there are, as they are and made Eve's."""
    columns = scene.names(
        """SELECT quote_ident(attname) FROM pg_attribute
            WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
              AND attgenerated = '' AND attidentity = ''""",
        (table,),
    )
    chosen = ", ".join(f"r.{column}" for column in columns)
    insert = f"""INSERT INTO {table} ({", ".join(columns)})
                 SELECT {chosen} FROM jsonb_populate_record(NULL::{table}, %s) AS r"""
    for row in scene.names(f"SELECT to_jsonb(x)::text FROM {table} AS x"):
        yield "INSERT", insert, (row,)
        yield "INSERT", insert, (json.dumps({**json.loads(row), "user_id": str(scene.eve.id)}),)
    for column in columns:
        yield column, f"UPDATE {table} SET {column} = {column} RETURNING *", ()
        if column in ("user_id", "clip_id", "video_id"):
            new = scene.eve.id if column == "user_id" else scene.victim.clip
            yield column, f"UPDATE {table} SET {column} = %s", (new,)
    for verb, statement in VERBS.items():
        yield verb, statement.format(table), ()
