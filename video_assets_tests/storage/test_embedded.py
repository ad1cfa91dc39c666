"""The embedded server: made once, found again, moved aside for nobody, stopped only when told."""

import os
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from video_assets.storage import binaries, server_file, unprivileged
from video_assets.storage.embedded import LOG_BYTES, EmbeddedServer
from video_assets.storage.server_file import EmbeddedServerError
from video_assets_tests.servers import remove_server

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root runs Postgres as somebody else")


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that every account can enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def server(open_folder: Path) -> Iterator[EmbeddedServer]:
    """A server whose data lie in its home; tests start and stop it at will."""
    server = EmbeddedServer(open_folder / "home")
    server.start()
    yield server
    remove_server(server)


@pytest.fixture
def fresh(open_folder: Path) -> Iterator[EmbeddedServer]:
    """A server that was never started."""
    server = EmbeddedServer(open_folder / "fresh" / "home")
    yield server
    remove_server(server)


def answer(url: str, query: str = "SELECT current_user::text") -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_it_is_made_stopped_and_found_again(fresh: EmbeddedServer):
    assert fresh.start()
    assert not fresh.start()
    assert answer(fresh.url()) == "authenticator"
    assert answer(fresh.url("dagster")) == answer(fresh.admin_url()) == "postgres"
    assert fresh.dagster_url().startswith("postgresql+psycopg2://postgres:")
    port = fresh.status().port
    assert fresh.stop()
    assert not fresh.stop()
    assert not fresh.status().running
    assert fresh.start()
    assert fresh.status().port == port
    assert answer(fresh.url()) == "authenticator"


def test_a_database_is_the_same_on_every_system(embedded_server: EmbeddedServer):
    url = embedded_server.admin_url("dagster")
    assert answer(url, "SHOW server_encoding") == "UTF8"
    assert answer(url, "SHOW timezone") == "UTC"
    assert answer(url, "SHOW max_connections") == "200"
    where = "FROM pg_database WHERE datname = 'dagster'"
    assert answer(url, f"SELECT concat_ws(' ', datlocprovider, datlocale) {where}") == "b C.UTF-8"


def test_looking_makes_nothing(tmp_path: Path):
    server = EmbeddedServer(tmp_path / "home")
    assert not server.status().running
    assert not server.stop()
    with pytest.raises(EmbeddedServerError, match="db start"):
        server.url()
    assert list(tmp_path.iterdir()) == []


def test_only_its_user_can_read_the_passwords(embedded_server: EmbeddedServer):
    found = (embedded_server.folder / server_file.NAME).stat()
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_uid == os.geteuid()
    assert stat.S_IMODE(embedded_server.data.stat().st_mode) == 0o700


def test_it_listens_on_this_machine_alone(embedded_server: EmbeddedServer):
    url = embedded_server.admin_url()
    assert answer(url, "SHOW listen_addresses") == "127.0.0.1"
    assert answer(url, "SHOW unix_socket_directories") == ""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        answer(url.replace("postgres:", "postgres:x"))


def test_another_port_is_taken_and_remembered_if_its_own_is_taken(server: EmbeddedServer):
    server.start()
    before = server.status().port
    server.stop()
    with socket.socket() as somebody:
        somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        somebody.bind(("127.0.0.1", before))
        somebody.listen()
        server.start()
        after = server.status().port
        assert after != before
        assert answer(server.url()) == "authenticator"
    server.stop()
    server.start()
    assert server.status().port == after


def test_a_pid_file_with_the_number_of_another_process_is_stale(server: EmbeddedServer):
    server.start()
    pid_file = server.data / "postmaster.pid"
    text = pid_file.read_text().splitlines()
    server.stop()
    pid_file.write_text("\n".join([str(os.getppid()), *text[1:]]) + "\n")
    assert not server.status().running
    assert server.start()


def test_a_copied_home_has_a_server_of_its_own(server: EmbeddedServer):
    server.start()
    server.stop()
    other = EmbeddedServer(server.home.with_name("other home"))
    subprocess.run([shutil.which("cp") or "", "-a", server.home, other.home], check=True)
    try:
        server.start()
        assert other.start()
        assert other.status().port != server.status().port
        shown = {answer(each.admin_url(), "SHOW data_directory") for each in (server, other)}
        assert shown == {str(server.data), str(other.data)}
    finally:
        remove_server(other)


def test_a_home_may_have_any_name(open_folder: Path):
    server = EmbeddedServer(open_folder / "a $(touch x) 'b' \"c\" ü;d")
    try:
        assert server.start()
        assert answer(server.url()) == "authenticator"
    finally:
        remove_server(server)


def test_it_does_not_hear_the_terminal(embedded_server: EmbeddedServer):
    pid = embedded_server.status().pid
    assert pid is not None
    assert os.getsid(pid) != os.getsid(0)


def test_a_large_log_is_emptied(server: EmbeddedServer):
    server.start()
    server.stop()
    log = server.data / "server.log"
    with log.open("ab") as out:
        out.write(b"x" * (LOG_BYTES + 1))
    server.start()
    assert log.stat().st_size < 10_000


@pytest.mark.parametrize(
    ("version", "said"),
    [
        pytest.param("16", "pg_dumpall -h 127.0.0.1", id="bundled"),
        pytest.param("19", "pg_dumpall of the release", id="unknown"),
    ],
)
def test_data_of_another_postgres_are_refused(fresh: EmbeddedServer, version: str, said: str):
    data = fresh.folder / f"pg{version}"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text(f"{version}\n")
    with pytest.raises(
        EmbeddedServerError, match=f"pg{version} was made by Postgres {version}"
    ) as no:
        fresh.start()
    assert said in str(no.value)
    assert [each.name for each in data.iterdir()] == ["PG_VERSION"]
    assert not fresh.data.exists()


def test_data_of_another_postgres_in_our_place_are_refused(server: EmbeddedServer):
    server.stop()
    (server.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedServerError, match="pg18 was made by Postgres 17"):
        server.start()
    (server.data / "PG_VERSION").write_text("18\n")
    assert server.start()


def test_data_without_their_password_are_left_alone(server: EmbeddedServer):
    server.start()
    server.stop()
    kept = (server.folder / server_file.NAME).rename(server.home / "kept.json")
    with pytest.raises(EmbeddedServerError, match="put that file back"):
        server.start()
    kept.rename(server.folder / server_file.NAME)
    assert server.start()


def test_a_broken_program_is_reported_with_its_words(
    fresh: EmbeddedServer, open_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    broken = open_folder / "broken"
    broken.write_text("#!/bin/sh\necho torn\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(binaries, "program", lambda *_: broken)
    with pytest.raises(EmbeddedServerError, match=r"initdb\.log ends with\ntorn"):
        fresh.start()
    monkeypatch.undo()
    assert fresh.start()


def test_a_server_that_refuses_to_start_is_reported_with_its_words(server: EmbeddedServer):
    server.start()
    server.stop()
    configuration = server.data / "postgresql.auto.conf"
    before = configuration.read_text()
    configuration.write_text("no_such_setting = 1\n")
    with pytest.raises(
        EmbeddedServerError, match=r"server\.log ends with\n(.*\n)*.*no_such_setting"
    ):
        server.start()
    configuration.write_text(before)
    assert server.start()


@as_root
def test_a_home_closed_to_the_server_stays_closed(tmp_path: Path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedServer(closed / "home")
    before = [stat.S_IMODE(each.stat().st_mode) for each in (closed, *closed.parents)]
    try:
        server.start()
        assert server.data.is_relative_to(unprivileged.BASE)
        assert server.data == EmbeddedServer(closed / "home").data
        after = [stat.S_IMODE(each.stat().st_mode) for each in (closed, *closed.parents)]
        assert before == after
    finally:
        remove_server(server)


@as_root
def test_programs_closed_to_the_server_are_copied_once(
    fresh: EmbeddedServer, tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = binaries.install_folder().parent
    for part in (package / "pginstall18", package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, closed / part.relative_to(package.parent), symlinks=True)
    install = closed / package.name / "pginstall18"
    monkeypatch.setattr(binaries, "install_folder", lambda: install)
    monkeypatch.setattr(unprivileged, "BASE", open_folder / "base")
    fresh.start()
    [copy] = (open_folder / "base").iterdir()
    assert answer(fresh.admin_url(), "SHOW server_version").startswith("18")  # type: ignore[union-attr]
    made = copy.stat().st_ctime_ns
    fresh.stop()
    fresh.start()
    assert copy.stat().st_ctime_ns == made


@as_root
def test_the_server_does_not_run_as_root(server: EmbeddedServer):
    server.start()
    assert server.data.stat().st_uid != 0
    assert server.folder.stat().st_uid == 0


@as_root
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_it_works_for_an_ordinary_user(open_folder: Path):
    nobody = unprivileged.Account(65534, 65534)
    if not unprivileged.can_run(nobody, binaries.program(binaries.install_folder(), "postgres")):
        pytest.skip("the programs lie where only root can reach them")
    theirs = open_folder / "theirs"
    theirs.mkdir()
    nobody.owns(theirs)
    server = EmbeddedServer(theirs / "home")
    child = os.fork()  # not a new process: its Python may lie where only root can reach it
    if child == 0:
        failed = 1
        try:
            os.setgroups([])
            os.setgid(nobody.gid)
            os.setuid(nobody.uid)
            failed = 0 if server.start() and answer(server.url()) == "authenticator" else 1
        finally:
            os._exit(failed)
    _, status = os.waitpid(child, 0)
    try:
        assert status == 0
        assert server.data.stat().st_uid == nobody.uid
    finally:
        remove_server(server)
