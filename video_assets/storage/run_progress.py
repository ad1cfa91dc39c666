"""How far one run has come: an output run, as `ingest` makes one, or a run of Dagster."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from video_assets.settings import Settings
from video_assets.storage import run_queue
from video_assets.storage.named_queries import load
from video_assets.storage.way_in import WayIn

queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class RunStep:
    """What one step did in a run."""

    step: str
    done: int
    failed: int
    median_s: float | None
    p95_s: float | None
    slowest_s: float | None
    slowest: str | None


@dataclass(frozen=True)
class RunName:
    """What finds a run again; times are seconds since 1970.

    is_output  tells a run of ours, which may be several of Dagster's
    """

    run_id: str
    what: str
    status: str
    started_at: float
    ended_at: float | None
    is_output: bool


@dataclass(frozen=True)
class RunProgress:
    """How far a run has come."""

    run: RunName
    seconds: float
    clips: int
    failed: int
    cells: int
    cells_done: int
    steps: list[RunStep]

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen in it."""
        return self.run.ended_at is not None

    @property
    def has_failed(self) -> bool:
        """Whether it broke off, or a clip of its failed."""
        return bool(self.failed) or self.run.status in ("failed", "failure", "stopped", "canceled")

    @property
    def cells_per_min(self) -> float:
        """How many steps of clips ended in a minute, without those that had ended before."""
        return 60 * sum(step.done + step.failed for step in self.steps) / max(self.seconds, 1.0)

    @property
    def clips_per_min(self) -> float:
        """The same in clips, each with all its steps."""
        return self.cells_per_min * self.clips / self.cells if self.cells else 0.0

    @property
    def left_s(self) -> float | None:
        """How long the rest takes at this pace; None where that cannot be told."""
        left = self.cells - self.cells_done
        if self.is_over or not self.run.is_output or not left or not self.cells_per_min:
            return None
        return 60 * left / self.cells_per_min


def find(settings: Settings, catalogue: WayIn, owner: UUID, name: str) -> list[RunName]:
    """Find runs by id or how it begins, the best first; `latest` is the last output run."""
    with catalogue.transaction(owner) as connection:
        ours = [
            RunName(
                row["run_id"],
                f"preset {row['preset']}",
                row["status"],
                row["started_at"].timestamp(),
                row["ended_at"].timestamp() if row["ended_at"] else None,
                is_output=True,
            )
            for row in queries.find(connection, name=name)
        ]
    if ours and ours[0].run_id == name:
        return ours[:1]
    dagsters = [
        RunName(
            run.run_id,
            f"job {run.job}",
            run.status,
            run.start_time,
            (run.end_time or run.start_time) if run.is_over else None,
            is_output=False,
        )
        for run in run_queue.find_runs(settings, name)
    ]
    return [*ours, *dagsters]


def look(settings: Settings, catalogue: WayIn, owner: UUID, name: str) -> RunProgress | None:
    """Look at one run by its whole id; None when it is gone."""
    found = [run for run in find(settings, catalogue, owner, name) if run.run_id == name]
    if not found:
        return None
    run = found[0]
    with catalogue.transaction(owner) as connection:
        if run.is_output:
            counts = queries.clips_of_output(connection, run_id=name)
        else:
            counts = queries.clips_of_run(connection, run_id=name, since=run.started_at)
        steps = queries.steps(
            connection,
            run_id=None if run.is_output else name,
            output_run=name if run.is_output else None,
            since=run.started_at,
            until=run.ended_at,
        )
        return RunProgress(
            run,
            (run.ended_at or time.time()) - run.started_at,
            counts["clips"],
            counts["failed"],
            counts["cells"],
            counts["cells_done"],
            [RunStep(**row) for row in steps],
        )
