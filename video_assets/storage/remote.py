"""What is to be known of a catalogue's server before it is worked with."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosql
import psycopg

PINGS = 5

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Server:
    """A server, as a role sees it that connects to it.

    version        of Postgres, and the first part of it
    vector         version of pgvector; None without
    no_such_roles  that Supabase has and this server lacks
    closed_roles   that the connecting role may not take
    most, in_use   connections
    latency_s      a question's way there and back
    """

    version: str
    major: int
    role: str
    is_superuser: bool
    vector: str | None
    no_such_roles: list[str]
    closed_roles: list[str]
    most: int
    in_use: int
    latency_s: float


def look(connection: psycopg.Connection[tuple]) -> Server:
    """Ask a server about itself."""
    return Server(*_queries.facts(connection), latency_s=_latency_s(connection))


def unknown_migrations(connection: psycopg.Connection[tuple], ours: set[str]) -> list[str]:
    """List the numbers of migrations that a database has seen and this release lacks."""
    return [version for (version,) in _queries.applied(connection) if version not in ours]


def is_bucket_public(connection: psycopg.Connection[tuple], bucket: str) -> bool | None:
    """Tell whether anybody may read a bucket; None where there is none."""
    if not _queries.sees_buckets(connection):
        return None
    return _queries.is_bucket_public(connection, id=bucket)


def _latency_s(connection: psycopg.Connection[tuple]) -> float:
    times = []
    for _ in range(PINGS):
        began = time.monotonic()
        _queries.ping(connection)
        times.append(time.monotonic() - began)
    return statistics.median(times)
