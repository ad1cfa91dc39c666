"""The history of a clip: every attempt with its own end, and never in the way of the work."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger
from video_assets.storage.postgres import Postgres
from video_assets_tests import shelf
from video_assets_tests.shelf import MADE


@pytest.fixture
def clip(catalogue: Postgres, tmp_path: Path) -> str:
    (tmp_path / "clip.mp4").write_bytes(uuid.uuid4().bytes)
    (checksum,) = shelf.register(catalogue, LOCAL_OWNER, tmp_path).values()
    ledger.plan_clips(catalogue, LOCAL_OWNER, [checksum], "default", ["checksum", "probe"])
    return checksum


def events(catalogue: Postgres, checksum: str, *columns: str) -> list[Any]:
    with catalogue.transaction() as connection:
        rows = connection.execute(
            """SELECT e.* FROM processing_events e JOIN clips c ON c.id = e.video_id
                WHERE c.file_checksum = %s ORDER BY e."timestamp" """,
            (checksum,),
        )
        return [tuple(row[name] for name in columns) for row in rows]


def complete(catalogue: Postgres, checksum: str) -> None:
    ledger.save_done(
        catalogue,
        asset="words",
        checksum=checksum,
        made=MADE,
        document={"count": 1},
        problems={},
        seconds=1.25,
        cpu_seconds=1.0,
        run_id="run-2",
    )


def fail(catalogue: Postgres, checksum: str, fault: str) -> None:
    ledger.save_failed(
        catalogue,
        asset="probe",
        checksum=checksum,
        made=MADE,
        error_class="Some",
        error="why",
        fault=fault,
        seconds=0.5,
        run_id="run-1",
    )


def test_every_attempt_keeps_its_own_end(catalogue: Postgres, clip: str):
    for fault in ("network", "file"):
        ledger.log_starting(catalogue, "probe", [clip], "run-1")
        fail(catalogue, clip, fault)
    found = events(catalogue, clip, "status", "step_index", "error")
    assert found == [
        ("starting", 2, None),
        ("error", 2, "why"),
        ("starting", 2, None),
        ("failed", 2, "why"),
    ]
    *_, (facts,) = events(catalogue, clip, "metadata")
    assert facts == {"run": "run-1", "seconds": 0.5, "fault": "file", "error_class": "Some"}


def test_a_step_that_is_not_planned_has_no_index(catalogue: Postgres, clip: str):
    complete(catalogue, clip)
    ((status, index, facts),) = events(catalogue, clip, "status", "step_index", "metadata")
    assert (status, index) == ("completed", None)
    assert (facts["run"], facts["seconds"], facts["cpu_seconds"]) == ("run-2", 1.25, 1.0)


def test_an_attempt_whose_process_was_killed_gets_its_end_when_the_next_begins(
    catalogue: Postgres, clip: str
):
    ledger.log_starting(catalogue, "probe", [clip], "killed")
    ledger.log_starting(catalogue, "probe", [clip], "next")
    found = events(catalogue, clip, "status", "metadata")
    assert [(status, facts["run"]) for status, facts in found] == [
        ("starting", "killed"),
        ("error", "killed"),
        ("starting", "next"),
    ]


@contextmanager
def nobody_may_write_events(admin_url: str) -> Iterator[None]:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("REVOKE INSERT ON processing_events FROM service_role")
        yield
        connection.execute("GRANT INSERT ON processing_events TO service_role")


@contextmanager
def somebody_holds_the_table(admin_url: str) -> Iterator[None]:
    with psycopg.connect(admin_url) as connection:
        connection.execute("LOCK TABLE processing_events IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


@pytest.mark.parametrize("trouble", [nobody_may_write_events, somebody_holds_the_table])
def test_events_that_cannot_be_written_do_not_fail_the_work(
    catalogue: Postgres, clip: str, admin_url: str, trouble: Any
):
    with trouble(admin_url):
        ledger.log_starting(catalogue, "words", [clip], "run")
        complete(catalogue, clip)
    assert ledger.documents(catalogue, "words", [clip])[clip].body == {"count": 1}
    assert events(catalogue, clip, "status") == []
