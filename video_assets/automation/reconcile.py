"""Reconcile: what the ledger lacks is requested, whatever the reason it lacks it.

The engine of resumption: the sensor, `ingest` and every other command that asks for work call
`find_work`. A new analyzer, a raised code version, a killed process and a new clip all look alike
here: cells without a current result.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone

import dagster as dg

from video_assets.automation.jobs import RANGE_END, RANGE_START, batch_tags, process_clips
from video_assets.automation.plan import plan_of, selection_of
from video_assets.automation.reporting import heal_statuses, report_checks, report_results
from video_assets.automation.work import find_work
from video_assets.clip_asset import CLIPS_PER_RUN
from video_assets.partitions import CLIPS, ranges
from video_assets.presets.model import PipelineConfiguration
from video_assets.storage.postgres import Postgres

RUNS_PER_TICK = 20
TICK_S = 30

IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
ENDED_BADLY = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dg.sensor(
    job=process_clips,
    minimum_interval_seconds=TICK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests runs for clips that lack a result, and once more for clips that failed.",
)
def reconcile(
    context: dg.SensorEvaluationContext,
    catalogue: dg.ResourceParam[Postgres],
    preset: dg.ResourceParam[PipelineConfiguration],
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request what is missing or worth another attempt, and leave alone what is in hand."""
    report_results(context.instance, catalogue)
    _agree(context, catalogue)
    # A clip that another preset was used for is not remade for that alone.
    plan = [replace(asset, settings_fingerprint="") for asset in plan_of(preset)]
    work = find_work(catalogue, plan)
    if not work:
        yield dg.SkipReason("every clip has a current result, or failed for good")
        return
    ordered = context.instance.get_dynamic_partitions(CLIPS)
    taken = keys_in_progress(context.instance, ordered)
    wanted = [checksum for checksum in work.clips if checksum not in taken]
    alone = [cell for cell in work.alone if cell[0] not in taken]
    requests = [
        dg.RunRequest(
            asset_selection=selection_of(plan),
            tags=batch_tags(first, last, retries_passing=True, keeps_settings=True),
        )
        for first, last in ranges(ordered, wanted, longest=CLIPS_PER_RUN)
    ]
    requests += [
        dg.RunRequest(partition_key=checksum, asset_selection=[dg.AssetKey(asset)])
        for checksum, asset in alone
    ]
    if not requests:
        yield dg.SkipReason(f"{len(work.clips) + len(work.alone)} clips are in hand already")
    yield from requests[:RUNS_PER_TICK]


def _agree(context: dg.SensorEvaluationContext, catalogue: Postgres) -> None:
    """Make Dagster's picture agree with the ledger after runs that failed or were cancelled."""
    since = datetime.fromtimestamp(float(context.cursor or 0), timezone.utc)
    context.update_cursor(str(time.time()))
    ended = dg.RunsFilter(statuses=ENDED_BADLY, updated_after=since)
    if context.instance.get_run_records(ended, limit=1):
        heal_statuses(context.instance, catalogue)
    report_checks(context.instance, catalogue)


def keys_in_progress(instance: dg.DagsterInstance, ordered: Sequence[str]) -> set[str]:
    """Find the clips that runs of Dagster have in hand or in their queue."""
    place = {key: index for index, key in enumerate(ordered)}
    taken: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS)):
        first = run.tags.get(RANGE_START) or run.tags.get("dagster/partition")
        last = run.tags.get(RANGE_END) or first
        if first in place and last in place:
            taken.update(ordered[place[first] : place[last] + 1])
    return taken
