"""Transactions: who they are, that they are whole, and that they survive a restart and a fork."""

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from video_assets.settings import LOCAL_OWNER
from video_assets.storage import connecting, ledger, postgres
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postgres import DatabaseUnreachableError, Postgres
from video_assets_tests.conftest import run_sql

WHO = "SELECT current_user AS who, auth.uid() AS owner, pg_backend_pid() AS pid"


@pytest.fixture
def scratch(catalogue: Postgres, admin_url: str) -> Iterator[str]:
    """A table of one column that service_role may write."""
    name = f"scratch_{uuid.uuid4().hex[:8]}"
    table = sql.Identifier("public", name)
    run_sql(admin_url, sql.SQL("CREATE TABLE {} (number int)").format(table))
    run_sql(admin_url, sql.SQL("GRANT ALL ON {} TO service_role").format(table))
    yield name
    run_sql(admin_url, sql.SQL("DROP TABLE {}").format(table))


def numbers(catalogue: Postgres, table: str) -> list[int]:
    with catalogue.transaction() as connection:
        query = sql.SQL("SELECT number FROM {} ORDER BY 1").format(sql.Identifier(table))
        return [row["number"] for row in connection.execute(query)]


def insert(connection: postgres.Connection, table: str, number: int) -> None:
    connection.execute(
        sql.SQL("INSERT INTO {} VALUES (%s)").format(sql.Identifier(table)), (number,)
    )


def who(catalogue: Postgres, owner: uuid.UUID | None = None) -> dict:
    with catalogue.transaction(owner) as connection:
        row = connection.execute(WHO).fetchone()
    assert row is not None
    return row


def test_a_transaction_is_the_workers_role_or_one_owner(catalogue: Postgres):
    assert who(catalogue)["who"] == "service_role"
    found = who(catalogue, LOCAL_OWNER)
    assert (found["who"], found["owner"]) == ("authenticated", LOCAL_OWNER)


def test_an_identity_ends_with_its_transaction(catalogue: Postgres):
    pid = who(catalogue, LOCAL_OWNER)["pid"]
    found = who(catalogue)
    assert found == {"who": "service_role", "owner": None, "pid": pid}


def test_a_connection_without_a_role_can_read_nothing(catalogue: Postgres):
    with (
        psycopg.connect(catalogue.dsn) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT * FROM public.clips")


def test_a_transaction_is_whole_or_not_at_all(catalogue: Postgres, scratch: str):
    with catalogue.transaction() as connection:
        insert(connection, scratch, 1)
    with pytest.raises(psycopg.errors.DivisionByZero), catalogue.transaction() as connection:  # noqa: PT012
        insert(connection, scratch, 2)
        connection.execute("SELECT 1 / 0")
    assert numbers(catalogue, scratch) == [1]


def test_more_threads_than_connections_wait_their_turn(catalogue: Postgres, scratch: str):
    def work(number: int) -> None:
        with catalogue.transaction() as connection:
            insert(connection, scratch, number)

    with ThreadPoolExecutor(2 * postgres.MAX_CONNECTIONS) as threads:
        list(threads.map(work, range(100)))
    assert numbers(catalogue, scratch) == list(range(100))


def test_connections_that_the_server_closed_are_replaced(catalogue: Postgres, admin_url: str):
    gate = threading.Barrier(4)

    def pid(_: int) -> int:
        with catalogue.transaction() as connection:
            gate.wait(10)
            row = connection.execute(WHO).fetchone()
            assert row is not None
            return row["pid"]

    with ThreadPoolExecutor(4) as threads:
        before = set(threads.map(pid, range(4)))
        for each in before:
            statement = sql.SQL("SELECT pg_terminate_backend({}, 5000)").format(each)
            run_sql(admin_url, statement)
        after = set(threads.map(pid, range(4)))
    assert len(before) == 4
    assert not before & after


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own(catalogue: Postgres):
    own = Postgres(f"{catalogue.dsn}?application_name=fork")
    before = who(own)["pid"]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, str(who(own)["pid"]).encode())
        finally:
            os._exit(0)  # whatever happens: the tests go on in the parent alone
    os.waitpid(child, 0)
    of_child = int(os.read(reading, 20))
    os.close(reading)
    os.close(writing)
    assert of_child != before
    assert who(own)["pid"] == before
    own.close()


def test_a_session_lock_is_over_when_its_block_is(catalogue: Postgres):
    lock = "SELECT pg_try_advisory_lock(42) AS got"
    with catalogue.session() as watch:
        for _ in range(50):  # the server notices some time after it that a connection has ended
            with catalogue.session() as first:
                assert first.execute(lock).fetchone() == {"got": True}
                assert watch.execute(lock).fetchone() == {"got": False}
            assert watch.execute(lock).fetchone() == {"got": True}
            watch.execute("SELECT pg_advisory_unlock(42)")


def test_a_session_whose_server_ended_ends_with_what_went_wrong(catalogue: Postgres):
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    with pytest.raises(psycopg.errors.AdminShutdown), catalogue.session() as lost:
        lost.execute(end)


def test_a_server_that_is_gone_is_not_waited_for_as_long_as_one_that_restarts(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(postgres, "GONE_S", 0.5)
    nobody = Postgres("postgresql://authenticator:secret@127.0.0.1:1/video_assets")
    with pytest.raises(DatabaseUnreachableError, match=r"127\.0\.0\.1:1 .* db status"):
        who(nobody)
    nobody.close()


def test_a_server_that_listens_and_is_silent_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(postgres, "GONE_S", 0.2)
    monkeypatch.setattr(postgres, "WAIT_S", 1.0)
    monkeypatch.setitem(connecting.OPTIONS, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mute = Postgres(f"postgresql://authenticator@127.0.0.1:{port}/x")
        with pytest.raises(DatabaseUnreachableError, match=r"within [1-9]\d* s"):
            who(mute)
        mute.close()


@contextmanager
def room_for(admin_url: str, connections: int) -> Iterator[None]:
    """A server that takes no more than so many connections to the database."""
    name = sql.Identifier(urlsplit(admin_url).path.lstrip("/"))
    limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
    run_sql(admin_url, limit.format(name, sql.Literal(connections)))
    yield
    run_sql(admin_url, limit.format(name, sql.Literal(-1)))


@pytest.mark.parametrize("work", ["a transaction", "claims"])
def test_a_full_server_is_waited_for(catalogue: Postgres, admin_url: str, work: str):
    late = Postgres(f"{catalogue.dsn}?application_name=late")
    with ThreadPoolExecutor(1) as threads:
        with room_for(admin_url, 0):
            waiting = threads.submit(who if work == "a transaction" else claim, late)
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
        assert waiting.result(20)
    late.close()


def claim(catalogue: Postgres) -> list[str]:
    with ledger.claims(catalogue, "probe", ["a" * 64]) as claims:
        return claims.checksums


def test_a_server_that_stays_full_is_named_with_the_remedy(
    catalogue: Postgres, admin_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postgres, "WAIT_S", 0.5)
    alone = Postgres(f"{catalogue.dsn}?application_name=alone")
    with room_for(admin_url, 0):
        for work in (who, claim):
            with pytest.raises(DatabaseUnreachableError, match="VIDEO_ASSETS_DB_CONNECTIONS"):
                work(alone)
    alone.close()


def test_a_process_takes_no_more_connections_than_it_may(catalogue: Postgres):
    frugal = Postgres(catalogue.dsn, max_connections=2)
    with ThreadPoolExecutor(6) as threads:
        pids = {row["pid"] for row in threads.map(lambda _: who(frugal), range(30))}
    assert len(pids) <= 2
    frugal.close()


def test_a_password_is_not_shown(embedded_server: EmbeddedServer):
    url = embedded_server.url()
    assert url not in repr(Postgres(url))
