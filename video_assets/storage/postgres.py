"""The catalogue database: transactions as one owner, or as the workers' own role."""

import atexit
import json
import os
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from video_assets.storage import connecting, poolers
from video_assets.storage.connecting import Connection, DatabaseUnreachableError

MAX_CONNECTIONS = 16  # of 200, for each process
WAIT_S = 30.0  # long enough for a server that is just being restarted
GONE_S = 10.0  # one that comes back listens by then, though it may not be ready yet
IDLE_S = 60.0  # others may have use for the room that an idle connection takes


@dataclass(frozen=True)
class Postgres:
    """A database by its URL.

    Whoever holds a connection may take any role, so none is ever lent to somebody's own SQL.
    """

    # Both hold a password. The second is for what needs a session, where the first is a pooler.
    dsn: str = field(repr=False)
    session_dsn: str | None = field(default=None, repr=False)
    max_connections: int = MAX_CONNECTIONS

    @property
    def place(self) -> str:
        """Where it is, without its password."""
        return connecting.address(self.dsn) + urlsplit(self.dsn).path

    @contextmanager
    def transaction(self, owner: UUID | None = None) -> Iterator[Connection]:
        """One transaction: as that owner under row level security, or as service_role.

        Commits at the end of the block, rolls back if the block raises.
        """
        with self._lend() as connection:
            connection.execute(_ASSUME, _identity(owner))
            yield connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection of its own, in which each statement is committed at once.

        For advisory locks, which have to end with the block, and with the process that holds them
        however that ends. It takes no role, because they need none.

        Raises PoolerError where the locks would outlive it.
        """
        dsn = self.session_dsn or self.dsn
        with connecting.connect(dsn, dict_row, wait_s=WAIT_S) as connection:
            poolers.confirm_session(connection, dsn)
            connection.execute(_NOTICE_DEATH)
            yield connection
            # A server notices only after a while that a session was closed, and keeps its locks.
            with suppress(psycopg.OperationalError):  # one that the server has ended holds none
                connection.execute(_LET_GO)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """The catalogue as it is at this moment, as service_role, however long the block takes."""
        with connecting.connect(self.dsn, dict_row, wait_s=WAIT_S) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            with connection.transaction():
                connection.execute(_ASSUME, _identity(None))
                yield connection

    def confirm_sessions(self) -> None:
        """Raise PoolerError where `session` would, before any work depends on it."""
        with self.session():
            pass

    def close(self) -> None:
        """Close this process's idle connections; the next transaction opens new ones."""
        pool = _pools.pop((os.getpid(), self), None)
        if pool is not None:
            pool.close()

    @contextmanager
    def _lend(self) -> Iterator[Connection]:
        pool = self._pool()
        connection = self._take(pool)
        try:
            with connection:
                yield connection
        finally:
            pool.putconn(connection)

    def _take(self, pool: ConnectionPool[Connection]) -> Connection:
        began = time.monotonic()
        while True:
            try:
                return pool.getconn(timeout=min(GONE_S, WAIT_S))
            except PoolTimeout as error:
                waited_s = time.monotonic() - began
                if waited_s >= WAIT_S or connecting.is_refused(self.dsn):
                    raise DatabaseUnreachableError(self._why_none(pool, waited_s)) from error

    def _why_none(self, pool: ConnectionPool[Connection], waited_s: float) -> str:
        """Say why no connection was lent."""
        where = connecting.address(self.dsn)
        told = f"the database at {where} did not lend a connection within {waited_s:.0f} s"
        if pool.get_stats().get("pool_size") == self.max_connections:
            return f"{told}: all {self.max_connections} of this process are in use"
        try:
            connecting.connect(self.dsn, dict_row, wait_s=0).close()
        except DatabaseUnreachableError as full:
            return str(full)
        except psycopg.OperationalError as error:
            told += f" ({connecting.first_line(error)})"
        return f"{told}; `video-assets db status` tells whether it runs"

    def _pool(self) -> ConnectionPool[Connection]:
        key = (os.getpid(), self)
        pool = _pools.get(key)
        if pool is None:
            if not _pools:
                atexit.register(_close_pools)
            pool = _pools.setdefault(key, _new_pool(self))
            pool.open()
        return pool


# A forked child finds nothing under its own number and makes a pool of its own.
_pools: dict[tuple[int, Postgres], ConnectionPool[Connection]] = {}

# A machine that loses its power says no goodbye, and the server would hold its locks for two hours.
_NOTICE_DEATH = """SELECT set_config('tcp_keepalives_idle', '60', false),
                          set_config('tcp_keepalives_interval', '15', false),
                          set_config('tcp_keepalives_count', '4', false)"""

_LET_GO = "SELECT pg_advisory_unlock_all()"

# Supabase's auth.uid() believes the older setting first, and some have no other.
_ASSUME = """SELECT set_config('role', %(role)s, true),
                    set_config('request.jwt.claims', %(claims)s, true),
                    set_config('request.jwt.claim.sub', %(sub)s, true)"""


def _identity(owner: UUID | None) -> dict[str, str]:
    if owner is None:
        return {"role": "service_role", "claims": '{"role": "service_role"}', "sub": ""}
    claims = {"sub": str(owner), "role": "authenticated"}
    return {"role": "authenticated", "claims": json.dumps(claims), "sub": str(owner)}


def _new_pool(catalogue: Postgres) -> ConnectionPool[Connection]:
    return ConnectionPool(
        catalogue.dsn,
        connection_class=Connection,
        kwargs={**connecting.OPTIONS, "row_factory": dict_row},
        min_size=0,
        max_size=catalogue.max_connections,
        max_idle=IDLE_S,
        check=confirm_alive,
        open=False,
    )


def confirm_alive(connection: psycopg.Connection[Any]) -> None:
    """Raise psycopg.OperationalError if the server of an idle connection went away.

    A server that ends closes the socket, and an idle connection has nothing to read: so
    looking costs 10 µs. The pool's own check asks the server each time, which is 35 µs for
    the embedded one but a whole round trip to a remote one.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(connection.fileno(), selectors.EVENT_READ)
        if selector.select(timeout=0):
            ConnectionPool.check_connection(connection)


def _close_pools() -> None:
    for pid, catalogue in list(_pools):
        if pid == os.getpid():
            catalogue.close()
