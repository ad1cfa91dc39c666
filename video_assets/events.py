"""The events that tell Dagster of results.

This file goes past Dagster's public names, as automation/reporting.py and automation/instance.py
do for statuses and settings of the instance; the tests of runs fail when a new Dagster differs.

Dagster stores an event alone over a connection of its own. Events that carry the id of a batch are
stored together when the last of them is made, at a tenth of the cost.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    NULL_EVENT_POINTER,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from dagster._core.events import (
    DagsterEvent,
    DagsterEventBatchMetadata,
    DagsterEventType,
    StepMaterializationData,
    generate_event_batch_id,
)
from dagster._core.instance import RUNLESS_JOB_NAME, RUNLESS_RUN_ID

from video_assets.analyzer import Analyzer
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.ledger import Made

# An undocumented run tag: Dagster emits no planned and no automatic events, only ours count.
DEFER_EVENTS = "dagster/defer_asset_events"
TAKEN_OVER = "video-assets/taken-over"
DIGITS_SHOWN = 6
BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE"  # environment variable; without it events go one by one


def is_deferred(run: dg.DagsterRun) -> bool:
    """Tell whether a run was requested with its asset events left to us."""
    return run.tags.get(DEFER_EVENTS) == "true" and TAKEN_OVER not in run.tags


def take_over(run: dg.DagsterRun) -> None:
    """Tell of each clip ourselves in a run for which Dagster planned one event a clip.

    Dagster takes a step that returns for a success of all its clips, unless the run is deferred. So
    it is made so here, as this process knows it and not as it is stored: clips that fail get no
    event, the assets downstream go on with the others, and whatever was planned and got no event
    shows as failed when the run ends as failed.
    """
    if not is_deferred(run):
        cast(dict[str, str], run.tags).update({DEFER_EVENTS: "true", TAKEN_OVER: "true"})


def describe(
    asset: Analyzer, artifacts: Path, checksum: str, document: Mapping[str, Any]
) -> dict[str, Any]:
    """Build what the Dagster UI shows of one result, with numbers that can be read.

    A catalogue may hold results of another version, in a form that this one does not know.
    """
    try:
        result = asset.result.model_validate(document)
        shown = asset.metadata(result, ArtifactFolder.of(artifacts, checksum, asset.name))
    except Exception as error:  # noqa: BLE001 - it stands, also where its files are not
        return {"nothing_to_show": f"{type(error).__name__}: {error}"}
    return {
        name: float(f"{value:.{DIGITS_SHOWN}g}") if isinstance(value, float) else value
        for name, value in shown.items()
    }


def clip_name(paths: Mapping[str, str], checksum: str) -> str:
    """Name a clip as people do, by its file where that is known: a partition is only a checksum."""
    path = paths.get(checksum)
    return Path(path).name if path else f"clip {checksum[:12]}"


def materialization(
    asset: str, checksum: str, *, made: Made, result_digest: str, metadata: Mapping[str, Any]
) -> dg.AssetMaterialization:
    """Build the event that tells Dagster of one result and of what it was made from."""
    tags = {CODE_VERSION_TAG: made.code_version, DATA_VERSION_TAG: result_digest}
    for text in made.input_fingerprint.split(","):
        name, _, found = text.partition(":")
        if found:
            # Which event told of it is not noted: the ledger finds what is stale, not Dagster.
            tags[get_input_data_version_tag(dg.AssetKey(name))] = found
            tags[get_input_event_pointer_tag(dg.AssetKey(name))] = NULL_EVENT_POINTER
    return dg.AssetMaterialization(
        asset_key=asset, partition=checksum, metadata=dict(metadata), tags=tags
    )


def tell_in_step(
    context: dg.OutputContext, results: Sequence[dg.AssetMaterialization]
) -> Iterator[DagsterEvent]:
    """Give the events of results made in a running step; they are stored while they are read."""
    for result, group in zip(results, _group(len(results)), strict=True):
        yield DagsterEvent.asset_materialization(context.step_context, result, group)


def tell_outside_runs(
    instance: dg.DagsterInstance, results: Sequence[dg.AssetMaterialization]
) -> None:
    """Store the events of results that no run can tell of any more."""
    for result, group in zip(results, _group(len(results)), strict=True):
        event = DagsterEvent(
            event_type_value=DagsterEventType.ASSET_MATERIALIZATION.value,
            job_name=RUNLESS_JOB_NAME,
            event_specific_data=StepMaterializationData(result),
        )
        instance.report_dagster_event(event, run_id=RUNLESS_RUN_ID, batch_metadata=group)


def _group(count: int) -> Iterator[DagsterEventBatchMetadata]:
    batch_id = generate_event_batch_id()
    return (DagsterEventBatchMetadata(batch_id, index == count - 1) for index in range(count))
