"""The events that tell Dagster of results; the one place that goes past Dagster's public names.

Dagster stores an event alone over a connection of its own. Events that carry the id of a batch are
stored together when the last of them is made, at a tenth of the cost.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import CODE_VERSION_TAG, DATA_VERSION_TAG
from dagster._core.events import (
    DagsterEvent,
    DagsterEventBatchMetadata,
    DagsterEventType,
    StepMaterializationData,
    generate_event_batch_id,
)
from dagster._core.instance import RUNLESS_JOB_NAME, RUNLESS_RUN_ID

# An undocumented run tag: Dagster emits no planned and no automatic events, only ours count.
DEFER_EVENTS = "dagster/defer_asset_events"
BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE"  # environment variable; without it events go one by one


def is_deferred(run: dg.DagsterRun) -> bool:
    """Tell whether a run leaves its asset events to us."""
    return run.tags.get(DEFER_EVENTS) == "true"


def materialization(
    asset: str, checksum: str, *, code_version: str, result_digest: str, metadata: Mapping[str, Any]
) -> dg.AssetMaterialization:
    """Build the event that tells Dagster of one result."""
    return dg.AssetMaterialization(
        asset_key=asset,
        partition=checksum,
        metadata=dict(metadata),
        tags={CODE_VERSION_TAG: code_version, DATA_VERSION_TAG: result_digest},
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
