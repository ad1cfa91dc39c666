"""A catalogue elsewhere, and no other database named: Dagster's lies in the home's server."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from video_assets.interfaces.cli import leash
from video_assets.settings import DAGSTER_URL
from video_assets.storage.embedded import CATALOGUE, DAGSTER, EmbeddedServer
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.commands import at_home, environment, run_here
from video_assets_tests.conftest import new_database
from video_assets_tests.interfaces.test_owners import PRESET
from video_assets_tests.servers import remove_server

# Of a resource without fields, Dagster asks Pydantic in an old way.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

RELATIONS = """SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text
                NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"""
RUNS = "SELECT count(*) FROM runs"


@pytest.fixture(scope="module")
def home(
    embedded_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A home of which SUPABASE_DB_URL alone is said; this process is at it."""
    home = tmp_path_factory.mktemp("machine")
    (home / "presets").mkdir()
    (home / "presets" / "cheap.yaml").write_text(PRESET)
    (home / "footage").mkdir()
    with (
        new_database(embedded_server) as name,
        at_home(home),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("SUPABASE_DB_URL", embedded_server.admin_url(name))
        yield home
        remove_server(EmbeddedServer(home))


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedServer:
    """Its server, as a new command finds it, which no other has told anything."""
    monkeypatch.delenv(DAGSTER_URL, raising=False)
    return EmbeddedServer(home)


def ingest(home: Path) -> str:
    return run_here("ingest", "--config", "cheap", home / "footage").stdout


def count(server: EmbeddedServer, database: str, query: str) -> int:
    with psycopg.connect(server.admin_url(database)) as connection:
        (number,) = connection.execute(query.encode()).fetchone() or (0,)
        return number


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def place_of_dagster() -> str:
    found = json.loads(run_here("doctor", "--json").stdout)
    (place,) = (each["found"] for each in found if each["name"] == "Dagster's database")
    return place


def test_a_clip_is_ingested_and_the_embedded_catalogue_stays_empty(
    home: Path, server: EmbeddedServer
):
    assert run_here("status").exit_code == 0
    embedded = "in the embedded Postgres, which"
    assert place_of_dagster() == f"{embedded} was never made; it starts when it is needed"
    assert not server.folder.exists()

    make_clip(home / "footage" / "a.mov", Clip(frames=6))
    assert "Clips complete │ 1 of 1" in ingest(home)
    assert place_of_dagster() == f"{embedded} answers on 127.0.0.1:{server.status().port}"
    assert count(server, DAGSTER, RUNS) == 1
    assert "Nothing to do" in ingest(home)
    assert count(server, DAGSTER, RUNS) == 1

    pushed = run_here("db", "push", "--owner", "local", code=2)
    assert "no catalogue yet" in pushed.stderr
    assert count(server, CATALOGUE, RELATIONS) == 0


def test_it_starts_when_something_is_to_be_made_and_not_to_look(home: Path, server: EmbeddedServer):
    server.start()
    run_here("db", "stop")
    for command in ("status", "list", "stale", "backfill --dry-run", "doctor"):
        run_here(*command.split())
    assert "no run is called" in run_here("monitor", "--run", "abcdef", code=2).stderr
    assert "Nothing to do" in ingest(home)
    assert not server.status().running

    make_clip(home / "footage" / "b.mov", Clip(frames=7))
    assert "Clips complete" in ingest(home)
    assert server.status().running
    run_here("db", "stop")
    assert "Forgotten." in run_here("forget", "b.mov", "--yes").stdout
    assert server.status().running


def test_the_commands_of_the_database_know_what_lies_in_it(
    server: EmbeddedServer, capfd: pytest.CaptureFixture[str]
):
    server.start()
    assert run_here("db", "url", "--dagster").stdout.strip() == server.dagster_url()
    assert "names the catalogue" in run_here("db", "psql", code=2).stderr
    run_here("db", "psql", "--dagster", "-At", "-c", "SELECT current_database()")
    assert capfd.readouterr().out.strip() == DAGSTER
    assert "in the embedded server, which runs" in run_here("db", "status").stdout
    run_here("db", "stop")
    assert "which is stopped" in json.loads(run_here("db", "status", "--json").stdout)["dagster"]
    assert "started" in run_here("db", "start").stdout
    assert count(server, CATALOGUE, RELATIONS) == 0


def test_without_the_project_it_is_no_catalogue(
    home: Path, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
):
    server.start()
    monkeypatch.delenv("SUPABASE_DB_URL")
    assert "no catalogue yet" in run_here("list").stdout
    make_clip(home / "footage" / "c.mov", Clip(frames=8))
    rehearsed = run_here("ingest", "--config", "cheap", "--dry-run", home / "footage")
    assert "older release" not in rehearsed.stderr
    assert count(server, CATALOGUE, RELATIONS) == 0


def test_what_is_on_the_leash_goes_on_when_the_server_dies_and_its_port_moves(
    home: Path, server: EmbeddedServer
):
    server.start()
    told, port = server.dagster_url(), server.status().port
    variables = {DAGSTER_URL: told, "SUPABASE_DB_URL": os.environ["SUPABASE_DB_URL"]}
    assert port is not None
    with socket.socket() as squatter:
        os.kill(server.status().pid or 0, signal.SIGKILL)
        wait_for(lambda: not server.status().running)
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        keeper = subprocess.Popen(
            [sys.executable, "-m", leash.__name__, home, leash.STOP_DATABASE],
            env={**environment(home), **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(lambda: server.status().running and leash.marked(home))
            services = {each.environ().get(DAGSTER_URL) for each in leash.marked(home)}
            assert services == {server.dagster_url()}
            assert server.dagster_url() != told
        finally:
            assert keeper.stdin is not None
            keeper.stdin.close()
            keeper.wait(60)
    assert psutil.wait_procs(leash.marked(home), timeout=10)[1] == []
    assert not server.status().running
