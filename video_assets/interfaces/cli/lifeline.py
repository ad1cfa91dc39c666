"""A line to the database while Dagster works: when it breaks for good, the command ends soon.

Without it every layer below tries again on its own, and a person waits for a minute to learn it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from video_assets.storage.connecting import OPTIONS, is_full

LOOK_S = 0.5
GIVE_UP_S = 3.0  # a server that is being restarted is back by then


@contextmanager
def lifeline(dsn: str, on_lost: Callable[[str], None]) -> Iterator[None]:
    """Call `on_lost` with the reason, in another thread, once the database is gone."""
    ended = threading.Event()
    threading.Thread(target=_hold, args=(dsn, ended, on_lost), daemon=True, name="lifeline").start()
    try:
        yield
    finally:
        ended.set()


def _hold(dsn: str, ended: threading.Event, on_lost: Callable[[str], None]) -> None:
    while not ended.is_set():
        try:
            with psycopg.connect(dsn, autocommit=True, **OPTIONS) as connection:
                while not ended.wait(LOOK_S):
                    connection.execute("SELECT 1")
        except psycopg.Error as error:
            if is_full(error):
                ended.wait(LOOK_S)
            elif not _comes_back(dsn, ended):
                on_lost(str(error).strip().partition("\n")[0])
                return


def _comes_back(dsn: str, ended: threading.Event) -> bool:
    for _ in range(int(GIVE_UP_S / LOOK_S)):
        if ended.wait(LOOK_S):
            return True
        try:
            psycopg.connect(dsn, **OPTIONS).close()
        except psycopg.OperationalError as error:
            if not is_full(error):  # that it is full is an answer too
                continue
        return True
    return False
