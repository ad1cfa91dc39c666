"""Deletions: what is marked to be removed, and the record of what was.

Nothing goes the moment it is found to be unneeded: it is marked, and removed at a later look if it
still is. The record holds ids and counts, and no name that a person gave.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import aiosql

from video_assets.storage.postgres import Postgres

Kind = Literal[
    "orphans", "superseded", "stored", "vectors", "events", "sources", "dagster", "logs", "runs"
]

NAMES_KEPT = 20

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Candidate:
    """Something that nothing refers to: a file, or the whole folder of a content."""

    target: str
    size_bytes: int
    mtime_ns: int
    items: int = 1


@dataclass
class Outcome:
    """What became of one kind."""

    kind: Kind
    waiting: int = 0
    waiting_bytes: int = 0
    removed: int = 0
    removed_bytes: int = 0
    names: list[str] = field(default_factory=list)
    """Some of what was removed, or would be."""
    note: str | None = None

    def wait(self, candidates: Iterable[Candidate]) -> None:
        """Count what is marked and waits."""
        for each in candidates:
            self.waiting += each.items
            self.waiting_bytes += each.size_bytes

    def remove(self, target: str, items: int = 1, size_bytes: int = 0) -> None:
        """Count what was removed."""
        self.removed += items
        self.removed_bytes += size_bytes
        if len(self.names) < NAMES_KEPT:
            self.names.append(target)

    def add(self, other: "Outcome") -> None:
        """Count what was removed of the same kind elsewhere."""
        self.removed += other.removed
        self.removed_bytes += other.removed_bytes
        self.names += other.names[: NAMES_KEPT - len(self.names)]


@dataclass(frozen=True)
class Wish:
    """How a clean-up is to be done.

    by       who removes, for the record: a command, or a run of Dagster
    wait_s   how long a thing must have been unneeded
    """

    by: str
    wait_s: float
    dry_run: bool = False


def now(catalogue: Postgres) -> datetime:
    """Read the database's clock, by which marks are dated."""
    with catalogue.transaction() as connection:
        return queries.now(connection)


def record(
    connection: Any, kind: str, target: str, *, by: str, items: int = 1, size_bytes: int = 0
) -> None:
    """Write down that something was removed that needed no mark."""
    queries.record(connection, kind=kind, target=target, items=items, size_bytes=size_bytes, by=by)


def mark(
    catalogue: Postgres, kind: Kind, candidates: Sequence[Candidate], wish: Wish
) -> list[Candidate]:
    """Mark what is unneeded, and give what has been for long enough; a dry run marks nothing."""
    targets = [each.target for each in candidates]
    with catalogue.transaction() as connection:
        if wish.dry_run:
            rows = queries.waiting(connection, kind=kind, targets=targets, wait_s=wish.wait_s)
            mtimes = {row["target"]: row["mtime_ns"] for row in rows if row["is_due"]}
            if wish.wait_s <= 0:
                return list(candidates)
            return [each for each in candidates if mtimes.get(each.target) == each.mtime_ns]
        rows = queries.mark(
            connection,
            kind=kind,
            targets=targets,
            items=[each.items for each in candidates],
            sizes=[each.size_bytes for each in candidates],
            mtimes=[each.mtime_ns for each in candidates],
            wait_s=wish.wait_s,
            by=wish.by,
        )
        due = {row["target"] for row in rows if row["is_due"]}
    return [each for each in candidates if each.target in due]
