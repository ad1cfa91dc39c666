"""What `status` counts: complete clips by their plan alone, each other clip by how it stands."""

import psycopg
import pytest
from psycopg import sql

from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger
from video_assets.storage.counts import Counts, count
from video_assets.storage.postgres import Postgres
from video_assets_tests import shelf
from video_assets_tests.shelf import LONG, STEPS, Shelf

AS_COUNTED = {"checksum": (6, 0, 0, 0, 0), "probe": (2, 1, 0, 3, 0), "thumbnails": (1, 0, 0, 4, 1)}


@pytest.fixture(scope="module")
def filled(catalogue: Postgres, admin_url: str, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return shelf.fill(catalogue, admin_url, tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def complete(filled: Shelf) -> str:
    return filled.checksums["complete.mov"]


def plan(filled: Shelf, checksum: str, *steps: str) -> None:
    ledger.plan_clips(filled.catalogue, LOCAL_OWNER, [checksum], "default", steps)


def look(filled: Shelf) -> Counts:
    with filled.catalogue.transaction(LOCAL_OWNER) as connection:
        return count(connection)


def steps(filled: Shelf) -> dict[str, tuple[int, ...]]:
    """Done, failed, running, waiting, blocked, by step."""
    found = look(filled).steps
    return {s.step: (s.done, s.failed, s.running, s.waiting, s.blocked) for s in found}


def test_complete_clips_of_two_plans_are_summed_up(filled: Shelf, complete: str):
    assert steps(filled) == AS_COUNTED
    plan(filled, complete, "checksum", "probe")
    found = steps(filled)
    assert list(found) == list(STEPS)
    assert found == AS_COUNTED, "what is planned no more is there all the same"
    shelf.done(filled, LONG, "thumbnails", {"thumbnails": [], "contact_sheet": None})
    assert look(filled).clips["complete"] == 2
    assert steps(filled) == AS_COUNTED | {"thumbnails": (2, 0, 0, 3, 1)}
    plan(filled, complete, *STEPS)
    assert steps(filled) == AS_COUNTED | {"thumbnails": (2, 0, 0, 3, 1)}


def test_what_was_made_of_a_missing_clip_is_still_there(filled: Shelf, complete: str):
    before = look(filled)
    with filled.catalogue.transaction() as connection:
        connection.execute(
            """WITH gone AS (UPDATE clips SET missing_since = now()
                              WHERE file_checksum = %s RETURNING id)
               UPDATE clip_locations SET missing_at = now() FROM gone WHERE clip_id = gone.id""",
            (complete,),
        )
    found = look(filled)
    assert found.clips["missing"] == 1
    assert found.clips["complete"] == before.clips["complete"] - 1
    assert found.steps == before.steps


def test_a_complete_clip_in_work_again_is_counted_where_it_is(filled: Shelf, complete: str):
    before = steps(filled)
    done, failed, running, *others = before["thumbnails"]
    with ledger.claims(filled.catalogue, "thumbnails", [complete]):
        ledger.log_starting(filled.catalogue, "thumbnails", [complete])
        assert steps(filled) == before | {"thumbnails": (done - 1, failed, running + 1, *others)}


@pytest.mark.parametrize(
    "counted",
    [
        "count(*) FROM clips WHERE processing_progress = 100 AND missing_since IS NULL",
        "plan_key, array_agg(id) FROM clips WHERE processing_progress = 100 GROUP BY plan_key",
    ],
)
def test_complete_clips_are_counted_without_reading_them(
    filled: Shelf, admin_url: str, counted: str
):
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("VACUUM clips")
    with filled.catalogue.transaction(LOCAL_OWNER) as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        explained = sql.SQL("EXPLAIN SELECT ") + sql.SQL(counted)  # pyright: ignore[reportArgumentType]
        rows = connection.execute(explained).fetchall()
    assert any("Index Only Scan using clips_complete" in row["QUERY PLAN"] for row in rows)
