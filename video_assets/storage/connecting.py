"""Connections to a server that may be far away, or have no room at the moment."""

import random
import re
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import DictRow, Row, RowFactory

Connection = psycopg.Connection[DictRow]

LOOK_S = 0.5
CONNECT_S = 10

OPTIONS: dict[str, Any] = {
    "connect_timeout": CONNECT_S,
    # Behind a transaction pooler the next statement may meet another server, which knows none.
    "prepare_threshold": None,
    # Routers forget a silent connection after some minutes, and tell neither end.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}

# Of Postgres (server, database, role), of PgBouncer, and of Supabase's pooler.
_FULL = re.compile(
    r"too many (clients|connections)|remaining connection slots|no more connections allowed"
    r"|max clients|max_client_conn|maxclients|EMAXCONN",
    re.IGNORECASE,
)


class DatabaseUnreachableError(psycopg.OperationalError):
    """The database did not answer in time."""


def is_full(error: BaseException) -> bool:
    """Whether a server or pooler is there and has no room for a further connection."""
    return isinstance(error, psycopg.OperationalError) and _FULL.search(str(error)) is not None


def is_refused(dsn: str) -> bool:
    """Whether nobody listens where a server should be: one that is starting already does."""
    where = urlsplit(dsn)
    try:
        socket.create_connection((where.hostname, where.port or 5432), CONNECT_S).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def connect(dsn: str, rows: RowFactory[Row], *, wait_s: float) -> psycopg.Connection[Row]:
    """Open a connection that commits each statement; wait for one where there is no room.

    Raises DatabaseUnreachableError when there is none for so long.
    """
    deadline = time.monotonic() + wait_s
    typed = psycopg.Connection[Row]
    while True:
        try:
            return typed.connect(dsn, autocommit=True, row_factory=rows, **OPTIONS)
        except psycopg.OperationalError as error:
            if not is_full(error):
                raise
            if time.monotonic() > deadline:
                raise DatabaseUnreachableError(no_room(dsn, error)) from None
        time.sleep(LOOK_S * random.uniform(0.5, 1.5))  # noqa: S311  so that not all ask at once


def no_room(dsn: str, error: BaseException) -> str:
    """Say that a server is full, and what to do about it."""
    return (
        f"the database at {address(dsn)} takes no further connection ({first_line(error)}); end "
        "other programs that use it, or set VIDEO_ASSETS_DB_CONNECTIONS lower for each process"
    )


def address(dsn: str) -> str:
    """Host and port, which may be shown."""
    where = urlsplit(dsn)
    return f"{where.hostname}:{where.port or 5432}"


def first_line(error: BaseException) -> str:
    """What an error says, without what libpq adds below."""
    return str(error).strip().partition("\n")[0]
