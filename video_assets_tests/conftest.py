"""A real embedded Postgres for the tests, and a migrated database for each module."""

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from video_assets.redaction import protect
from video_assets.settings import Settings, load_settings
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.migrations import migrate
from video_assets.storage.postgres import Postgres
from video_assets_tests.lite.project import named_project, without_traces
from video_assets_tests.lite.server import Lite, Project, serve_lite
from video_assets_tests.planted_keys import found_below, found_in_database
from video_assets_tests.servers import remove_server

TEMPLATE = "migrated"
SLOWEST = ("truth", "faults")  # folders that would keep one process busy after the others ended


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slowest folders."""
    items.sort(key=lambda item: item.path.parent.name not in SLOWEST)


@pytest.fixture(scope="session", autouse=True)
def _no_key_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever the tests have left on disk, none of their keys is in it."""
    yield
    assert found_below(tmp_path_factory.getbasetemp()) == set()


@pytest.fixture(scope="session", autouse=True)
def _nobodys_environment() -> Iterator[None]:
    """What the developer has set must not reach a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("VIDEO_ASSETS_", "SUPABASE_", "PG")):
                patch.delenv(name)
        # Nor may a test leave anything where the developer's system keeps passwords.
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        yield


@pytest.fixture(scope="module", autouse=True)
def _nobody_elses_secrets() -> Iterator[None]:
    """What one file of tests protects is a word like any other in the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("video_assets.redaction._told", set())
        protect([])
        yield
    protect([])


@pytest.fixture
def replace_here(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str, Callable], None]:
    """Replace a function that the whole process has, for the thread of the test alone.

    Threads that other tests have left (a pool's, a server's) call it too, at any moment.
    """

    def replace(owner: object, name: str, stub: Callable) -> None:
        before, here = getattr(owner, name), threading.current_thread()

        @wraps(before)
        def chosen(*arguments: object, **named: object) -> object:
            function = stub if threading.current_thread() is here else before
            return function(*arguments, **named)

        monkeypatch.setattr(owner, name, chosen)

    return replace


def run_sql(url: str, statement: sql.Composed) -> None:
    """Run one statement outside a transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture(scope="session")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server for this test process: made in 0.8 s, so workers need not share one."""
    server = EmbeddedServer(tmp_path_factory.mktemp("home"))
    server.start()
    run_sql(
        server.admin_url("postgres"),
        sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)),
    )
    migrate(server.admin_url(TEMPLATE), embedded=True)
    yield server
    remove_server(server)


@pytest.fixture(scope="module")
def lite(
    embedded_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lite]:
    """A Supabase project on loopback, made in 2 s: an ingest tells Dagster of all that is there."""
    with serve_lite(embedded_server, tmp_path_factory.mktemp("lite")) as project:
        yield project


@pytest.fixture(scope="module")
def supabase(request: pytest.FixtureRequest) -> Iterator[Project]:
    """The Supabase project that variables name, else the one on loopback."""
    with without_traces(named_project() or request.getfixturevalue("lite")) as project:
        yield project


@pytest.fixture(scope="session")
def dagster_url(embedded_server: EmbeddedServer) -> Iterator[str]:
    """A database for Dagster's own storage."""
    name = f"dagster_{uuid.uuid4().hex[:12]}"
    admin = embedded_server.admin_url("postgres")
    run_sql(admin, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield embedded_server.admin_url(name)
    run_sql(admin, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def catalogue_name(embedded_server: EmbeddedServer) -> Iterator[str]:
    """The name of a fresh migrated database."""
    with new_database(embedded_server) as name:
        yield name
        assert found_in_database(embedded_server.admin_url(name)) == set()


@contextmanager
def new_database(embedded_server: EmbeddedServer) -> Iterator[str]:
    """Make a migrated database for the time of a block, and give its name."""
    name = f"catalogue_{uuid.uuid4().hex[:12]}"
    admin = embedded_server.admin_url("postgres")
    run_sql(
        admin,
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(TEMPLATE)
        ),
    )
    run_sql(  # a setting of a database is not part of its template
        admin,
        sql.SQL('ALTER DATABASE {} SET search_path TO "$user", public, extensions').format(
            sql.Identifier(name)
        ),
    )
    try:
        yield name
    finally:
        run_sql(admin, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def catalogue(embedded_server: EmbeddedServer, catalogue_name: str) -> Iterator[Postgres]:
    """A fresh migrated catalogue of blake3 clips, as programs see it."""
    catalogue = Postgres(embedded_server.url(catalogue_name))
    with catalogue.transaction() as connection:
        connection.execute("SELECT private.use_checksum_algorithm('blake3')")
    yield catalogue
    catalogue.close()


@pytest.fixture(scope="module")
def admin_url(embedded_server: EmbeddedServer, catalogue_name: str) -> str:
    """The same database as superuser."""
    return embedded_server.admin_url(catalogue_name)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings with a home of their own; a server that the test starts there is removed."""
    settings = load_settings(tmp_path / "home")
    yield settings
    server = EmbeddedServer(settings.home)
    if server.folder.exists():
        remove_server(server)
