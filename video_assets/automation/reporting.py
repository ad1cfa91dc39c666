"""Telling Dagster what the ledger knows and Dagster does not.

That is every clip that was just registered, and whatever a process committed in the moment before
it died. The ledger decides; Dagster's picture of it is made to agree.
"""

from collections.abc import Sequence

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from video_assets.analyzer import REGISTERED
from video_assets.automation.plan import analyzers
from video_assets.automation.work import SETTLED_S
from video_assets.clip_asset import answer_check
from video_assets.events import clip_name, describe, materialization, tell_outside_runs
from video_assets.partitions import CLIPS, add_clips, clips
from video_assets.settings import LOCAL_OWNER, load_settings
from video_assets.storage import ledger, locations
from video_assets.storage.postgres import Postgres


def report_results(
    instance: dg.DagsterInstance, catalogue: Postgres, *, settled_s: float = SETTLED_S
) -> int:
    """Report what is unreported, oldest first, and give the number of clips new to Dagster.

    settled_s  leaves out what a living run may be about to report itself
    """
    _tell_anew(instance, catalogue)
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
    keys = instance.get_dynamic_partitions(CLIPS)
    if ledger.count_reported(catalogue) > len(keys):
        ledger.forget_reported(catalogue, keys)


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


def heal_statuses(instance: dg.DagsterInstance, catalogue: Postgres) -> int:
    """Tell again of results that Dagster shows as failed, and give their number.

    It does so when a run that was to make them was cancelled or killed before it came to them.
    """
    keys = instance.get_dynamic_partitions(CLIPS)
    told = 0
    for asset in analyzers():
        statuses = instance.get_status_by_partition(dg.AssetKey(asset), keys, clips) or {}
        failed = [key for key in keys if statuses.get(key) == AssetPartitionStatus.FAILED]
        if failed:
            told += tell_again(instance, catalogue, asset, failed)
    return told


def report_checks(instance: dg.DagsterInstance, catalogue: Postgres) -> None:
    """Answer every check anew whose latest answer is not what the ledger says now.

    That includes a check that had no answer because its run ended before.
    """
    checks = {
        dg.AssetCheckKey(dg.AssetKey(asset.name), check): asset.name
        for asset in analyzers().values()
        for check in asset.checks
    }
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(checks))
    for key, record in latest.items():
        answer = answer_check(catalogue, checks[key], key.name)
        if _is_open(instance, record) or _says(record, answer):
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
