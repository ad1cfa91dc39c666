"""Processing here: the same runs that the daemon would launch, in this process and to the end."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from video_assets import stopping
from video_assets.automation.in_progress import IN_PROGRESS
from video_assets.automation.jobs import batch_tags
from video_assets.automation.plan import analyzers, plan_of, selection_of
from video_assets.automation.reporting import report_checks
from video_assets.automation.work import Work, find_work
from video_assets.clip_asset import CLIPS_PER_RUN
from video_assets.clip_stream import payer_tags
from video_assets.partitions import CLIPS, batches
from video_assets.presets.model import PipelineConfiguration
from video_assets.resources import PRESET_TAG, SWITCHED_ON_TAG, WORKERS_TAG
from video_assets.run_process import PROCESS_TAG, this_process
from video_assets.storage import advance, batch_calls, ledger
from video_assets.storage.ai_calls import Payer
from video_assets.storage.postgres import Postgres

WAIT_S = 0.5  # between two looks at clips that another process has in hand
BETWEEN_STEPS_S = 3.0  # in which a living run holds none of its clips
TRIES_MORE = 2
TROUBLES_ENOUGH = 3  # the machine is at fault: the next run would say the same
INTERRUPTED = "UNEXPECTED_TERMINATION"  # what Dagster calls a run that Ctrl-C ended
INTERRUPTIONS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Trouble:
    """Why a run failed, when no clip is to blame."""

    run_id: str
    step: str | None
    error: str
    details: str


def process_here(
    instance: dg.DagsterInstance,
    catalogue: Postgres,
    job: dg.JobDefinition,
    preset: PipelineConfiguration,
    checksums: Sequence[str],
    *,
    workers: int | None = None,
    payer: Payer | None = None,
    on_run: Callable[[dg.ExecuteInProcessResult], None] | None = None,
) -> list[Trouble]:
    """Make every current result of these clips that can be made; the ledger tells how it went.

    workers  the most processes of one lane, where the preset allows more
    payer    what its paid calls are counted to; None: each run by itself
    on_run   called with every run that ended

    Gives what went wrong beside the clips; raises KeyboardInterrupt when a run was interrupted.
    """
    plan = plan_of(preset)
    told = {PRESET_TAG: preset.name, PROCESS_TAG: this_process()}
    if preset.switched_on:
        told[SWITCHED_ON_TAG] = " ".join(preset.switched_on)
    if payer is not None:
        told |= payer_tags(payer)
    if workers is not None:
        told[WORKERS_TAG] = str(workers)
    tried: set[Work] = set()
    tries_more = TRIES_MORE
    troubles: list[Trouble] = []
    others = ledger.in_hand(catalogue, list(analyzers()), checksums)
    began = advance.now(catalogue)

    def find() -> Work:
        # Batches are looked at once: else many of them would keep this going until all are over.
        out = batch_calls.looked_at(catalogue, checksums, began)
        return find_work(catalogue, plan, checksums, at_once=not tried, left=out)

    while work := find() or _left_by(others, catalogue, plan):
        _end_if_asked()
        if work in tried:  # nothing moved: what is left cannot be made now, or not by us
            if _wait_for_others(instance, catalogue, work):
                tried.clear()
                continue
            # Who had these clips may have let them go, unmade, just before we looked.
            if troubles or not work.clips or tries_more == 0:
                break
            tries_more -= 1
        tried.add(work)
        for selection, tags, key in _requests(instance, work, selection_of(plan)):
            result = job.execute_in_process(
                instance=instance,
                asset_selection=selection,
                partition_key=key,
                tags={**tags, **told},
                run_config=QUIET,
                raise_on_error=False,
            )
            if on_run is not None:
                on_run(result)
            troubles += _troubles(result)
            _end_if_asked()
            if len(troubles) >= TROUBLES_ENOUGH:
                return troubles
    if tried:  # the runs of bad clips alone ended before they came to their checks
        report_checks(instance, catalogue)
    return troubles


def _left_by(others: set[str], catalogue: Postgres, plan: Sequence[ledger.PlannedAsset]) -> Work:
    """Find, once, what other processes had in hand and could not make: nobody here has tried it."""
    checksums = sorted(others)
    others.clear()
    return find_work(catalogue, plan, checksums, at_once=True) if checksums else Work((), ())


def _wait_for_others(instance: dg.DagsterInstance, catalogue: Postgres, work: Work) -> bool:
    """Wait while another process works on what is left, and tell whether one did."""
    runs = instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS), limit=1)
    until = time.monotonic() + (BETWEEN_STEPS_S if runs else 0)
    assets = list(analyzers())
    checksums = [*work.clips, *(checksum for checksum, _ in work.alone)]
    waited = False
    while (held := ledger.in_hand(catalogue, assets, checksums)) or time.monotonic() < until:
        waited |= bool(held)
        time.sleep(WAIT_S)
        _end_if_asked()
    return waited


def _end_if_asked() -> None:
    if stopping.is_asked():
        raise KeyboardInterrupt


def _troubles(result: dg.ExecuteInProcessResult) -> list[Trouble]:
    """Find the failures of a run that are not a clip's own."""
    found: list[Trouble] = []
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.error is not None and is_interruption(failure.error):
                raise KeyboardInterrupt
            if failure.user_failure_data is None and failure.error is not None:
                found.append(_trouble(result, event.step_key, failure.error))
        elif event.is_job_failure:
            run = event.job_failure_data
            reason = run.failure_reason
            if reason is not None and reason.name == INTERRUPTED:
                raise KeyboardInterrupt
            if run.first_step_failure_event is None and run.error is not None and not found:
                found.append(_trouble(result, None, run.error))
    return found


def is_interruption(error: Any) -> bool:
    """Tell whether a step broke off for a Ctrl-C, which a library may have answered by an error."""
    while error is not None:
        if error.cls_name in INTERRUPTIONS:
            return True
        error = error.cause or error.context
    return False


def _trouble(result: dg.ExecuteInProcessResult, step: str | None, error: Any) -> Trouble:
    root = error
    while root.cause is not None:
        root = root.cause
    first_line = root.message.strip().partition("\n")[0]
    return Trouble(result.run_id, step, first_line, error.to_string())


def _requests(
    instance: dg.DagsterInstance, work: Work, steps: list[dg.AssetKey]
) -> Sequence[tuple[list[dg.AssetKey], dict[str, str], str | None]]:
    ordered = instance.get_dynamic_partitions(CLIPS)
    requests = [
        (steps, batch_tags(batch, retries_passing=True), None)
        for batch in batches(ordered, work.clips, most=CLIPS_PER_RUN)
    ]
    if requests:  # failures of these batches join those that wait to be tried alone
        return requests
    return [([dg.AssetKey(asset)], {}, checksum) for checksum, asset in work.alone]
