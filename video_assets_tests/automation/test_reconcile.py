"""What is requested, what is left alone, and what Dagster is told afterwards."""

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import grpc
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.__generated__.dagster_api_pb2 import Empty, GetCurrentRunsReply
from dagster._grpc.__generated__.dagster_api_pb2_grpc import (
    DagsterApiServicer,
    add_DagsterApiServicer_to_server,
)
from dagster._grpc.types import GetCurrentRunsResult

from video_assets.automation.in_progress import keys_in_progress
from video_assets.automation.instance import set_pools
from video_assets.automation.reconcile import reconcile
from video_assets.automation.reporting import report_results
from video_assets.events import DEFER_EVENTS
from video_assets.partitions import CLIPS, RANGE_END, RANGE_START, meant
from video_assets.run_process import PROCESS_TAG, end_dead_runs
from video_assets.storage import ledger
from video_assets.storage.locations import HOST
from video_assets.storage.processes import DAEMON_FILE
from video_assets_tests.automation.conftest import Pipeline, preset


def requests(pipeline: Pipeline) -> list[dg.RunRequest]:
    """What one tick of the sensor asks for."""
    context = dg.build_sensor_context(
        instance=pipeline.instance,
        resources={"catalogue": pipeline.catalogue, "preset": pipeline.preset},
    )
    ticked = reconcile(context)
    assert ticked is not None
    return [request for request in ticked if isinstance(request, dg.RunRequest)]  # type: ignore[union-attr]


def keys_of(pipeline: Pipeline, request: dg.RunRequest) -> list[str]:
    """The partitions that a request spans."""
    if request.partition_key:
        return [request.partition_key]
    ordered = list(pipeline.instance.get_dynamic_partitions(CLIPS))
    first, last = (ordered.index(request.tags[name]) for name in (RANGE_START, RANGE_END))
    return meant(ordered[first : last + 1], request.tags)


def test_new_clips_are_requested_as_one_batch_with_our_own_events(pipeline: Pipeline) -> None:
    clips = pipeline.register("reconcile one", "reconcile two")
    (request,) = [r for r in requests(pipeline) if set(keys_of(pipeline, r)) >= set(clips.values())]
    assert request.tags[DEFER_EVENTS] == "true"


def test_complete_clips_are_not_requested_again(pipeline: Pipeline) -> None:
    clips = pipeline.register("complete one")
    pipeline.process(clips)
    asked = {key for request in requests(pipeline) for key in keys_of(pipeline, request)}
    assert not asked & set(clips.values())


def test_a_clip_of_another_preset_is_not_remade_by_the_daemon_s(pipeline: Pipeline) -> None:
    clips = pipeline.register("quiet clip")
    pipeline.process(clips)
    pipeline.preset = preset(loud={"marks": 5})
    asked = [key for request in requests(pipeline) for key in keys_of(pipeline, request)]
    assert clips["quiet clip"] not in asked
    first, last = pipeline.span(clips)
    pipeline.run(first=first, last=last, keeps_settings=True)
    loud = ledger.documents(pipeline.catalogue, "loud", list(clips.values()))
    assert loud[clips["quiet clip"]].body["text"] == "QUIET!"


def test_a_clip_that_failed_in_a_batch_is_asked_for_once_more_alone(pipeline: Pipeline) -> None:
    clips = pipeline.register("bad alone once", "good beside it")
    first, last = pipeline.span(clips)
    pipeline.run(first=first, last=last)

    bad = clips["bad alone once"]
    (request,) = [r for r in requests(pipeline) if r.partition_key == bad]
    assert request.asset_selection == [dg.AssetKey("words")]
    assert DEFER_EVENTS not in request.tags
    pipeline.run(key=bad, select=["words"])
    assert not [r for r in requests(pipeline) if bad in keys_of(pipeline, r)]


def test_clips_that_a_run_has_in_hand_are_left_to_it(pipeline: Pipeline) -> None:
    clips = pipeline.register("in hand one", "in hand two")
    first, last = pipeline.span(clips)
    tags = {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }
    run = pipeline.instance.create_run_for_job(
        pipeline.job(), tags=tags, status=dg.DagsterRunStatus.STARTED
    )
    try:
        assert keys_in_progress(pipeline.instance, [run]) >= set(clips.values())
        asked = {key for request in requests(pipeline) for key in keys_of(pipeline, request)}
        assert not asked & set(clips.values())
    finally:
        pipeline.instance.delete_run(run.run_id)


def test_a_lost_source_is_tried_again_only_after_a_pause(pipeline: Pipeline) -> None:
    clips = pipeline.register("lost one")
    (pipeline.folder / "lost_one.mp4").unlink()
    first, last = pipeline.span(clips)
    pipeline.run(first=first, last=last)

    (cell,) = [c for c in pipeline.cells(clips) if c.state == "failed"]
    assert (cell.fault, cell.error_class) == ("unreachable", "SourceMissing")
    assert not [r for r in requests(pipeline) if clips["lost one"] in keys_of(pipeline, r)]
    with pipeline.catalogue.transaction() as connection:
        connection.execute(
            "UPDATE results SET measured_at = now() - interval '2 minutes' WHERE error IS NOT NULL"
        )
    assert [r for r in requests(pipeline) if clips["lost one"] in keys_of(pipeline, r)]
    (pipeline.folder / "lost_again.mp4").write_text("lost one")
    pipeline.register("lost one")
    pipeline.process(clips)
    assert pipeline.states(clips)["lost one", "report"] == "done"


def test_what_a_killed_process_committed_is_told_later(pipeline: Pipeline) -> None:
    clips = pipeline.register("told later")
    made = ledger.Made("1", "x", "y")
    ledger.save_done(
        pipeline.catalogue,
        asset="words",
        checksum=clips["told later"],
        made=made,
        document={"count": 7, "first": "told"},
        problems={},
        seconds=0,
        cpu_seconds=0,
        run_id="killed",
    )
    report_results(pipeline.instance, pipeline.catalogue)
    assert pipeline.status("words", clips) == {}, "a living run would tell of it itself"
    with pipeline.catalogue.transaction() as connection:
        connection.execute(
            "UPDATE results SET measured_at = now() - interval '2 minutes' WHERE run_id = 'killed'"
        )
    report_results(pipeline.instance, pipeline.catalogue)
    assert pipeline.status("words", clips) == {"told later": "MATERIALIZED"}


def test_a_lane_s_pool_takes_as_many_runs_as_the_lane_has_slots(pipeline: Pipeline) -> None:
    """Fails when a new Dagster sets the limits of pools in another way."""
    set_pools(pipeline.instance, {"metadata": 3, "ai_gemini": 1})
    storage = pipeline.instance.event_log_storage
    limits = {pool.name: pool.limit for pool in storage.get_pool_limits()}
    assert (limits["metadata"], limits["ai_gemini"]) == (3, 1)
    set_pools(pipeline.instance, {"metadata": 1})
    assert storage.get_concurrency_info("metadata").slot_count == 1


def test_a_run_whose_process_was_killed_is_ended(pipeline: Pipeline) -> None:
    job, status = pipeline.job(), dg.DagsterRunStatus.STARTED
    dead = {PROCESS_TAG: f"{HOST} 999999999 1.00"}
    alive = {PROCESS_TAG: "elsewhere 999999999 1.00"}
    here = pipeline.instance.create_run_for_job(job, tags=dead, status=status)
    there = pipeline.instance.create_run_for_job(job, tags=alive, status=status)
    try:
        assert end_dead_runs(pipeline.instance) == 1
        states = [pipeline.instance.get_run_by_id(run.run_id) for run in (here, there)]
        found = [run.status for run in states if run]
        assert found == [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED]
    finally:
        pipeline.instance.delete_run(here.run_id)
        pipeline.instance.delete_run(there.run_id)


class CodeServer(DagsterApiServicer):
    """What a code server tells of the runs that it has in hand."""

    def __init__(self) -> None:
        self.runs: list[str] = []

    def GetCurrentRuns(self, request: Empty, context: object) -> GetCurrentRunsReply:
        told = dg.serialize_value(
            GetCurrentRunsResult(current_runs=self.runs, serializable_error_info=None)
        )
        return GetCurrentRunsReply(serialized_current_runs=told)


@contextmanager
def code_server(socket: Path) -> Iterator[CodeServer]:
    served, server = CodeServer(), grpc.server(ThreadPoolExecutor(1))
    add_DagsterApiServicer_to_server(served, server)
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    try:
        yield served
    finally:
        server.stop(None).wait()


def test_a_run_whose_launch_was_broken_off_is_ended(pipeline: Pipeline, tmp_path: Path) -> None:
    """The daemon was killed between the words that a run starts and the start of its process."""
    job, starting = pipeline.job(), dg.DagsterRunStatus.STARTING
    begun = Path(pipeline.instance.root_directory, DAEMON_FILE)

    def told_of(socket: Path) -> dict[str, str]:
        return {GRPC_INFO_TAG: json.dumps({"host": "localhost", "socket": str(socket)})}

    def start(tags: dict[str, str], status: dg.DagsterRunStatus = starting) -> dg.DagsterRun:
        return pipeline.instance.create_run_for_job(job, tags=tags, status=status)

    runs = []
    with code_server(tmp_path / "code.sock") as server:
        try:
            runs += [
                start({}),
                start(told_of(tmp_path / "none.sock")),
                start(told_of(tmp_path / "code.sock")),
                start(told_of(tmp_path / "code.sock")),
                start({}, dg.DagsterRunStatus.NOT_STARTED),
            ]
            server.runs = [runs[3].run_id]
            begun.touch()
            now = time.time()  # the file system's own clock may be some milliseconds behind
            os.utime(begun, times=(now, now))
            runs.append(start({}))
            assert end_dead_runs(pipeline.instance) == 3
            found = [pipeline.instance.get_run_by_id(run.run_id) for run in runs]
            ended = [run.status == dg.DagsterRunStatus.FAILURE for run in found if run]
            assert ended == [True, True, True, False, False, False]
        finally:
            begun.unlink(missing_ok=True)
            for run in runs:
                pipeline.instance.delete_run(run.run_id)
