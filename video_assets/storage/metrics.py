"""Numbers of the whole catalogue for whoever watches the machine: of all owners, naming no clip."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosql

from video_assets.storage.counts import count
from video_assets.storage.postgres import Postgres

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Times:
    """What the results of one step took."""

    results: int
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Metrics:
    """All of it at one moment.

    cells     by asset and state
    failures  by asset, fault and error class
    """

    clips: dict[str, int]
    source_bytes: int
    source_seconds: float
    cells: dict[tuple[str, ...], int]
    failures: dict[tuple[str, ...], int]
    times: dict[str, Times]
    oldest_waiting_s: float


def read(catalogue: Postgres) -> Metrics:
    """Count and sum what there is now."""
    with catalogue.transaction() as connection:
        counts = count(connection)
        totals = _queries.totals(connection)
        cells = {
            (each.step, state): getattr(each, state)
            for each in counts.steps
            for state in ("done", "failed", "running", "waiting", "blocked")
        }
        failures = {
            (row["asset"], row["fault"] or "", row["error_class"] or ""): row["cells"]
            for row in _queries.failures(connection)
        }
        times = {
            row["asset"]: Times(row["results"], row["seconds"], row["cpu_seconds"])
            for row in _queries.times(connection)
        }
        return Metrics(
            {str(state): clips for state, clips in counts.clips.items()},
            totals["bytes"],
            totals["seconds"],
            cells,
            failures,
            times,
            _queries.oldest_waiting_s(connection),
        )
