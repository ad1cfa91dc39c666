"""Connection poolers: whether a connection keeps its server, and the way past one that does not.

A transaction pooler gives a client another server for every transaction. A lock of a session would
then belong to whoever gets that server next, so it must never be taken there.
"""

import random
import time
from urllib.parse import urlsplit, urlunsplit

from psycopg.rows import dict_row

from video_assets.storage.connecting import Connection, address, connect

TRANSACTION_PORT, SESSION_PORT = 6543, 5432
LOOKS = 12
PAUSE_S = 0.005  # at most, by chance: a busy pooler may give turns in one rhythm
WAIT_S = 5.0

_confirmed: set[str] = set()


class PoolerError(RuntimeError):
    """A connection that has to be a session's goes through a transaction pooler."""


def session_url(url: str) -> str | None:
    """Where sessions are kept beside a transaction pooler of Supabase; None for other addresses.

    Supabase's pooler keeps sessions at the other port of the same host, and so does the host of a
    project's own database.
    """
    parts = urlsplit(url)
    if parts.port != TRANSACTION_PORT:
        return None
    user, at, host = parts.netloc.rpartition("@")
    there = f"{user}{at}{host.removesuffix(str(TRANSACTION_PORT))}{SESSION_PORT}"
    return urlunsplit(parts._replace(netloc=there))


def confirm_session(connection: Connection, dsn: str) -> None:
    """Raise PoolerError unless the connection keeps its server until it is closed.

    Asked once for each address.
    """
    if dsn in _confirmed:
        return
    if not is_direct(connection) and changes_servers(connection, dsn):
        raise PoolerError(
            f"{address(dsn)} is a transaction pooler, which cannot hold the locks by which "
            "processes share the clips; set SUPABASE_SESSION_DB_URL to the database itself or to "
            "a session pooler (SUPABASE_DB_URL may stay as it is)"
        )
    _confirmed.add(dsn)


def is_direct(connection: Connection) -> bool:
    """Whether no pooler is between: a pooler hands out numbers of its own."""
    return server_of(connection) == connection.info.backend_pid


def changes_servers(connection: Connection, dsn: str) -> bool:
    """Whether two clients take turns on one server, or one client meets several."""
    with connect(dsn, dict_row, wait_s=WAIT_S) as other:
        ours = [server_of(connection)]
        for _ in range(LOOKS):
            time.sleep(random.uniform(0, PAUSE_S))  # noqa: S311
            if server_of(other) in ours:
                return True
            ours.append(server_of(connection))
    return len(set(ours)) > 1


def server_of(connection: Connection) -> int:
    """The process of the server that answers."""
    [row] = connection.execute("SELECT pg_backend_pid() AS pid").fetchall()
    return row["pid"]
