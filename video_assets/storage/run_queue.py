"""Dagster's runs, read from its own database without Dagster: what waits, what is in work."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosql
import psycopg
from psycopg.rows import dict_row

from video_assets.settings import Settings
from video_assets.storage import dagster_database, server_file
from video_assets.storage.postgres import Connection, DatabaseUnreachableError

WAIT_S = 5

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class QueuedRun:
    """A run that waits or is in work.

    clips  how many it was asked for; None of a run that registers files
    """

    run_id: str
    job: str
    status: str
    seconds: float
    clips: int | None


@dataclass(frozen=True)
class FoundRun:
    """A run by its id; times are seconds since 1970."""

    run_id: str
    job: str
    status: str
    start_time: float
    end_time: float | None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen in it."""
        return self.status in ("success", "failure", "canceled")


@dataclass(frozen=True)
class RunQueue:
    """How Dagster's queue stands: runs that wait or are in work, and how the last day's ended."""

    counts: dict[str, int]
    in_progress: list[QueuedRun]


EMPTY = RunQueue({}, [])


def look(settings: Settings) -> RunQueue:
    """Read Dagster's queue; nothing where it has never run."""
    try:
        with _connection(settings) as connection:
            if connection is None or not _queries.has_runs(connection):
                return EMPTY
            counts = {row["status"]: row["runs"] for row in _queries.count_runs(connection)}
            return RunQueue(counts, [QueuedRun(**row) for row in _queries.in_progress(connection)])
    except psycopg.OperationalError:
        return EMPTY  # what the catalogue says can be told without it


def answers(settings: Settings) -> bool:
    """Ask Dagster's database once, whose own client would try again for half a minute.

    False where this home's server does not run. Raises DatabaseUnreachableError for another.
    """
    try:
        with _connection(settings) as connection:
            return connection is not None
    except psycopg.OperationalError as error:
        said = str(error).strip().partition("\n")[0]
        raise DatabaseUnreachableError(
            f"the database does not answer any more ({said}); what was finished is saved, and runs "
            "that were broken off are ended when `video-assets dev` or `worker` is started again"
        ) from None


def find_runs(settings: Settings, name: str) -> list[FoundRun]:
    """Find runs by how their ids begin, the latest first."""
    with _connection(settings) as connection:
        if connection is None or not _queries.has_runs(connection):
            return []
        return [FoundRun(**row) for row in _queries.find(connection, prefix=name.lower())]


@contextmanager
def _connection(settings: Settings) -> Iterator[Connection | None]:
    connection = _connect(settings)
    if connection is None:
        yield None
        return
    with connection:
        yield connection


def _connect(settings: Settings) -> Connection | None:
    """Connect to Dagster's database; None where this home's server is not there or stopped."""
    server = dagster_database.own_server(settings)
    if server is not None and server_file.read(server.folder) is None:
        return None
    address = dagster_database.address(settings)
    try:
        return Connection.connect(
            address.replace("postgresql+psycopg2://", "postgresql://", 1),
            autocommit=True,
            prepare_threshold=None,
            row_factory=dict_row,
            connect_timeout=WAIT_S,
            # Whoever else sits on the port of ours, while it is stopped, must learn no password.
            require_auth="scram-sha-256" if server is not None else None,
        )
    except psycopg.OperationalError:
        if server is None:
            raise
        return None
