"""kill -9 of the server, of those who start it, at any moment: the next start finds its way."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postgres import Postgres
from video_assets.storage.server_file import EmbeddedServerError
from video_assets_tests.servers import remove_server

STARTER = """
import sys
from pathlib import Path
from video_assets.storage.embedded import EmbeddedServer
print("ready", flush=True)
sys.stdin.readline()
print(EmbeddedServer(Path(sys.argv[1])).start(), flush=True)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server not yet started."""
    server = EmbeddedServer(tmp_path / "home")
    yield server
    remove_server(server)


def starter(server: EmbeddedServer) -> subprocess.Popen[str]:
    """A process that has imported everything and starts the server when told."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(server.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def kill_server(server: EmbeddedServer) -> None:
    pid = server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_what_was_committed_survives_the_death_of_the_server(server: EmbeddedServer):
    server.start()
    with psycopg.connect(server.admin_url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (number int)")
        for number in range(3):
            connection.execute("INSERT INTO kept VALUES (%s)", (number,))
            kill_server(server)
            assert server.start()
            connection.close()
            connection = psycopg.connect(server.admin_url(), autocommit=True)
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (3,)
        connection.close()


def test_a_busy_backend_outliving_its_server_is_waited_for(server: EmbeddedServer):
    server.start()
    with psycopg.connect(server.admin_url(), autocommit=True) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        backend = psutil.Process(row[0])
        backend.suspend()  # it holds the shared memory until it can notice
        kill_server(server)
        process = starter(server)
        tell(process)
        time.sleep(1)
        assert process.poll() is None
        backend.resume()
        assert process.communicate(timeout=60)[0] == "True\n"
    assert server.status().running


def test_a_pool_goes_on_after_the_server_came_back(server: EmbeddedServer):
    server.start()
    dagster = Postgres(server.admin_url("dagster"))
    with psycopg.connect(dagster.dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE service_role")
    with dagster.transaction() as connection:
        connection.execute("SELECT 1")
    kill_server(server)
    server.start()
    with dagster.transaction() as connection:
        assert connection.execute("SELECT 1 AS one").fetchone() == {"one": 1}
    dagster.close()


@pytest.mark.parametrize("moment", range(10))
def test_a_killed_cold_start_is_taken_up_by_the_next(server: EmbeddedServer, moment: int):
    process = starter(server)
    tell(process)
    time.sleep((moment + secrets.randbelow(100) / 100) * 0.1)  # a cold start takes 0.9 s
    victims = [process.pid]
    if moment % 2:
        victims += [each.pid for each in psutil.Process(process.pid).children(recursive=True)]
    for victim in victims:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.communicate()
    server.start()
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_database_that_a_killed_start_still_makes_is_waited_for(server: EmbeddedServer):
    server.start()
    with psycopg.connect(server.admin_url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE dagster")
        with connection.transaction():
            connection.execute("LOCK TABLE pg_database IN SHARE MODE")  # which making one waits for
            victim, successor = starter(server), starter(server)
            tell(victim)
            await_waiting(connection, 1)
            victim.kill()
            victim.communicate()
            tell(successor)
            await_waiting(connection, 2)
        assert successor.communicate(timeout=60)[0] == "False\n"
    assert server.status().running
    psycopg.connect(server.admin_url("dagster")).close()


def await_waiting(connection: psycopg.Connection, count: int) -> None:
    """Wait until so many sessions wait for a lock."""
    deadline = time.monotonic() + 60
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while connection.execute(query).fetchone() != (count,):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_four_cold_starts_at_once_make_one_server(server: EmbeddedServer):
    processes = [starter(server) for _ in range(4)]
    for process in processes:
        tell(process)
    said = sorted(process.communicate(timeout=120)[0] for process in processes)
    assert said == ["False\n", "False\n", "False\n", "True\n"]
    assert server.status().running


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = [shutil.which("mount") or "", "-t", "tmpfs", "-o", "size=12m,mode=755", "tmpfs", disk]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        tmp_path.parent.parent.chmod(0o700)
        server = EmbeddedServer(disk)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("video_assets.storage.unprivileged.BASE", disk / "base")
            patch.setattr("video_assets.storage.unprivileged.can_enter", lambda *_: True)
            patch.setattr("video_assets.storage.unprivileged.server_account", lambda _: None)
            with pytest.raises(EmbeddedServerError, match=r"initdb\.log ends with"):
                server.start()
        assert not server.data.exists()
        assert [each.name for each in server.folder.glob("pg18.new-*")] == []
    finally:
        subprocess.run([shutil.which("umount") or "", disk], check=True)
