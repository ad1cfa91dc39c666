"""Telling Dagster what the ledger knows and Dagster does not.

That is every clip that was just registered, and whatever a process committed in the moment before
it died. The ledger decides; Dagster's picture of it is made to agree.
"""

from typing import Any

import dagster as dg

from video_assets.analyzer import REGISTERED
from video_assets.automation.plan import analyzers
from video_assets.automation.work import SETTLED_S
from video_assets.events import materialization, tell_outside_runs
from video_assets.partitions import add_clips
from video_assets.settings import load_settings
from video_assets.storage import ledger
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.postgres import Postgres


def report_results(
    instance: dg.DagsterInstance, catalogue: Postgres, *, settled_s: float = SETTLED_S
) -> int:
    """Report what is unreported, oldest first, and give the number of clips new to Dagster.

    settled_s  leaves out what a living run may be about to report itself
    """
    added = 0
    while rows := ledger.unreported(catalogue, older_than_s=settled_s):
        new = [row["file_checksum"] for row in rows if row["asset"] == REGISTERED]
        add_clips(instance, new)
        added += len(new)
        tell_outside_runs(instance, [_event(row) for row in rows if row["asset"] in analyzers()])
        for asset in {row["asset"] for row in rows}:
            told = [row["file_checksum"] for row in rows if row["asset"] == asset]
            ledger.mark_reported(catalogue, asset, told)
    return added


def _event(row: dict[str, Any]) -> dg.AssetMaterialization:
    asset = analyzers()[row["asset"]]
    result = asset.result.model_validate(row["result"])
    folder = ArtifactFolder.of(load_settings().artifacts_dir, row["file_checksum"], asset.name)
    try:
        metadata = dict(asset.metadata(result, folder))
    except OSError:  # its files are gone, or on another machine; the result stands all the same
        metadata = {}
    return materialization(
        asset.name,
        row["file_checksum"],
        code_version=row["code_version"],
        result_digest=row["result_digest"],
        metadata=metadata,
    )
