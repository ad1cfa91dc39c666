# ruff: noqa: S608 - the tables are ours
"""Whoever asks, and whatever their token says: nothing of another owner is read or written.

Tables and views are read from the catalogs, so that a new one is tried too. Users reach them
through the API, with claims that it has checked: their own SQL never gets to the database, because
neither `anon` nor `authenticated` can log in.
"""

import json
from collections.abc import Iterator

import pytest

from video_assets_tests.security.intruders import ANON, EVE, INTRUDERS, Trial

REFUSALS = {"42501", "22P02"}  # may not; claims that name nobody
OF_VIEWS = {"0A000", "42809", "55000"}  # whatever is in them, they cannot be written
# What an owner may do to their own rows, and nobody to any other.
MAY = {
    "public.clips": {"DELETE", "content_category", "content_summary", "content_tags"},
    "public.unreadable_files": {"DELETE"},
    "public.promotions": {"rolled_back_at"},
    "public.human_edits": {"DELETE"},
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
def test_nothing_is_read(trial: Trial, who: str):
    tables = trial.relations("r,p,v,m,f,S")
    assert "public.clips" in tables
    with trial.intruding(who):
        for table in tables:
            seen = trial.attempt(f"SELECT * FROM {table}")
            assert not any(map(trial.shows, seen.rows)), table
            assert seen.code is None or seen.code in REFUSALS, table
            assert who in EVE or not seen.rows or table == "public.embedding_spaces", table
            # Of files Supabase lets everybody ask, and policies give nobody anything.
            is_of_files = table.startswith("storage.") and not seen.rows
            assert who not in ANON or seen.code == "42501" or is_of_files, table


@pytest.mark.parametrize("who", EVE)
def test_a_token_is_that_of_its_sub(trial: Trial, who: str):
    with trial.intruding(who):
        assert trial.attempt("SELECT id::text FROM clips").rows == [f"('{trial.eve.clip}',)"]
        assert trial.attempt("SELECT private.is_admin()").rows == ["(False,)"]


def test_no_catalog_tells_of_values(trial: Trial):
    query = """SELECT format('%I.%I', relnamespace::regnamespace, relname) FROM pg_class
                WHERE relkind IN ('r', 'v')
                  AND relnamespace::regnamespace::text IN ('pg_catalog', 'information_schema')"""
    catalogs = trial.names(query)
    with trial.intruding("as herself"):
        seen = {catalog: trial.attempt(f"SELECT * FROM {catalog}") for catalog in catalogs}
    assert [catalog for catalog in seen if any(map(trial.shows, seen[catalog].rows))] == []
    assert len(seen["pg_catalog.pg_class"].rows) > 100
    stats = "SELECT * FROM pg_stats WHERE tablename = 'clips'"
    assert len(trial.attempt(stats).rows) > 10  # as superuser
    with trial.intruding("as herself"):
        assert trial.attempt(stats).rows == []


def test_no_condition_of_a_callers_making_is_tried_on_rows_of_others(trial: Trial):
    for table in trial.relations("r,p,v"):
        with trial.intruding("as herself"):
            seen = trial.attempt(
                f"""SELECT 1 FROM {table} AS x
                     WHERE CASE WHEN strpos(x::text, %s) > 0 THEN x::text::integer = 0 END""",
                (trial.victim.name,),
            )
            assert (seen.rows, seen.code) in [([], None), ([], "42501")], table


@pytest.mark.parametrize("who", WRITERS)
def test_nothing_is_written(trial: Trial, who: str):
    views = trial.relations("v")
    for table in trial.relations("r,p,v"):
        before, done = trial.rows_of_others(table), set[str]()
        for what, statement, values in writes(trial, table):
            with trial.intruding(who):
                outcome = trial.attempt(statement, values)
                # A key that is broken, unique or foreign, would tell what there is.
                refusals = REFUSALS | (OF_VIEWS if table in views else set())
                assert outcome.code in {None, *refusals}, (statement, outcome.error)
                assert not any(map(trial.shows, outcome.rows))
                if outcome.error is None:
                    done.add(what)
                    assert trial.rows_of_others(table) == before, statement
        may = done if table.startswith("storage.") else MAY.get(table, set())
        assert done == may if who in EVE else done <= may, table


def writes(trial: Trial, table: str) -> Iterator[tuple[str, str, tuple[object, ...]]]:
    """Every way to change a table, with rows like those there are, as they are and made Eve's."""
    columns = trial.names(
        """SELECT quote_ident(attname) FROM pg_attribute
            WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
              AND attgenerated = '' AND attidentity = ''""",
        (table,),
    )
    chosen = ", ".join(f"r.{column}" for column in columns)
    insert = f"""INSERT INTO {table} ({", ".join(columns)})
                 SELECT {chosen} FROM jsonb_populate_record(NULL::{table}, %s) AS r"""
    for row in trial.names(f"SELECT to_jsonb(x)::text FROM {table} AS x"):
        yield "INSERT", insert, (row,)
        yield "INSERT", insert, (json.dumps({**json.loads(row), "user_id": str(trial.eve.id)}),)
    for column in columns:
        yield column, f"UPDATE {table} SET {column} = {column} RETURNING *", ()
        if column in ("user_id", "clip_id", "video_id"):
            new = trial.eve.id if column == "user_id" else trial.victim.clip
            yield column, f"UPDATE {table} SET {column} = %s", (new,)
    for verb, statement in VERBS.items():
        yield verb, statement.format(table), ()
