"""What an analyzer may do that no one thought of: its clip fails alone, and the ledger says why."""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._utils.error import serializable_error_info_from_exc_info
from psycopg import sql

from video_assets.automation import here
from video_assets.automation.reporting import report_results
from video_assets.clip_worker import Failed, Task, perform
from video_assets.partitions import CLIPS
from video_assets.progress import Progress
from video_assets.storage import ledger, locations
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.analyzers import HOSTILE
from video_assets_tests.automation.conftest import Pipeline, preset
from video_assets_tests.conftest import run_sql


@pytest.mark.parametrize("text", HOSTILE)
def test_a_clip_fails_alone(pipeline: Pipeline, text: str) -> None:
    pipeline.preset = preset(timeout_s=10)  # its silence alone tells of a worker that just left
    clips = pipeline.register(text, f"neighbour of {text}")
    result = pipeline.run(first=pipeline.span(clips)[0], last=pipeline.span(clips)[1])

    assert result.success
    states = pipeline.states(clips)
    assert states[text, "words"] == "failed"
    assert states[f"neighbour of {text}", "report"] == "done"
    (cell,) = (cell for cell in pipeline.cells(clips) if cell.state == "failed")
    assert cell.error
    assert str(pipeline.folder) not in cell.error
    assert pipeline.folder.name not in cell.error


def test_processing_waits_for_who_has_a_clip_in_hand(pipeline: Pipeline) -> None:
    clips = pipeline.register("held by another", "held by nobody")
    is_held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with ledger.claims(pipeline.catalogue, "words", [clips["held by another"]]):
            is_held.set()
            released.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(10)
    keys = list(clips.values())
    assert ledger.in_hand(pipeline.catalogue, ["words"], keys) == {clips["held by another"]}
    assert not ledger.in_hand(pipeline.catalogue, ["loud"], keys)
    timer = threading.Timer(3, released.set)
    timer.start()
    pipeline.process(clips)
    timer.join()
    holder.join()

    assert set(pipeline.states(clips).values()) == {"done"}


def test_processing_takes_up_what_was_let_go_between_two_looks(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = pipeline.register("let go unmade")
    with ExitStack() as held:
        held.enter_context(ledger.claims(pipeline.catalogue, "words", list(clips.values())))

        def look(*_: object) -> bool:
            held.close()
            return False

        monkeypatch.setattr(here, "_wait_for_others", look)
        pipeline.process(clips)
    assert set(pipeline.states(clips).values()) == {"done"}


def test_nothing_is_made_without_an_input_that_another_makes_now(pipeline: Pipeline) -> None:
    clips = pipeline.register("being made loud")
    first, last = pipeline.span(clips)
    with ledger.claims(pipeline.catalogue, "loud", list(clips.values())):
        pipeline.run(first=first, last=last)
        states = pipeline.states(clips)
        assert (states["being made loud", "words"], states["being made loud", "report"]) == (
            "done",
            "missing",
        )
    pipeline.process(clips)
    report = ledger.entries(pipeline.catalogue, "report", list(clips.values()))
    assert [entry.attempts for entry in report.values()] == [1]


def test_a_run_whose_claims_the_database_ended_saves_nothing_more(
    pipeline: Pipeline, embedded_server: EmbeddedServer
) -> None:
    clips = pipeline.register(*(f"gated to be claimed again {number}" for number in range(8)))
    keys, (first, last) = list(clips.values()), pipeline.span(clips)
    with ThreadPoolExecutor(1) as aside:
        work = aside.submit(pipeline.run, first=first, last=last)
        pipeline.let_go(one=True)
        while not ledger.entries(pipeline.catalogue, "words", keys):
            assert not work.done()
            time.sleep(0.05)
        database = urlsplit(pipeline.catalogue.dsn).path.strip("/")
        sessions = sql.SQL(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_database d "
            "ON d.oid = database WHERE locktype = 'advisory' AND datname = {}"
        )
        run_sql(embedded_server.admin_url("postgres"), sessions.format(sql.Literal(database)))
        pipeline.let_go()
        assert not work.result().success
    made = ledger.entries(pipeline.catalogue, "words", keys)
    assert len(made) < len(keys), "the clips in hand are anybody's again"
    pipeline.process(clips)
    made = ledger.entries(pipeline.catalogue, "words", keys)
    assert [entry.attempts for entry in made.values()] == [1] * len(keys)


def test_dagster_is_told_again_of_clips_whose_keys_are_gone(pipeline: Pipeline) -> None:
    clips = pipeline.register("key kept", "key gone")
    pipeline.process(clips)
    pipeline.instance.delete_dynamic_partition(CLIPS, clips["key gone"])
    pipeline.preset = preset(loud={"marks": 2})
    report_results(pipeline.instance, pipeline.catalogue, settled_s=0)

    assert clips["key gone"] in pipeline.instance.get_dynamic_partitions(CLIPS)
    pipeline.process(clips)
    assert set(pipeline.states(clips).values()) == {"done"}


def test_a_result_in_a_form_unknown_here_is_told_like_the_others(pipeline: Pipeline) -> None:
    clips = pipeline.register("of another version", "of this one")
    documents = ({"length": 3}, {"count": 3, "first": "of"})
    for checksum, document in zip(clips.values(), documents, strict=True):
        ledger.save_done(
            pipeline.catalogue,
            asset="words",
            checksum=checksum,
            made=ledger.Made("1", "", ""),
            document=document,
            problems={},
            seconds=0,
            cpu_seconds=0,
            run_id="elsewhere",
        )
    report_results(pipeline.instance, pipeline.catalogue, settled_s=0)
    assert pipeline.status("words", clips) == dict.fromkeys(clips, "MATERIALIZED")


def test_bytes_that_are_whole_again_are_a_clip_again(pipeline: Pipeline) -> None:
    clips = pipeline.register("restored from a backup")
    (path,) = pipeline.folder.glob("restored*")
    ledger.save_failed(
        pipeline.catalogue,
        asset="checksum",
        checksum=clips["restored from a backup"],
        made=ledger.Made("1", "", ""),
        error_class="ChangedWhileReadError",
        error="the bytes are not the registered ones any more",
        fault="file",
        seconds=0,
        run_id="verify",
    )
    assert not pipeline.cells(clips)

    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))
    pipeline.process(pipeline.register("restored from a backup"))
    assert set(pipeline.states(clips).values()) == {"done"}


def test_a_file_replaced_since_it_was_looked_for_is_not_analyzed(pipeline: Pipeline) -> None:
    clips = pipeline.register("first in the lane", "replaced meanwhile")
    found = locations.find_sources(pipeline.catalogue, list(clips.values()))
    source = found[clips["replaced meanwhile"]]
    assert isinstance(source, locations.Found)
    source.path.write_text("another clip")
    answer = perform(
        Task(
            module="video_assets_tests.analyzers",
            name="words",
            checksum=clips["replaced meanwhile"],
            source=source,
            inputs={},
            settings={},
            artifacts=pipeline.folder / "artifacts" / "ab" / "abc" / "words",
        ),
        Progress(),
    )
    assert isinstance(answer, Failed)
    assert answer.fault == "unreachable"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, DagsterExecutionInterruptedError])
def test_an_interruption_is_known_behind_another_error(interruption: type[BaseException]) -> None:
    def interrupted_in_a_library() -> None:
        try:
            raise interruption
        finally:
            raise OSError("cannot leave while busy")

    told = []
    for fails in (interrupted_in_a_library, lambda: 1 / 0):
        try:
            fails()
        except Exception:  # noqa: BLE001 - any error is to be looked at
            told.append(here.is_interruption(serializable_error_info_from_exc_info(sys.exc_info())))
    assert told == [True, False]
