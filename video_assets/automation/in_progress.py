"""What runs of Dagster have in hand or in their queue."""

from collections.abc import Mapping, Sequence

import dagster as dg

from video_assets.partitions import CLIPS, RANGE_END, RANGE_START, meant

IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
PARTITION = "dagster/partition"


def runs_in_progress(instance: dg.DagsterInstance) -> Sequence[dg.DagsterRun]:
    """Find the runs that have not ended."""
    return instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS))


def keys_in_progress(instance: dg.DagsterInstance, runs: Sequence[dg.DagsterRun]) -> set[str]:
    """Find the clips that runs have in hand or in their queue."""
    return {key for keys in keys_of_runs(instance, runs).values() for key in keys}


def cells_in_progress(instance: dg.DagsterInstance) -> set[tuple[str, str]]:
    """Find the cells, by checksum and asset, that runs have in hand or in their queue."""
    runs = runs_in_progress(instance)
    keys = keys_of_runs(instance, runs)
    return {
        (key, asset)
        for run in runs
        for key in keys[run.run_id]
        for asset in assets_of(instance, run)
    }


def keys_of_runs(
    instance: dg.DagsterInstance, runs: Sequence[dg.DagsterRun]
) -> Mapping[str, Sequence[str]]:
    """Find the clips that each run is meant for, by its id."""
    ordered = instance.get_dynamic_partitions(CLIPS) if any(map(_first, runs)) else ()
    place = {key: index for index, key in enumerate(ordered)}
    found: dict[str, Sequence[str]] = {}
    for run in runs:
        first = _first(run)
        last = run.tags.get(RANGE_END) or first
        is_known = first in place and last in place
        keys = ordered[place[first] : place[last] + 1] if is_known and first and last else ()
        found[run.run_id] = meant(keys, run.tags)
    return found


def _first(run: dg.DagsterRun) -> str | None:
    return run.tags.get(RANGE_START) or run.tags.get(PARTITION)


def assets_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Sequence[str]:
    """Name the assets that a run makes."""
    if run.asset_selection is not None:
        return [key.to_user_string() for key in run.asset_selection]
    snapshot = run.job_snapshot_id and instance.get_job_snapshot(run.job_snapshot_id)
    return snapshot.node_names if snapshot else ()
