"""An owner's catalogue that goes into another database: nothing is lost, made up or overwritten."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import dagster as dg
import psycopg
import pytest

from video_assets.automation.reporting import report_results
from video_assets.partitions import CLIPS
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import catalogue_copy, copied_tables, descriptions, erasure, ledger
from video_assets.storage.catalogue import CatalogueError
from video_assets.storage.catalogue_copy import Found, open_copy
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postgres import Postgres
from video_assets_tests.analyses import CLAUDE
from video_assets_tests.commands import ROOT
from video_assets_tests.conftest import new_database
from video_assets_tests.findings import scenes
from video_assets_tests.pooler import MISSING, PGBOUNCER, pooler
from video_assets_tests.storage.filled import MODEL, NEXT_MODEL, Filled
from video_assets_tests.storage.put_back import Kept, keep

CHUNK = 3

TABLES = """SELECT c.oid::regclass::text AS name
              FROM pg_class AS c
             WHERE c.relnamespace IN ('public'::regnamespace, 'private'::regnamespace)
               AND c.relkind IN ('r', 'p')"""
WRITTEN = """SELECT 'clips' AS name, xmin::text, ctid::text FROM clips
             UNION ALL SELECT 'segments', xmin::text, ctid::text FROM segments
             UNION ALL SELECT 'results', xmin::text, ctid::text FROM results
             UNION ALL SELECT 'runs', xmin::text, ctid::text FROM runs
             UNION ALL SELECT 'clip_locations', xmin::text, ctid::text FROM clip_locations"""
IN_TURN = "SELECT file_checksum FROM clips ORDER BY created_at"
OWNED = "file_checksum IN (SELECT file_checksum FROM clips)"  # not of a clip that was forgotten
KILLED = f"""
import os, signal, sys, uuid
from video_assets.storage import catalogue_copy
from video_assets.storage.postgres import Postgres
from video_assets.storage.catalogue_copy import Side, open_copy

catalogue_copy.CLIPS_PER_CHUNK = {CHUNK}
source, target, source_owner, owner, at = sys.argv[1:]
sides = Side(Postgres(source), uuid.UUID(source_owner)), Side(Postgres(target), uuid.UUID(owner))

def on_clips(count):
    if at == "boundary":
        os.kill(os.getpid(), signal.SIGKILL)

with open_copy(*sides, is_back=False) as copy:
    print("begins", flush=True)
    copy.run(on_clips)
"""


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalogue_copy, "CLIPS_PER_CHUNK", CHUNK)


ANN, BEN = (uuid.UUID(int=number, version=4) for number in (7, 8))


@pytest.fixture(scope="module")
def catalogues(
    embedded_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, tuple[Filled, Kept]]]:
    """One of seven clips, an empty one, and one of three; in each the last is forgotten."""
    made: dict[str, tuple[Filled, Kept]] = {}
    with ExitStack() as stack:
        for name, owner, clips in (("here", LOCAL_OWNER, 7), ("there", ANN, 0), ("desk", None, 3)):
            database = stack.enter_context(new_database(embedded_server))
            catalogue = Postgres(embedded_server.url(database))
            stack.callback(catalogue.close)
            one = Filled(catalogue, tmp_path_factory.mktemp(name), owner or LOCAL_OWNER)
            with psycopg.connect(embedded_server.admin_url(database)) as connection:
                for account in (ANN, BEN):
                    connection.execute(
                        "INSERT INTO auth.users (id, email) VALUES (%s, %s)",
                        (account, f"{account}@example.org"),
                    )
            if clips:
                run_sql(one, "SELECT private.use_checksum_algorithm('blake3')")
                one.live(one.fill(clips))
            made[name] = one, keep(embedded_server.admin_url(database))
        yield made


@pytest.fixture
def here(catalogues: dict[str, tuple[Filled, Kept]]) -> Iterator[Filled]:
    """A catalogue of six clips."""
    yield from _put_back_after(*catalogues["here"])


@pytest.fixture
def there(catalogues: dict[str, tuple[Filled, Kept]]) -> Iterator[Filled]:
    """An empty catalogue, as Ann has it."""
    yield from _put_back_after(*catalogues["there"])


@pytest.fixture
def desk(catalogues: dict[str, tuple[Filled, Kept]]) -> Iterator[Filled]:
    """A catalogue of two clips, whose contents are the same as of two of the others."""
    yield from _put_back_after(*catalogues["desk"])


def _put_back_after(filled: Filled, kept: Kept) -> Iterator[Filled]:
    names = {path: path.read_bytes() for path in filled.folder.iterdir()}
    yield filled
    kept.put_back()
    for path in filled.folder.iterdir():
        path.unlink()
    for path, text in names.items():
        path.write_bytes(text)


def copied(source: Filled, target: Filled, *, is_back: bool = False) -> Found:
    with open_copy(source.side, target.side, is_back=is_back) as copy:
        copy.run(lambda _: None)
    return compared(source, target, is_back=is_back)


def compared(source: Filled, target: Filled, *, is_back: bool = False) -> Found:
    with open_copy(source.side, target.side, is_back=is_back) as copy:
        return copy.compare(lambda _: None)


def run_sql(filled: Filled, statement: str, *values: Any) -> None:
    """Change something as a worker does."""
    with filled.catalogue.transaction() as connection:
        connection.execute(statement.encode(), values)


def everything(filled: Filled) -> dict[str, list[str]]:
    """Every row as text, but whose it is and the numbers that each catalogue has of its own."""
    rows: dict[str, list[str]] = {}
    with filled.catalogue.transaction() as connection:
        for name in sorted({table.name for table in copied_tables.ALL} | {"clip_texts"}):
            query = f"""SELECT (to_jsonb(t) - ARRAY['user_id', 'reported', 'space'])::text AS row
                          FROM {name} AS t
                         WHERE {OWNED if name == "results" else "true"}
                         ORDER BY 1"""  # noqa: S608
            rows[name] = [row["row"] for row in connection.execute(query.encode())]
    return rows


def test_every_table_is_copied_or_left_out_with_a_reason(here: Filled):
    with here.catalogue.transaction() as connection:
        found = {row["name"] for row in connection.execute(TABLES.encode())}
    known = {name if "." in name else f"public.{name}" for name in found}
    copies = {f"public.{table.name}" for table in copied_tables.ALL}
    assert known == copies | copied_tables.LEFT_OUT.keys()
    assert copies & copied_tables.LEFT_OUT.keys() == set()


def test_all_arrives_with_its_ids_and_is_found_as_before(here: Filled, there: Filled):
    run_sql(
        there, "INSERT INTO embedding_spaces (id, model, is_in_use) VALUES (2, %s, true)", MODEL
    )
    before = here.answers()
    found = copied(here, there)
    assert (found.unequal, found.clips, found.new, found.ahead) == ([], 6, 0, 0)
    assert all(tally.source for tally in found.tables.values())
    assert everything(there) == everything(here)
    assert there.answers() == before
    assert there.rows("SELECT DISTINCT space FROM clip_vectors") == [{"space": 2}]
    owners = there.rows("SELECT DISTINCT user_id FROM clips")
    assert [row["user_id"] for row in owners] == [ANN]
    assert Filled(there.catalogue, there.folder, BEN).rows("SELECT * FROM clips") == []


def test_what_is_the_same_is_not_written_again(here: Filled, there: Filled):
    copied(here, there)
    before = there.rows("SELECT count(*), max(updated_at) FROM clips")
    with there.catalogue.transaction() as connection:
        rows = connection.execute(WRITTEN.encode()).fetchall()
    copied(here, there)
    with there.catalogue.transaction() as connection:
        assert connection.execute(WRITTEN.encode()).fetchall() == rows
    assert there.rows("SELECT count(*), max(updated_at) FROM clips") == before


def test_a_dry_look_changes_nothing(here: Filled, there: Filled):
    before = everything(there)
    found = compared(here, there)
    assert (found.clips, found.new, found.outdated) == (6, 6, 6)
    assert "segments" in found.unequal
    assert everything(there) == before
    assert there.rows("SELECT * FROM embedding_spaces") == []


def test_changes_follow(here: Filled, there: Filled):
    copied(here, there)
    first, second, third, *_ = sorted(here.ids(), key=here.names().__getitem__)
    here.save(first, "scenes", scenes(5.5))
    descriptions.edit(here.catalogue, LOCAL_OWNER, here.ids()[second], {"tags": ["ours"]})
    descriptions.promote(here.catalogue, LOCAL_OWNER, "claude_analysis")
    here.embed(third, MODEL, 8)
    here.pay(third)
    name = here.names()[first]
    (here.folder / name).rename(here.folder / f"renamed {name}")
    (here.folder / "new.mp4").write_text("new")
    here.register()
    found = compared(here, there)
    assert (found.new, found.ahead) == (1, 0)
    assert {"scenes", "human_edits", "clip_locations", "ai_calls", "runs"} < set(found.unequal)
    assert copied(here, there).unequal == []
    assert everything(there) == everything(here)


def test_what_went_wrong_there_is_named_and_mended(here: Filled, there: Filled):
    copied(here, there)
    run_sql(there, "UPDATE scenes SET timestamp_end = 99 WHERE scene_number = 2")
    run_sql(there, "DELETE FROM transcripts WHERE full_text LIKE '%%bridge%%'")
    run_sql(there, "DELETE FROM processing_events WHERE step_name = 'probe'")
    assert compared(here, there).unequal == ["scenes", "transcripts", "processing_events"]
    assert copied(here, there).unequal == []
    assert everything(there) == everything(here)


def test_what_is_newer_there_stays_and_comes_back(here: Filled, there: Filled):
    copied(here, there)
    first, second, third, *_ = sorted(here.ids(), key=here.names().__getitem__)
    there.save(first, "scenes", scenes(1.0, 2.0, 3.0))
    descriptions.edit(there.catalogue, ANN, there.ids()[second], {"summary": "Ann's words."})
    here.save(second, "gemini_analysis", CLAUDE)
    here.save(first, "camera", {"make": "Sony", "location": {}, "capture": None})
    descriptions.edit(here.catalogue, LOCAL_OWNER, here.ids()[third], {"summary": "Ours."})
    descriptions.edit(here.catalogue, LOCAL_OWNER, here.ids()[first], {"tags": ["ours"]})

    found = copied(here, there)
    assert (found.unequal, found.ahead) == ([], 2)
    clips = {row["file_checksum"]: row for row in there.rows("SELECT * FROM clips")}
    assert (clips[first]["scene_count"], clips[first]["camera_make"]) == (3, "Sony")
    assert clips[first]["content_tags"] == ["ours"]
    assert clips[second]["content_summary"] == "Ann's words."
    assert clips[third]["content_summary"] == "Ours."
    analysis = there.rows(
        "SELECT ai_model FROM analysis WHERE clip_id = %s AND analyzer = 'gemini_analysis'",
        clips[second]["id"],
    )
    assert analysis == [{"ai_model": CLAUDE["ai_model"]}]

    assert copied(there, here, is_back=True).unequal == []
    assert everything(here) == everything(there)
    assert here.answers() == there.answers()


def test_a_place_that_another_machine_knows_is_left_alone(here: Filled, there: Filled):
    copied(here, there)
    run_sql(
        there,
        """INSERT INTO clip_locations (clip_id, user_id, host, path_bytes, path, size_bytes,
                                       mtime_ns)
           SELECT id, user_id, 'elsewhere', 'x'::bytea || id::text::bytea, 'x', 1, 1 FROM clips""",
    )
    run_sql(there, "INSERT INTO unreadable_files (user_id, host, path_bytes, path, reason) "
            "VALUES (%s, 'elsewhere', 'y', 'y', 'torn')", ANN)  # fmt: skip
    assert copied(here, there).unequal == []
    hosts = "SELECT count(*) AS n FROM clip_locations WHERE host = 'elsewhere'"
    assert there.rows(hosts) == [{"n": 6}]
    run_sql(there, "DELETE FROM clip_locations WHERE host <> 'elsewhere'")
    assert copied(there, here, is_back=True).unequal == []
    assert here.rows("SELECT count(*) AS n FROM clip_locations") == [{"n": 12}]
    run_sql(there, "DELETE FROM clip_locations")
    assert copied(there, here, is_back=True).unequal == []
    assert here.rows("SELECT count(*) AS n FROM clip_locations") == [{"n": 6}]


class Interruption(Exception):
    """What ends a copy between two chunks."""


def test_broken_off_between_two_chunks_it_goes_on(here: Filled, there: Filled):
    def break_off(_: int) -> None:
        raise Interruption

    with open_copy(here.side, there.side, is_back=False) as copy, pytest.raises(Interruption):
        copy.run(break_off)
    found = compared(here, there)
    assert (found.clips, found.new) == (6, 3)
    assert copied(here, there).unequal == []
    assert everything(there) == everything(here)


@pytest.mark.parametrize("at", ["boundary", "0.04"])
def test_killed_it_goes_on(here: Filled, there: Filled, at: str):
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", KILLED, here.catalogue.dsn, there.catalogue.dsn),
            *(str(LOCAL_OWNER), str(ANN), at),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    if at != "boundary":
        time.sleep(float(at))
        process.kill()
    assert process.wait(30) in (-signal.SIGKILL, 0)
    process.stdout.close()
    half = compared(here, there)
    assert half.new % CHUNK == 0
    assert copied(here, there).unequal == []
    assert everything(there) == everything(here)


def test_two_owners_share_the_work_and_not_their_clips(here: Filled, there: Filled, desk: Filled):
    copied(here, there)
    bens = Filled(there.catalogue, there.folder, BEN)
    shared = min(desk.ids())
    assert shared in here.ids()
    desk.save(shared, "scenes", scenes(0.5, 1.0, 1.5, 2.0))
    assert copied(desk, bens).unequal == []
    assert bens.ids() == desk.ids()
    assert there.ids() == here.ids()
    query = "SELECT scene_count FROM clips WHERE file_checksum = %s"
    assert [side.rows(query, shared) for side in (there, bens)] == [[{"scene_count": 4}]] * 2
    counted = "SELECT count(*) AS n FROM scenes WHERE video_id = %s"
    assert there.rows(counted, there.ids()[shared]) == [{"n": 4}]


def test_an_older_result_gives_way_to_the_newer_that_somebody_else_has(
    here: Filled, there: Filled, desk: Filled
):
    content = min(desk.ids())
    desk.save(content, "scenes", scenes(0.5, 1.0, 1.5, 2.0))
    copied(desk, Filled(there.catalogue, there.folder, BEN))
    assert copied(here, there).unequal == []
    assert there.ids() == here.ids()
    query = "SELECT scene_count FROM clips WHERE file_checksum = %s"
    assert there.rows(query, content) == [{"scene_count": 4}]


def test_what_the_owner_has_under_another_id_keeps_it(here: Filled, there: Filled, desk: Filled):
    copied(here, there)
    before = there.ids()
    content = min(desk.ids())
    desk.save(content, "scenes", scenes(0.5, 1.0, 1.5))
    found = copied(desk, there)
    assert (found.unequal, found.twins, found.only_there) == ([], 2, 4)
    assert there.ids() == before
    query = "SELECT scene_count FROM clips WHERE file_checksum = %s"
    assert there.rows(query, content) == [{"scene_count": 3}]


def test_somebody_else_s_clips_are_not_taken(here: Filled, there: Filled):
    copied(here, there)
    with pytest.raises(CatalogueError, match="7 of these clips and runs are there already"):
        copied(here, Filled(there.catalogue, there.folder, BEN))
    run_sql(there, "DELETE FROM clips")
    with pytest.raises(CatalogueError, match="1 of these clips and runs are there already"):
        copied(here, Filled(there.catalogue, there.folder, BEN))


def test_clips_known_by_other_checksums_are_refused(here: Filled, there: Filled):
    run_sql(there, "SELECT private.use_checksum_algorithm('md5')")
    with pytest.raises(CatalogueError, match="known by blake3 at the source and by md5"):
        copied(here, there)


def test_a_catalogue_is_not_copied_into_itself(here: Filled):
    with pytest.raises(CatalogueError, match="both are one database"):
        copied(here, here)


def test_a_schema_of_another_release_is_refused(
    here: Filled, there: Filled, embedded_server: EmbeddedServer
):
    name = there.catalogue.dsn.rpartition("/")[2]
    with psycopg.connect(embedded_server.admin_url(name)) as connection:
        connection.execute("ALTER TABLE scenes ADD COLUMN mood text")
        connection.commit()
        with pytest.raises(CatalogueError, match=r"scenes is not the same in both \(mood\)"):
            copied(here, there)
        connection.execute("ALTER TABLE scenes DROP COLUMN mood")


def test_vectors_of_a_model_that_has_no_room_are_refused(here: Filled, there: Filled):
    run_sql(there, "INSERT INTO embedding_spaces (id, model, is_in_use) VALUES (1, 'x/y', true)")
    with pytest.raises(CatalogueError, match="goes by x/y at the target"):
        copied(here, there)


def test_a_next_model_is_searched_there_when_it_is_here(here: Filled, there: Filled):
    contents = [row["file_checksum"] for row in here.rows(IN_TURN)]
    for number, content in enumerate(contents[:-1]):
        here.embed(content, NEXT_MODEL, number)
    assert copied(here, there).unequal == []
    used = "SELECT model FROM embedding_spaces WHERE is_in_use"
    assert there.rows(used) == here.rows(used) == [{"model": MODEL}]
    here.embed(contents[-1], NEXT_MODEL, 9)
    assert here.rows(used) == [{"model": NEXT_MODEL}]
    assert copied(here, there).unequal == []
    assert there.rows(used) == [{"model": NEXT_MODEL}]


def test_dagster_hears_of_the_clips(here: Filled, there: Filled):
    run_sql(here, "DELETE FROM results WHERE asset <> 'checksum'")
    with dg.DagsterInstance.ephemeral() as instance:
        report_results(instance, here.catalogue)
    with dg.DagsterInstance.ephemeral() as instance:
        copied(here, there)
        assert len(ledger.unreported(there.catalogue)) == 6
        assert report_results(instance, there.catalogue, settled_s=0.0) == 6
        assert set(instance.get_dynamic_partitions(CLIPS)) == set(there.ids())
        assert ledger.unreported(there.catalogue) == []
        copied(here, there)
        assert ledger.unreported(there.catalogue) == []


@pytest.mark.skipif(PGBOUNCER is None, reason=MISSING)
def test_a_pooler_of_transactions_may_stand_between(here: Filled, there: Filled):
    with pooler(here.catalogue.dsn, there.catalogue.dsn, size=2) as addresses, ExitStack() as stack:
        near, far = map(Postgres, addresses)
        stack.callback(near.close)
        stack.callback(far.close)
        found = copied(replace(here, catalogue=near), replace(there, catalogue=far))
        assert (found.unequal, found.clips) == ([], 6)


def test_what_was_forgotten_here_stays_there(here: Filled, there: Filled):
    copied(here, there)
    erasure.forget_clip(here.catalogue, LOCAL_OWNER, next(iter(here.ids().values())))
    found = copied(here, there)
    assert (found.unequal, found.clips, found.only_there) == ([], 5, 1)
