"""Dagster's memory: what of it goes with a clip, and what goes with age.

This file goes past Dagster's public names, because its storage cannot forget a partition: the tests
of maintenance fail when a new Dagster differs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosql
import dagster as dg
from dagster_postgres import PostgresEventLogStorage
from psycopg.rows import dict_row

from video_assets.partitions import CLIPS
from video_assets.storage.postgres import Connection

RUNS_AT_ONCE = 100

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass
class Pruned:
    """What became of Dagster's old runs."""

    runs: int = 0
    trimmed: int = 0
    events: int = 0


def forget_clips(instance: dg.DagsterInstance, checksums: Sequence[str]) -> None:
    """Remove partitions with all that happened to them; the runs they shared with others stay."""
    if not checksums:
        return
    with _storage(instance) as connection:
        runs = [row["run_id"] for row in queries.runs_of(connection, checksums=list(checksums))]
    for run_id in runs:
        instance.delete_run(run_id)
    with _storage(instance) as connection:
        queries.delete_keys(connection, name=CLIPS, checksums=list(checksums))
    wipe_events(instance, checksums)


def wipe_events(instance: dg.DagsterInstance, checksums: Sequence[str]) -> None:
    """Remove what happened to partitions, and keep the partitions."""
    if checksums:
        with _storage(instance) as connection:
            list(queries.wipe(connection, checksums=list(checksums)))
            queries.forget_latest(connection)


def prune(
    instance: dg.DagsterInstance,
    older_than_s: float,
    *,
    dry_run: bool = False,
    on_gone: Callable[[str], object] | None = None,
) -> Pruned:
    """Remove runs that ended long ago, with their events.

    A run from which the UI still tells that a partition is materialized or failed stays, and loses
    its log lines alone.

    on_gone  called with the id of each run whose log lines are gone
    """
    pruned, after = Pruned(), 0
    while runs := _old_runs(instance, older_than_s, after):
        after = runs[-1]["id"]
        held = [run["run_id"] for run in runs if run["is_held"]]
        rest = [run["run_id"] for run in runs if not run["is_held"]]
        pruned.runs += len(rest)
        pruned.trimmed += len(held)
        if dry_run:
            continue
        for run_id in rest:
            instance.delete_run(run_id)
        with _storage(instance) as connection:
            (trimmed,) = queries.trim(connection, run_ids=held)
            pruned.events += trimmed["events"]
        for run in runs:
            if on_gone is not None:
                on_gone(run["run_id"])
    if not dry_run:
        with _storage(instance) as connection:
            (superseded,) = queries.trim_superseded(connection, older_than_s=older_than_s)
            pruned.events += superseded["events"]
    return pruned


def _old_runs(
    instance: dg.DagsterInstance, older_than_s: float, after: int
) -> list[dict[str, Any]]:
    with _storage(instance) as connection:
        return list(
            queries.old_runs(
                connection, older_than_s=older_than_s, after=after, at_most=RUNS_AT_ONCE
            )
        )


@contextmanager
def _storage(instance: dg.DagsterInstance) -> Iterator[Connection]:
    """Open Dagster's database, for one transaction."""
    storage = instance.event_log_storage
    if not isinstance(storage, PostgresEventLogStorage):
        raise TypeError(f"Dagster's storage is a {type(storage).__name__}, expected Postgres")
    url = storage.postgres_url.replace("postgresql+psycopg2://", "postgresql://", 1)
    with Connection.connect(url, row_factory=dict_row, prepare_threshold=None) as connection:
        yield connection
