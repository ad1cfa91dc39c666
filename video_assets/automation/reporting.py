"""Telling Dagster what the ledger knows and Dagster does not.

That is every clip that was just registered, and whatever a process committed in the moment before
it died. The ledger decides; Dagster's picture of it is made to agree.
"""

import json
import time
from collections.abc import Sequence
from datetime import datetime, timezone

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from video_assets.analyzer import REGISTERED
from video_assets.automation.in_progress import assets_of, keys_of_runs
from video_assets.automation.plan import analyzers
from video_assets.automation.work import SETTLED_S
from video_assets.clip_asset import answer_check
from video_assets.events import (
    clip_name,
    describe,
    is_deferred,
    materialization,
    tell_outside_runs,
)
from video_assets.partitions import CLIPS, add_clips, clips
from video_assets.settings import LOCAL_OWNER, load_settings
from video_assets.storage import ledger, locations
from video_assets.storage.postgres import Postgres

ENDED_BADLY = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
MOST_RUNS = 1_000  # of those that ended badly since the last look
THOROUGHLY_S = 3_600.0
OVERLAP_S = 60.0  # a result is dated when its transaction began, and seen when that is over


def report_results(
    instance: dg.DagsterInstance, catalogue: Postgres, *, settled_s: float = SETTLED_S
) -> int:
    """Report what is unreported, oldest first, and give the number of clips new to Dagster.

    settled_s  leaves out what a living run may be about to report itself
    """
    _tell_anew(instance, catalogue)
    return _report(instance, catalogue, settled_s)


def _report(instance: dg.DagsterInstance, catalogue: Postgres, settled_s: float) -> int:
    added = 0
    while rows := ledger.unreported(catalogue, older_than_s=settled_s):
        new = [row["file_checksum"] for row in rows if row["asset"] == REGISTERED]
        add_clips(instance, new)
        added += len(new)
        for asset in {row["asset"] for row in rows}:
            told = [row["file_checksum"] for row in rows if row["asset"] == asset]
            if asset in analyzers():
                tell_again(instance, catalogue, asset, told)
            ledger.mark_reported(catalogue, asset, told)
    return added


def _tell_anew(instance: dg.DagsterInstance, catalogue: Postgres) -> None:
    """Take back that clips were reported of which Dagster has no key: its storage was made anew."""
    ledger.forget_reported(catalogue, instance.get_dynamic_partitions(CLIPS))


def tell_again(
    instance: dg.DagsterInstance, catalogue: Postgres, asset: str, checksums: Sequence[str]
) -> int:
    """Tell Dagster of the results that one asset has of these clips, and give their number."""
    known = ledger.entries(catalogue, asset, checksums)
    names = locations.known_as(catalogue, LOCAL_OWNER, checksums)
    documents = ledger.documents(catalogue, asset, checksums)
    events = [
        materialization(
            asset,
            checksum,
            made=known[checksum].made,
            result_digest=document.digest,
            metadata={
                "clip": clip_name(names, checksum),
                **describe(
                    analyzers()[asset], load_settings().artifacts_dir, checksum, document.body
                ),
            },
        )
        for checksum in checksums
        if (document := documents.get(checksum)) is not None
    ]
    tell_outside_runs(instance, events)
    return len(events)


def agree(instance: dg.DagsterInstance, catalogue: Postgres, cursor: str | None) -> str:
    """Make Dagster's picture agree with the ledger where either has changed since the last call.

    cursor  what the last call gave; once an hour, and without one, everything is looked at
    """
    now = time.time()
    times = json.loads(cursor or "{}")
    looked_at, all_at = (times.get(name, 0.0) for name in ("looked_at", "all_at"))
    is_thorough = now - all_at >= THOROUGHLY_S
    latest = ledger.latest_reported(catalogue)
    if is_thorough or not (latest and instance.has_dynamic_partition(CLIPS, latest)):
        _tell_anew(instance, catalogue)
    _report(instance, catalogue, SETTLED_S)
    since = datetime.fromtimestamp(looked_at, timezone.utc)
    ended = dg.RunsFilter(statuses=ENDED_BADLY, updated_after=since)
    heal_statuses(instance, catalogue, instance.get_runs(ended, limit=MOST_RUNS))
    report_checks(instance, catalogue, None if is_thorough else now - looked_at + OVERLAP_S)
    return json.dumps({"looked_at": now, "all_at": now if is_thorough else all_at})


def heal_statuses(
    instance: dg.DagsterInstance, catalogue: Postgres, runs: Sequence[dg.DagsterRun]
) -> int:
    """Tell again of results that Dagster shows as failed, and give their number.

    runs  that were cancelled or killed, perhaps before they came to results that are there
    """
    planned = [run for run in runs if not is_deferred(run)]  # the others announced nothing
    keys = keys_of_runs(instance, planned)
    asked: dict[str, set[str]] = {}
    for run in planned:
        for asset in assets_of(instance, run):
            asked.setdefault(asset, set()).update(keys[run.run_id])
    told = 0
    for asset in asked.keys() & analyzers().keys():
        known = ledger.entries(catalogue, asset, sorted(asked[asset]))
        done = [checksum for checksum, entry in known.items() if entry.status == "done"]
        if done:
            found = instance.get_status_by_partition(dg.AssetKey(asset), done, clips) or {}
            failed = [key for key in done if found.get(key) == AssetPartitionStatus.FAILED]
            told += tell_again(instance, catalogue, asset, failed)
    return told


def report_checks(
    instance: dg.DagsterInstance, catalogue: Postgres, since_s: float | None = None
) -> None:
    """Answer every check anew whose latest answer is not what the ledger says now.

    That includes a check that had no answer because its run ended before, and an answer that was
    given before the latest result was told: of two runs at once, the one that began later may be
    done first. Dagster shows such an answer as none.

    since_s  only of assets that have results younger than that
    """
    asked = [asset for asset in analyzers().values() if asset.checks]
    if since_s is not None:
        names = [asset.name for asset in asked]
        measured = ledger.measured_lately(catalogue, names, within_s=since_s)
        asked = [asset for asset in asked if asset.name in measured]
    checks = {
        dg.AssetCheckKey(dg.AssetKey(asset.name), check): asset.name
        for asset in asked
        for check in asset.checks
    }
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(checks))
    told = {
        record.asset_entry.asset_key: record.asset_entry.last_materialization_record
        for record in instance.get_asset_records(list({key.asset_key for key in latest}))
    }
    for key, record in latest.items():
        answer = answer_check(catalogue, checks[key], key.name)
        is_answered = _says(record, answer) and _is_of(record, told.get(key.asset_key))
        if is_answered or _is_open(instance, record):
            continue
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=key.asset_key,
                check_name=key.name,
                passed=answer.passed,
                severity=answer.severity,
                description=answer.description,
                metadata=answer.metadata,
            )
        )


def _is_open(instance: dg.DagsterInstance, record: AssetCheckExecutionRecord) -> bool:
    """Tell whether a run is still to answer a check."""
    run = instance.get_run_by_id(record.run_id)
    return run is not None and not run.is_finished


def _says(record: AssetCheckExecutionRecord, answer: dg.AssetCheckResult) -> bool:
    said = record.evaluation
    return isinstance(said, dg.AssetCheckEvaluation) and said.description == answer.description


def _is_of(record: AssetCheckExecutionRecord, told: dg.EventLogRecord | None) -> bool:
    """Tell whether an answer is of the latest result, as Dagster finds it out."""
    if told is None or told.run_id == record.run_id:
        return True
    target = record.evaluation.target_materialization_data if record.evaluation else None
    if target is None:
        return told.timestamp < record.create_timestamp
    return target.storage_id == told.storage_id
