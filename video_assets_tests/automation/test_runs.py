"""The three ways a clip asset runs: a batch with deferred events, a plain range, one clip."""

import time
from concurrent.futures import ThreadPoolExecutor

import dagster as dg
import pytest

from video_assets import stopping
from video_assets.automation.reporting import report_checks, tell_again
from video_assets.storage import ledger
from video_assets_tests.automation.conftest import PATIENCE_S, Pipeline, preset

DONE, FAILED = "MATERIALIZED", "FAILED"


def materializations(pipeline: Pipeline, asset: str, checksum: str) -> list[dg.EventLogRecord]:
    """All materialization events of one partition."""
    query = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[checksum])
    return list(pipeline.instance.fetch_materializations(query, limit=20).records)


def test_in_a_batch_the_good_clips_go_on_to_the_last_asset(pipeline: Pipeline) -> None:
    clips = pipeline.register("batch one", "bad batch", "batch two")
    result = pipeline.run(first=pipeline.span(clips)[0], last=pipeline.span(clips)[1])

    assert result.success
    good = {"batch one": DONE, "batch two": DONE}
    assert pipeline.status("words", clips) == good
    assert pipeline.status("loud", clips) == good
    assert pipeline.status("report", clips) == good
    assert pipeline.states(clips)["bad batch", "words"] == "failed"
    assert pipeline.states(clips)["bad batch", "loud"] == "waiting"


def test_a_batch_emits_one_materialization_a_clip_and_none_planned(pipeline: Pipeline) -> None:
    """Fails when a new Dagster no longer honours the tag that leaves the events to us."""
    clips = pipeline.register("tag one", "tag two")
    result = pipeline.run(first=pipeline.span(clips)[0], last=pipeline.span(clips)[1])

    planned = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    records = pipeline.instance.all_logs(result.run_id, of_type=planned)
    assert not records
    assert len(materializations(pipeline, "words", clips["tag one"])) == 1


def test_a_batch_tells_versions_and_numbers(pipeline: Pipeline) -> None:
    clips = pipeline.register("three whole words", "other words")
    pipeline.run(first=pipeline.span(clips)[0], last=pipeline.span(clips)[1])

    (record,) = materializations(pipeline, "words", clips["three whole words"])
    event = record.asset_materialization
    assert event is not None
    assert event.metadata["count"].value == 3
    assert event.tags is not None
    assert event.tags["dagster/code_version"] == "1"
    documents = ledger.documents(pipeline.catalogue, "words", list(clips.values()))
    assert event.tags["dagster/data_version"] == documents[clips["three whole words"]].digest


def test_a_range_without_the_tag_keeps_the_good_clips_and_fails(pipeline: Pipeline) -> None:
    clips = pipeline.register("range one", "bad range", "range two")
    first, last = pipeline.span(clips)
    result = pipeline.run(first=first, last=last, is_deferred=False, select=["words"])

    assert not result.success
    assert pipeline.status("words", clips) == {
        "range one": DONE,
        "range two": DONE,
        "bad range": FAILED,
    }
    assert pipeline.states(clips)["range one", "words"] == "done"


def test_a_range_without_the_tag_goes_on_with_the_good_clips(pipeline: Pipeline) -> None:
    clips = pipeline.register("onward one", "bad onward", "mute onward")
    first, last = pipeline.span(clips)
    for _ in range(2):  # made, then reused
        result = pipeline.run(first=first, last=last, is_deferred=False)

        assert not result.success
        shown = {"onward one": DONE, "bad onward": FAILED, "mute onward": DONE}
        assert pipeline.status("words", clips) == shown
        assert pipeline.status("loud", clips) == {**shown, "mute onward": FAILED}
        assert pipeline.status("report", clips) == shown
        assert "found the word bad" in str(result.failure_data_for_node("report"))


def test_a_range_without_the_tag_and_without_a_bad_clip_succeeds(pipeline: Pipeline) -> None:
    clips = pipeline.register("fine one", "fine two")
    first, last = pipeline.span(clips)
    result = pipeline.run(first=first, last=last, is_deferred=False)

    assert result.success
    for asset in ("words", "loud", "report"):
        assert pipeline.status(asset, clips) == {"fine one": DONE, "fine two": DONE}
    (record,) = materializations(pipeline, "words", clips["fine one"])
    assert record.asset_materialization is not None
    assert record.asset_materialization.metadata["count"].value == 2


def test_one_bad_clip_alone_shows_as_failed_with_its_error(pipeline: Pipeline) -> None:
    clips = pipeline.register("bad alone")
    result = pipeline.run(key=clips["bad alone"], select=["words"])

    assert not result.success
    assert pipeline.status("words", clips) == {"bad alone": FAILED}
    failure = result.failure_data_for_node("words")
    assert failure is not None
    assert failure.user_failure_data is not None
    assert "found the word bad" in str(failure.user_failure_data.description)


def test_a_clip_whose_input_is_missing_is_left_out_and_named(pipeline: Pipeline) -> None:
    clips = pipeline.register("input missing")
    result = pipeline.run(key=clips["input missing"], select=["loud"])

    assert not result.success
    assert pipeline.states(clips)["input missing", "loud"] == "waiting"


def test_a_valid_result_is_reused(pipeline: Pipeline) -> None:
    clips = pipeline.register("reuse me", "reuse me too")
    first, last = pipeline.span(clips)
    pipeline.run(first=first, last=last)
    before = ledger.entries(pipeline.catalogue, "words", list(clips.values()))
    pipeline.run(first=first, last=last)

    assert ledger.entries(pipeline.catalogue, "words", list(clips.values())) == before
    assert len(materializations(pipeline, "words", clips["reuse me"])) == 1


def test_one_clip_asked_for_by_itself_is_made_again(pipeline: Pipeline) -> None:
    clips = pipeline.register("again alone")
    pipeline.process(clips)
    written = next((pipeline.folder / "artifacts").rglob("loud.txt"))
    written.unlink()
    result = pipeline.run(key=clips["again alone"], select=["loud"])

    assert result.success
    assert written.read_text() == "AGAIN!"
    assert pipeline.states(clips)["again alone", "report"] == "done"


def test_another_setting_remakes_that_asset_and_what_reads_it_alone(pipeline: Pipeline) -> None:
    clips = pipeline.register("set louder")
    pipeline.process(clips)
    pipeline.preset = preset(loud={"marks": 3})

    assert pipeline.states(clips)["set louder", "loud"] == "stale"
    assert pipeline.states(clips)["set louder", "words"] == "done"
    pipeline.process(clips)
    loud = ledger.documents(pipeline.catalogue, "loud", list(clips.values()))
    report = ledger.documents(pipeline.catalogue, "report", list(clips.values()))
    assert loud[clips["set louder"]].body["text"] == "SET!!!"
    assert report[clips["set louder"]].body["loud"] == "SET!!!"
    words = ledger.entries(pipeline.catalogue, "words", list(clips.values()))
    assert words[clips["set louder"]].attempts == 1


def test_a_step_that_the_preset_disables_is_not_made(pipeline: Pipeline) -> None:
    clips = pipeline.register("without loud")
    pipeline.preset = preset("loud")
    pipeline.process(clips)

    assert pipeline.status("report", clips) == {"without loud": DONE}
    assert pipeline.status("loud", clips) == {}
    assert not ledger.entries(pipeline.catalogue, "loud", list(clips.values()))


def test_a_batch_of_a_preset_asks_its_checks_too(pipeline: Pipeline) -> None:
    clips = pipeline.register("asked about")
    pipeline.preset = preset("report")
    pipeline.process(clips)
    key = dg.AssetCheckKey(dg.AssetKey("words"), "words_are_few")
    found = pipeline.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])
    assert found[key].evaluation is not None


def test_a_check_is_answered_anew_once_a_later_result_is_told(pipeline: Pipeline) -> None:
    clips = pipeline.register("told twice")
    pipeline.process(clips)
    key = dg.AssetCheckKey(dg.AssetKey("words"), "words_are_few")

    def answered() -> int:
        report_checks(pipeline.instance, pipeline.catalogue)
        storage = pipeline.instance.event_log_storage
        return storage.get_latest_asset_check_execution_by_key([key])[key].id

    first = answered()
    assert answered() == first
    tell_again(pipeline.instance, pipeline.catalogue, "words", list(clips.values()))
    second = answered()
    assert second > first
    assert answered() == second


def test_processing_heals_what_was_chance_and_marks_what_lasts(pipeline: Pipeline) -> None:
    clips = pipeline.register("heal one", "bad for good", "mute heal")
    runs = pipeline.process(clips)

    assert runs == 3  # the batch, then each bad clip alone
    assert pipeline.status("words", clips)["bad for good"] == FAILED
    assert pipeline.status("loud", clips) == {"heal one": DONE, "mute heal": FAILED}
    assert pipeline.status("report", clips) == {"heal one": DONE, "mute heal": DONE}
    assert pipeline.process(clips) == 0


def test_a_crash_a_hang_and_a_bug_harm_only_their_clip(pipeline: Pipeline) -> None:
    clips = pipeline.register("crash here", "hang here", "bug here", "calm here")
    pipeline.preset = preset(timeout_s=5)
    pipeline.run(first=pipeline.span(clips)[0], last=pipeline.span(clips)[1])

    assert pipeline.status("report", clips) == {"calm here": DONE}
    found = {cell.error_class: cell for cell in pipeline.cells(clips) if cell.state == "failed"}
    assert set(found) == {"WorkerCrashed", "TimedOut", "RuntimeError"}
    assert found["RuntimeError"].error == "cannot handle the file"
    assert "SIGSEGV" in (found["WorkerCrashed"].error or "")


def test_a_check_reads_what_was_found_where_the_result_was_made(pipeline: Pipeline) -> None:
    clips = pipeline.register("word " * 300, "few words")
    result = pipeline.run(first=pipeline.span(clips)[0], last=pipeline.span(clips)[1])

    (evaluation,) = result.get_asset_check_evaluations()
    assert not evaluation.passed
    assert evaluation.metadata["clips_with_problem"].value == 1
    assert "300 words" in str(evaluation.metadata["first"].value)


def test_a_clip_in_another_process_s_hands_is_left_to_it(pipeline: Pipeline) -> None:
    clips = pipeline.register("claimed clip", "free clip")
    first, last = pipeline.span(clips)
    with ledger.claims(pipeline.catalogue, "words", [clips["claimed clip"]]) as mine:
        assert mine.checksums == [clips["claimed clip"]]
        pipeline.run(first=first, last=last)
        assert pipeline.status("report", clips) == {"free clip": DONE}
    pipeline.run(first=first, last=last)
    assert pipeline.status("report", clips) == {"free clip": DONE, "claimed clip": DONE}


@pytest.mark.parametrize("is_urgent", [False, True])
def test_a_stop_lets_the_clips_in_hand_be_finished_unless_it_is_urgent(
    pipeline: Pipeline, is_urgent: bool
) -> None:
    clips = pipeline.register(*(f"gated {is_urgent} {number}" for number in range(8)))
    keys = list(clips.values())
    with ThreadPoolExecutor(1) as aside:
        work = aside.submit(pipeline.process, clips)
        pipeline.let_go(one=True)
        while not ledger.entries(pipeline.catalogue, "words", keys):
            assert not work.done()
            time.sleep(0.05)
        stopping.ask(now=is_urgent)
        began = time.monotonic()
        if not is_urgent:
            pipeline.let_go()
        with pytest.raises(KeyboardInterrupt):
            work.result()
    stopping.withdraw()
    made = ledger.entries(pipeline.catalogue, "words", keys)
    assert {entry.status for entry in made.values()} == {"done"}
    assert len(made) == 1 if is_urgent else 2 <= len(made) <= 6
    assert time.monotonic() - began < PATIENCE_S, "nobody waits for what hangs"
    (run,) = pipeline.instance.get_runs(limit=1)
    wanted = dg.DagsterRunStatus.FAILURE if is_urgent else dg.DagsterRunStatus.CANCELED
    assert run.status == wanted
    told = pipeline.status("words", clips)
    assert is_urgent or len(told) == len(made)
    pipeline.let_go()
    pipeline.process(clips)
    assert set(pipeline.states(clips).values()) == {"done"}
