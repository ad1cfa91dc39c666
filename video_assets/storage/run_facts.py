"""What the ledger says of the clips of one run, for its manifest and its reports.

Every query runs as the owner, under row level security. What may be as long as the run is streamed.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from video_assets.storage.named_queries import load
from video_assets.storage.way_in import WayIn

CLIPS_AT_ONCE = 500
_queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class Totals:
    """Figures over all clips of a run.

    technical_quality  mean rating of the exposure: excellent 1, good 0.75, fair 0.5, poor 0.25;
                       None where no clip is rated
    """

    clips: int
    complete: int
    failed: int
    processing: int
    waiting: int
    new: int
    known: int
    moved: int
    duplicate: int
    duration_s: float
    size_bytes: int
    hdr: int
    is_4k: int
    exposure_warnings: int
    rated: int
    technical_quality: float | None
    with_audio: int
    with_transcript: int
    with_position: int
    scenes: int
    first_captured: datetime | None
    last_captured: datetime | None


@dataclass(frozen=True)
class Cause:
    """How many clips or files failed in one step of one thing."""

    step: str
    error_class: str | None
    fault: str | None
    clips: int


@dataclass(frozen=True)
class Fault:
    """Why one step failed; `read` is the reading of a file that could not become a clip."""

    step: str
    error_class: str | None
    error: str | None
    fault: str | None
    attempts: int


@dataclass(frozen=True)
class Failure:
    """A clip with every step in which it failed, or a file that could not become a clip."""

    clip_id: UUID | None
    file: str
    faults: list[Fault]


@dataclass(frozen=True)
class StepTimes:
    """What one step made during the run, and how long it took."""

    step: str
    done: int
    failed: int
    made: int
    total_s: float
    median_s: float | None
    slowest_s: float | None
    slowest_file: str | None
    cost_usd: float


@dataclass(frozen=True)
class SlowClip:
    """A clip that took much time, and the step that took most of it."""

    file: str
    seconds: float
    duration_s: float | None
    step: str
    step_s: float


@dataclass(frozen=True)
class Activity:
    """How many clips a step had in hand in one slot of the run's time.

    since   when the first slot began, in seconds since 1970
    slot_s  length of every slot
    """

    step: str
    slot: int
    clips: int
    failed: int
    since: float
    slot_s: float


@dataclass(frozen=True)
class Spreads:
    """Values of all clips of which they are known."""

    durations_s: list[float]
    loudness_lufs: list[float]
    exposure_stops: list[float]


@dataclass(frozen=True)
class Failures:
    """The first clips and files that failed, and how many there are in all."""

    total: int
    first: list[Failure]


@dataclass(frozen=True)
class RunFacts:
    """Reads about one run of one owner."""

    catalogue: WayIn
    owner: UUID
    run_id: str

    def totals(self) -> Totals:
        """Sum up over all clips."""
        with self._connection() as connection:
            return Totals(**_queries.totals(connection, run_id=self.run_id))

    def counts(self) -> dict[str, dict[str, int]]:
        """Count clips by camera, resolution, codec, ...; the commonest first."""
        found: dict[str, dict[str, int]] = {}
        with self._connection() as connection:
            for row in _queries.counts(connection, run_id=self.run_id):
                found.setdefault(row["kind"], {})[row["value"]] = row["clips"]
        return found

    def spreads(self) -> Spreads:
        """Collect the values whose distribution is worth a picture."""
        with self._connection() as connection:
            return Spreads(**_queries.spreads(connection, run_id=self.run_id))

    def causes(self) -> list[Cause]:
        """Group what failed by its cause, the commonest first."""
        with self._connection() as connection:
            return [Cause(**row) for row in _queries.causes(connection, run_id=self.run_id)]

    def failures(self, *, at_most: int) -> Failures:
        """List the clips and files that failed, the commonest cause first."""
        with self._connection() as connection:
            rows = list(_queries.failures(connection, run_id=self.run_id, at_most=at_most))
        total = rows[0].get("total", 0) if rows else 0
        return Failures(total, [_failure(row) for row in rows])

    def steps(self) -> list[StepTimes]:
        """Tell what each step made during the run, the longest first."""
        with self._connection() as connection:
            return [StepTimes(**row) for row in _queries.steps(connection, run_id=self.run_id)]

    def slowest(self, *, at_most: int) -> list[SlowClip]:
        """List the clips that took most time during the run."""
        with self._connection() as connection:
            rows = _queries.slowest(connection, run_id=self.run_id, at_most=at_most)
            return [SlowClip(**row) for row in rows]

    def activity(self, *, slots: int) -> list[Activity]:
        """Tell what was in hand when; steps in the order in which they began."""
        with self._connection() as connection:
            rows = _queries.activity(connection, run_id=self.run_id, slots=slots)
            return [Activity(**row) for row in rows]

    def clips(self) -> Generator[list[dict[str, Any]], None, None]:
        """Read all clips in the order of their paths, some hundred at a time.

        A clip that is removed meanwhile is left out, and none is told of twice or passed over.
        """
        with self._connection() as connection:
            rows = _queries.clips_in_order(connection, run_id=self.run_id)
            clips = [row["id"] for row in rows]
            for begin in range(0, len(clips), CLIPS_AT_ONCE):
                block = clips[begin : begin + CLIPS_AT_ONCE]
                yield list(_queries.clips_of(connection, run_id=self.run_id, clips=block))

    def timeline(self) -> list[dict[str, Any]]:
        """Tell when each clip was completed, in that order."""
        with self._connection() as connection:
            return list(_queries.timeline(connection, run_id=self.run_id))

    def documents(self, clip_ids: list[UUID]) -> dict[UUID, dict[str, Any]]:
        """Read what the documents of some clips say, without their longest parts."""
        with self._connection() as connection:
            rows = _queries.documents(connection, clip_ids=clip_ids)
            return {row["clip_id"]: row["content"] for row in rows}

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        with self.catalogue.transaction(self.owner) as connection:
            yield connection


def _failure(row: dict[str, Any]) -> Failure:
    return Failure(row["clip_id"], row["file"], [Fault(**fault) for fault in row["faults"]])
