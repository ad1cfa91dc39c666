"""Through a transaction pooler: nobody gets another's identity, rows, locks or statements."""

import contextlib
import re
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from video_assets.storage import ledger, poolers, postgres
from video_assets.storage.connecting import Connection
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.migrations import migrate, sql_folder
from video_assets.storage.poolers import PoolerError
from video_assets.storage.postgres import Postgres
from video_assets_tests.conftest import run_sql
from video_assets_tests.pooler import MISSING, PGBOUNCER, pooler
from video_assets_tests.storage.crowd import PEOPLE, WORKERS, Crowd

needs_pooler = pytest.mark.skipif(PGBOUNCER is None, reason=MISSING)


@pytest.fixture
def pooled(catalogue: Postgres) -> Iterator[str]:
    """The address of the catalogue behind a pooler of its own with three connections."""
    with pooler(catalogue.dsn) as [address]:
        yield address


@pytest.fixture(scope="module")
def owners(admin_url: str) -> list[uuid.UUID]:
    made = [uuid.uuid4() for _ in range(3)]
    with psycopg.connect(admin_url) as connection:
        for owner in made:
            connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (owner,))
    return made


@needs_pooler
def test_a_worker_and_people_share_few_connections_and_nothing_else(
    catalogue: Postgres, owners: list[uuid.UUID], pooled: str, admin_url: str
):
    crowd = Crowd(catalogue, owners, 1000)
    worker = Postgres(pooled, catalogue.dsn, WORKERS)
    people = Postgres(pooled, max_connections=PEOPLE)
    crowd.meet(worker, people, pooled)
    assert crowd.leaks == set()
    assert crowd.looks > PEOPLE
    with catalogue.transaction() as connection:
        known = ledger.queries.entries(connection, asset="probe", checksums=crowd.checksums)
        assert {row["file_checksum"] for row in known} == set(crowd.checksums)


class OfTheSession(Postgres):
    """Sets role and claims for the session instead of the transaction."""

    @contextmanager
    def transaction(self, owner: uuid.UUID | None = None) -> Iterator[Connection]:
        with self._lend() as connection:
            connection.execute(OF_THE_SESSION, postgres._identity(owner))
            yield connection


class NotLocal(Postgres):
    """Takes the role with SET ROLE instead of SET LOCAL ROLE."""

    @contextmanager
    def transaction(self, owner: uuid.UUID | None = None) -> Iterator[Connection]:
        with super().transaction(owner) as connection:
            connection.execute("SET ROLE authenticated")
            yield connection


class SaidOnce(Postgres):
    """Says who somebody is before the transaction, as would do for a connection of one's own."""

    @contextmanager
    def transaction(self, owner: uuid.UUID | None = None) -> Iterator[Connection]:
        with self._lend() as connection:
            connection.execute(OF_THE_SESSION, postgres._identity(owner))
            connection.commit()
            yield connection


class Prepares(Postgres):
    """Leaves statements prepared, as psycopg does by itself."""

    @contextmanager
    def transaction(self, owner: uuid.UUID | None = None) -> Iterator[Connection]:
        with super().transaction(owner) as connection:
            connection.prepare_threshold = 0
            yield connection


OF_THE_SESSION = postgres._ASSUME.replace("true)", "false)")


@needs_pooler
@pytest.mark.parametrize(
    ("careless", "leak"),
    [
        (OfTheSession, "claims that were left behind"),
        (NotLocal, "a role that was left behind"),
        (SaidOnce, "somebody else's identity"),
        (Prepares, "a statement that was left prepared"),
    ],
)
def test_each_careless_way_would_be_seen(
    catalogue: Postgres, owners: list[uuid.UUID], pooled: str, careless: type[Postgres], leak: str
):
    crowd = Crowd(catalogue, owners, 100)
    worker, people = Postgres(pooled, catalogue.dsn), careless(pooled, max_connections=PEOPLE)
    with contextlib.suppress(psycopg.Error):  # a prepared statement that another server has
        crowd.meet(worker, people, pooled)
    assert leak in crowd.leaks


@needs_pooler
@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_lock_of_a_session_is_taken_only_where_it_ends_with_its_process(
    catalogue: Postgres, mode: str
):
    with pooler(catalogue.dsn, mode=mode) as [address]:
        through = Postgres(address)
        if mode == "transaction":
            with pytest.raises(PoolerError, match="SUPABASE_SESSION_DB_URL"), through.session():
                pass
            through = Postgres(address, catalogue.dsn)
        with ledger.claims(through, "probe", ["a" * 64]) as ours:
            assert ours.checksums == ["a" * 64]
            with ledger.claims(catalogue, "probe", ["a" * 64]) as theirs:
                assert theirs.checksums == []
        through.close()


@needs_pooler
def test_a_lock_taken_through_the_pooler_would_outlive_its_process(pooled: str):
    with psycopg.connect(pooled, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(4711)")
    with psycopg.connect(pooled, autocommit=True) as another:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711"
        assert another.execute(held).fetchall() == [(1,)]


@needs_pooler
def test_a_busy_pooler_is_known_for_what_it_is(catalogue: Postgres, pooled: str):
    over = threading.Event()

    def keep_busy() -> None:
        with psycopg.connect(pooled, autocommit=True, prepare_threshold=None) as connection:
            while not over.is_set():
                connection.execute("SELECT pg_sleep(0.002)")

    with ThreadPoolExecutor(6) as threads:
        busy = [threads.submit(keep_busy) for _ in range(6)]
        try:
            for _ in range(50):
                with pytest.raises(PoolerError), Postgres(pooled).session():
                    pass
        finally:
            over.set()
        for each in busy:
            each.result()


@needs_pooler
def test_migrations_go_through_a_pooler(embedded_server: EmbeddedServer):
    name = f"pooled_{uuid.uuid4().hex[:8]}"
    admin = embedded_server.admin_url("postgres")
    run_sql(admin, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with pooler(embedded_server.admin_url(name)) as [address], ThreadPoolExecutor(2) as threads:
        applied = list(threads.map(lambda _: migrate(address, embedded=True), range(2)))
        files = [file for each in applied for file in each]
        assert len(files) == len(set(files)) > 0
        assert migrate(address, embedded=True) == []
    run_sql(admin, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


# What lasts beyond a transaction, and where it may: in a connection that keeps its server.
LASTING = re.compile(
    r"""pg_(try_)?advisory_lock(_shared)?\b | set_config\([^()]*,\s*false\s*\)
      | ^\s*(SET\s+(?!LOCAL\b|\w+\s*=)|LISTEN|PREPARE|DECLARE\s+\w+\s+CURSOR|CREATE\s+TEMP)""",
    re.VERBOSE | re.MULTILINE,
)
MAY_LAST = {"abandoned.sql": 1, "embedded.sql": 1, "ledger.sql": 1, "postgres.py": 3}


def test_nothing_else_lasts_beyond_its_transaction():
    package = Path(postgres.__file__).parents[1]
    files = [each for kind in ("*.sql", "*.py") for each in package.rglob(kind)]
    files += (sql_folder() / "migrations").glob("*.sql")
    found = {file.name: len(LASTING.findall(file.read_text("utf-8"))) for file in files}
    assert {name: count for name, count in found.items() if count} == MAY_LAST


def test_supabase_keeps_sessions_at_another_port():
    url = "postgresql://postgres.abc:p%%40w@eu.pooler.supabase.com:%s/postgres?sslmode=require"
    assert poolers.session_url(url % 6543) == url % 5432
    assert poolers.session_url(url % 5432) is None
    assert poolers.session_url("postgresql://u:p@host/db") is None
