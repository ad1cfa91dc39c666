"""How many clips stand where, and in how many of them each step is done."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from video_assets.storage.named_queries import load, together

State = Literal["complete", "failed", "processing", "waiting", "missing"]
STATES: tuple[State, ...] = get_args(State)

_queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class StepCounts:
    """In how many clips a step is done, failed, running, waiting, or blocked by a failed one."""

    step: str
    done: int
    failed: int
    running: int
    waiting: int
    blocked: int


@dataclass(frozen=True)
class Counts:
    """How a catalogue stands."""

    clips: dict[State, int]
    unreadable_files: int
    steps: list[StepCounts]


def count(connection: Any) -> Counts:
    """Count what the connection's role may see: one owner's clips, or all."""
    states: dict[State, int] = dict.fromkeys(STATES, 0)
    found, unreadable, steps = together(
        connection, _queries.states, _queries.unreadable_files, _queries.steps
    )
    for row in found:
        states[row["state"]] = row["clips"]
    return Counts(states, unreadable, steps=[StepCounts(**row) for row in steps])
