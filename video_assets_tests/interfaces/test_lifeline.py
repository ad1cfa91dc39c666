"""The line to the database: quiet while it lives, however full, and told when it is gone."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from video_assets.interfaces.cli import lifeline as module
from video_assets.interfaces.cli.lifeline import lifeline
from video_assets.storage.postgres import Postgres
from video_assets_tests.conftest import run_sql
from video_assets_tests.pooler import MISSING, PGBOUNCER, pooler


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.02)
    monkeypatch.setattr(module, "GIVE_UP_S", 0.2)


@contextmanager
def closed(admin_url: str, catalogue_name: str) -> Iterator[None]:
    """A database that has no room, and ends the connections that it had."""
    limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
    name = sql.Identifier(catalogue_name)
    run_sql(admin_url, limit.format(name, sql.Literal(0)))
    end = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE usename = 'authenticator' AND datname = current_database()"""
    run_sql(admin_url, sql.Composed([sql.SQL(end)]))
    yield
    run_sql(admin_url, limit.format(name, sql.Literal(-1)))


def test_a_database_that_is_gone_is_told(catalogue: Postgres):
    told = threading.Event()
    with lifeline(f"{catalogue.dsn}_that_is_none", lambda _: told.set()):
        assert told.wait(10)


def test_a_database_without_room_is_not_gone_nor_asked_without_pause(
    catalogue: Postgres, admin_url: str, catalogue_name: str, monkeypatch: pytest.MonkeyPatch
):
    told, full = threading.Event(), list[bool]()
    is_full = module.is_full
    monkeypatch.setattr(module, "is_full", lambda error: full.append(True) or is_full(error))
    began = time.monotonic()
    with lifeline(catalogue.dsn, lambda _: told.set()):
        time.sleep(0.1)
        with closed(admin_url, catalogue_name):
            assert not told.wait(0.5)
        looks = len(full)
    assert looks <= (time.monotonic() - began) / module.LOOK_S + 3


@pytest.mark.skipif(PGBOUNCER is None, reason=MISSING)
def test_nothing_is_left_prepared_in_a_pooler(catalogue: Postgres):
    told = threading.Event()
    with pooler(catalogue.dsn, size=1) as [address], lifeline(address, lambda _: told.set()):
        assert not told.wait(0.5)
        with psycopg.connect(address, autocommit=True, prepare_threshold=None) as connection:
            assert connection.execute("SELECT name FROM pg_prepared_statements").fetchall() == []
