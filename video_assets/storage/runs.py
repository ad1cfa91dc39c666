"""Output runs: what one ingest, backfill or watched folder took in, and how it ended.

A run is a row, its clips and its unreadable files. How its clips stand is never counted up: it is
read from the ledger whenever somebody asks, so a killed process leaves no wrong number behind.
"""

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from video_assets.redaction import HIDDEN, redact
from video_assets.storage.locations import HOST
from video_assets.storage.named_queries import load
from video_assets.storage.postgres import Postgres
from video_assets.storage.processes import is_alive, this_process
from video_assets.storage.way_in import WayIn

Kind = Literal["ingest", "quick-process", "backfill", "watch"]
Status = Literal["active", "completed", "failed", "stopped"]
TakenAs = Literal["new", "known", "moved", "duplicate"]

KILLED = "the process that ran it was killed"
LONGEST_NAME = 40
ROWS_AT_ONCE = 500
FLUSH_S = 2.0  # what a killed registration may forget
QUIET_S = 60.0  # a failed clip may still be in hand for another step

_SECRET = re.compile(
    r"(^|[_-])(key|token|secret|password|passwd|credential|authorization)s?$", re.IGNORECASE
)
_queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class Run:
    """A run, and what has become of its clips by now."""

    run_id: str
    user_id: UUID
    name: str | None
    kind: Kind
    preset: str
    preset_document: dict[str, Any]
    roots: list[str]
    status: Status
    note: str | None
    host: str
    started_at: datetime
    ended_at: datetime | None
    clips: int
    complete: int
    failed: int
    new: int
    unreadable: int
    duration_s: float
    size_bytes: int


@dataclass
class RunRecord:
    """A run that goes on: what it takes in is written down in small batches."""

    catalogue: Postgres
    owner: UUID
    run_id: str
    _clips: list[tuple[str, TakenAs]] = field(default_factory=list, init=False, repr=False)
    _unreadable: list[tuple[str, str]] = field(default_factory=list, init=False, repr=False)
    _flushed_at: float = field(default_factory=time.monotonic, init=False, repr=False)

    def take_in(self, checksum: str, taken_as: TakenAs) -> None:
        """Note that a clip belongs to the run."""
        self._clips.append((checksum, taken_as))
        self._flush_when_due()

    def note_unreadable(self, path: str, reason: str) -> None:
        """Note a file that could not become a clip."""
        self._unreadable.append((path, reason))
        self._flush_when_due()

    def flush(self) -> None:
        """Write down what was noted and is not written yet."""
        self._flushed_at = time.monotonic()
        whose = {"run_id": self.run_id, "owner": self.owner}
        with self.catalogue.transaction() as connection:
            if self._clips:
                checksums, taken_as = map(list, zip(*self._clips, strict=True))
                _queries.take_in(connection, **whose, checksums=checksums, taken_as=taken_as)
            if self._unreadable:
                paths, reasons = map(list, zip(*self._unreadable, strict=True))
                _queries.note_unreadable(connection, **whose, paths=paths, reasons=reasons)
        self._clips, self._unreadable = [], []

    def end(self, status: Status, note: str | None = None) -> None:
        """Close the run; it is closed once."""
        self.flush()
        with self.catalogue.transaction() as connection:
            _queries.end(connection, run_id=self.run_id, owner=self.owner, status=status, note=note)

    def leave_to_daemon(self) -> None:
        """Let the run go on until whoever works in the background is done with its clips."""
        self.flush()
        with self.catalogue.transaction() as connection:
            _queries.leave_to_daemon(connection, run_id=self.run_id, owner=self.owner)

    def _flush_when_due(self) -> None:
        is_many = len(self._clips) + len(self._unreadable) >= ROWS_AT_ONCE
        if is_many or time.monotonic() - self._flushed_at >= FLUSH_S:
            self.flush()


def begin(
    catalogue: Postgres,
    owner: UUID,
    kind: Kind,
    *,
    preset: str,
    preset_document: Mapping[str, Any],
    name: str | None = None,
    roots: Sequence[str] = (),
    started_at: datetime | None = None,
) -> RunRecord:
    """Open a run of this process, which by default starts now."""
    run_id = new_id(name)
    with catalogue.transaction() as connection:
        _queries.begin(
            connection,
            run_id=run_id,
            owner=owner,
            name=name,
            kind=kind,
            preset=preset,
            preset_document=Jsonb(without_secrets(preset_document)),
            roots=list(roots),
            host=HOST,
            process=this_process(),
            started_at=started_at,
        )
    return RunRecord(catalogue, owner, run_id)


def new_id(name: str | None, at: datetime | None = None) -> str:
    """Make an id that is also a good name for a folder: `<name>_YYYYMMDD_HHMMSS_<6 hex>`."""
    words = re.findall(r"\w+", name or "")
    stem = "-".join(words)[:LONGEST_NAME].strip("-_") or "run"
    when = (at or datetime.now(timezone.utc)).astimezone()
    return f"{stem}_{when:%Y%m%d_%H%M%S}_{secrets.token_hex(3)}"


def settle(catalogue: Postgres, owner: UUID) -> list[str]:
    """Close the runs whose process was killed and those whose last clip is done; give their ids."""
    with catalogue.transaction() as connection:
        active = list(_queries.active(connection, owner=owner, host=HOST))
        killed = [row["run_id"] for row in active if not is_alive(row["process"])]
        if killed:
            _queries.end_killed(connection, owner=owner, run_ids=killed, note=KILLED)
        done = [
            row["run_id"]
            for row in _queries.end_background(connection, owner=owner, quiet_s=QUIET_S)
        ]
    return [*killed, *done]


def delete(catalogue: Postgres, owner: UUID, run_id: str) -> bool:
    """Forget an ended run, and tell whether there was one; its clips stay."""
    with catalogue.transaction() as connection:
        return bool(_queries.delete(connection, run_id=run_id, owner=owner))


def ended(catalogue: WayIn, owner: UUID, *, keep: int, older_than_s: float) -> list[str]:
    """List the ids of an owner's ended runs, but the newest and those that ended lately."""
    with catalogue.transaction(owner) as connection:
        rows = _queries.ended(connection, keep=keep, older_than_s=older_than_s)
        return [row["run_id"] for row in rows]


def list_runs(
    catalogue: WayIn, owner: UUID, *, named: str | None = None, at_most: int = 20
) -> tuple[list[Run], int]:
    """List an owner's runs, newest first, and say how many there are in all.

    named  an id, how one begins, or a name; an id that fits exactly goes first
    """
    with catalogue.transaction(owner) as connection:
        rows = list(_queries.list_runs(connection, named=named, at_most=at_most))
    total = rows[0]["total"] if rows else 0
    return [Run(**{name: row[name] for name in Run.__annotations__}) for row in rows], total


def without_secrets(value: Any) -> Any:
    """Copy a document without what is a secret by its name, by its looks, or known to be one."""
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if _is_secret(name, each) else without_secrets(each)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_secrets(each) for each in value]
    return redact(value) if isinstance(value, str) else value


def _is_secret(name: str, value: Any) -> bool:
    return isinstance(value, str) and bool(value) and bool(_SECRET.search(name))
