"""The catalogue database: transactions as one owner, or as the workers' own role."""

import atexit
import json
import os
import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

MAX_CONNECTIONS = 16  # of 200, for each process
WAIT_S = 30.0  # long enough for a server that is just being restarted

Connection = psycopg.Connection[DictRow]
# A forked child finds nothing under its own number and makes a pool of its own.
_pools: dict[tuple[int, str], ConnectionPool[Connection]] = {}


class DatabaseUnreachableError(psycopg.OperationalError):
    """The database did not answer in time."""


@dataclass(frozen=True)
class Postgres:
    """A database by its URL.

    Whoever holds a connection may take any role, so none is ever lent to somebody's own SQL.
    """

    dsn: str = field(repr=False)  # it holds a password

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
        """A connection of its own as service_role, each statement committed at once.

        For advisory locks, which have to end with the process that holds them.
        """
        with Connection.connect(
            self.dsn, autocommit=True, prepare_threshold=None, row_factory=dict_row
        ) as connection:
            connection.execute("SET ROLE service_role")
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """The catalogue as it is at this moment, as service_role, however long the block takes."""
        with Connection.connect(
            self.dsn, prepare_threshold=None, row_factory=dict_row
        ) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            connection.execute(_ASSUME, _identity(None))
            yield connection

    def close(self) -> None:
        """Close this process's idle connections; the next transaction opens new ones."""
        pool = _pools.pop((os.getpid(), self.dsn), None)
        if pool is not None:
            pool.close()

    @contextmanager
    def _lend(self) -> Iterator[Connection]:
        pool = self._pool()
        try:
            connection = pool.getconn()
        except PoolTimeout as error:
            where = urlsplit(self.dsn)
            raise DatabaseUnreachableError(
                f"the database at {where.hostname}:{where.port or 5432} did not lend a connection "
                f"within {WAIT_S:.0f} s; `video-assets db status` tells whether it runs"
            ) from error
        try:
            with connection:
                yield connection
        finally:
            pool.putconn(connection)

    def _pool(self) -> ConnectionPool[Connection]:
        key = (os.getpid(), self.dsn)
        pool = _pools.get(key)
        if pool is None:
            if not _pools:
                atexit.register(_close_pools)
            pool = _pools.setdefault(key, _new_pool(self.dsn))
            pool.open()
        return pool


_ASSUME = """SELECT set_config('role', %(role)s, true),
                    set_config('request.jwt.claims', %(claims)s, true)"""


def _identity(owner: UUID | None) -> dict[str, str]:
    if owner is None:
        return {"role": "service_role", "claims": '{"role": "service_role"}'}
    claims = {"sub": str(owner), "role": "authenticated"}
    return {"role": "authenticated", "claims": json.dumps(claims)}


def _new_pool(dsn: str) -> ConnectionPool[Connection]:
    options: dict[str, Any] = {"prepare_threshold": None, "row_factory": dict_row}
    return ConnectionPool(
        dsn,
        connection_class=Connection,
        kwargs=options,
        min_size=0,
        max_size=MAX_CONNECTIONS,
        timeout=WAIT_S,
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
    for pid, dsn in list(_pools):
        if pid == os.getpid():
            Postgres(dsn).close()
