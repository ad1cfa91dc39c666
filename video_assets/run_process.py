"""Which process runs a run, so that the runs of processes that were killed are found and ended.

Dagster learns of a killed run from the process that started it, and of nothing when that was killed
too. So each run notes its own process when it begins; of one that has not come to that, the code
server knows whether it was told to start it.
"""

import json
import time
from datetime import timezone
from pathlib import Path

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import GetCurrentRunsResult

from video_assets.storage import processes
from video_assets.storage.locations import HOST

PROCESS_TAG = "video-assets/process"
NOTED_WITHIN_S = 180.0  # a run that begins notes its process within a second or two
NO_LIMIT_MS, RENEW_AFTER_S, MORE_AT_ONCE = 0, 3600, 20
UNDER_WAY = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def keep_connections(instance: dg.DagsterInstance) -> None:
    """Let Dagster's storage keep its connections, of which it else opens one a statement.

    Measured: opening them is a quarter of what a run costs. Its webserver does the same for itself.
    """
    instance.optimize_for_webserver(
        statement_timeout=NO_LIMIT_MS, pool_recycle=RENEW_AFTER_S, max_overflow=MORE_AT_ONCE
    )


def this_process() -> str:
    """Name this process so that no other is taken for it."""
    return f"{HOST} {processes.this_process()}"


def note_process(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Note that this process runs a run; its id stands there because a retry copies the tags."""
    if run.tags.get(PROCESS_TAG) != this_process():  # launched: nobody has prepared its storage
        keep_connections(instance)
    instance.add_run_tags(run.run_id, {PROCESS_TAG: f"{this_process()} {run.run_id}"})


def end_dead_runs(instance: dg.DagsterInstance) -> int:
    """Fail the runs of processes on this machine that were killed, and give their number."""
    dead = 0
    for record in instance.get_run_records(dg.RunsFilter(statuses=UNDER_WAY)):
        run = record.dagster_run
        if _is_dead(instance, record):
            why = "the process that ran it was killed"
            if run.status == dg.DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run, why)
            else:
                instance.report_run_failed(run, why)
            dead += 1
    _free_pools(instance)
    return dead


def _free_pools(instance: dg.DagsterInstance) -> None:
    """Free what ended runs hold in the pools: else only the daemon does, and after a while."""
    storage = instance.event_log_storage
    for run_id in storage.get_concurrency_run_ids():
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            storage.free_concurrency_slots_for_run(run_id)


def _is_dead(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    run = record.dagster_run
    host, pid, created, *noted = run.tags.get(PROCESS_TAG, "   ").split(" ")
    is_its_own = run.run_id in noted or (not noted[0:1] and run.parent_run_id is None)
    if host and is_its_own:
        return host == HOST and not processes.is_alive(f"{pid} {created}")
    if _is_of_an_earlier_daemon(instance, record):
        # A daemon that begins launches what was requested before it, and nothing else.
        return run.status != dg.DagsterRunStatus.NOT_STARTED and not _is_launched(run)
    started = record.start_time
    return started is not None and time.time() - started > NOTED_WITHIN_S


def _is_of_an_earlier_daemon(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Tell whether nothing was heard of a run since the daemon here began."""
    begun = Path(instance.root_directory, processes.DAEMON_FILE)
    changed_at = record.update_timestamp.replace(tzinfo=timezone.utc).timestamp()
    return begun.exists() and changed_at < begun.stat().st_mtime


def _is_launched(run: dg.DagsterRun) -> bool:
    """Tell whether the code server that was to start a run has it in hand."""
    server = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    if "socket" not in server:
        return False
    try:
        told = DagsterGrpcClient(socket=server["socket"]).get_current_runs()
    except DagsterUserCodeUnreachableError:  # it is gone, and starts nothing any more
        return False
    return run.run_id in dg.deserialize_value(told, GetCurrentRunsResult).current_runs
