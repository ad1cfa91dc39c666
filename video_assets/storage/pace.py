"""The pace of the work as one owner sees it: what was made lately, what is left, what failed."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from video_assets.storage.counts import Counts
from video_assets.storage.named_queries import load
from video_assets.storage.way_in import WayIn

WITHIN_S = 600.0
BRIEFLY_S = 5.0  # of work say nothing of its pace

queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class Lately:
    """What one step made within the last minutes."""

    step: str
    made: int
    seconds: float
    first_s: float
    last_s: float


@dataclass(frozen=True)
class Pace:
    """How fast results came within the last minutes, and how long the rest takes at that pace.

    None where none came, or nothing is left.
    """

    results: int = 0
    within_s: float = WITHIN_S
    results_per_min: float | None = None
    clips_per_min: float | None = None
    left_s: float | None = None


@dataclass(frozen=True)
class Cause:
    """Why a step failed, and in how many clips."""

    step: str
    fault: str | None
    error_class: str | None
    clips: int


@dataclass(frozen=True)
class Attempt:
    """One attempt at one step, by its end; `starting` while it has none."""

    step: str
    step_index: int | None
    status: str
    error: str | None
    error_class: str | None
    run_id: str | None
    seconds: float | None
    at: datetime


def pace(connection: Any, counts: Counts) -> Pace:
    """Tell from the last minutes how long what is counted as open will take."""
    lately = [Lately(**row) for row in queries.lately(connection, within_s=WITHIN_S)]
    return pace_of(lately, counts)


def pace_of(lately: list[Lately], counts: Counts) -> Pace:
    """Weigh what is open by what each step took: a proxy takes longer than a probe."""
    made = sum(each.made for each in lately)
    if not made:
        return Pace()
    span_s = max(BRIEFLY_S, *(each.first_s for each in lately))
    per_min = 60 * made / span_s
    work_s = sum(each.seconds for each in lately)
    usual_s = work_s / made
    step_s = {each.step: each.seconds / each.made for each in lately}
    open_s = sum(
        (each.waiting + each.running) * step_s.get(each.step, usual_s) for each in counts.steps
    )
    clips = sum(counts.clips.values())
    cells = sum(
        each.done + each.failed + each.running + each.waiting + each.blocked
        for each in counts.steps
    )
    return Pace(
        results=made,
        within_s=span_s,
        results_per_min=per_min,
        clips_per_min=per_min * clips / cells if cells else None,
        left_s=open_s * span_s / work_s if work_s else None,
    )


def causes(connection: Any, *, at_most: int) -> list[Cause]:
    """Count failed steps by cause, the commonest first."""
    return [Cause(**row) for row in queries.causes(connection, at_most=at_most)]


def attempts(catalogue: WayIn, owner: UUID, clip_id: UUID) -> list[Attempt]:
    """List what was tried with one clip, the latest first."""
    with catalogue.transaction(owner) as connection:
        return [Attempt(**row) for row in queries.attempts(connection, clip_id=clip_id)]


def quiet_s(connection: Any) -> float | None:
    """How long nothing has happened to any clip; None where nothing ever did."""
    return queries.quiet_s(connection)
