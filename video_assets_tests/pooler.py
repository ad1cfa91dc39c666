"""A real PgBouncer in front of a database of the tests, as hosted databases have one."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from video_assets.storage.postmaster import HOST, is_port_free
from video_assets.storage.unprivileged import server_account
from video_assets_tests.servers import quiet_port

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
MISSING = "PgBouncer is not installed (Debian: apt-get install pgbouncer)"

CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = {listen}
listen_port = {listen_port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/userlist.txt
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = {clients}
logfile = {folder}/pgbouncer.log
"""


@contextmanager
def pooler(
    *urls: str, mode: str = "transaction", size: int = 3, clients: int = 50
) -> Iterator[list[str]]:
    """Run a pooler, and give the addresses by which these are reached through it.

    size     connections to the server at most, of each database and role
    clients  connections to the pooler at most
    """
    addresses = [urlsplit(url) for url in urls]
    port = quiet_port()
    # Not below pytest's own folder, which nobody else may enter.
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name:
        folder = Path(name)
        users = [f'"{each.username}" "{each.password}"\n' for each in addresses]
        (folder / "userlist.txt").write_text("".join(users))
        given = {"host": addresses[0].hostname, "port": addresses[0].port, "folder": folder}
        given |= {"listen": HOST, "listen_port": port, "mode": mode}
        given |= {"size": size, "clients": clients}
        (folder / "pgbouncer.ini").write_text(CONFIGURATION.format(**given))
        process = _start(folder)
        try:
            _wait(process, port, folder)
            yield [
                each._replace(netloc=f"{each.username}:{each.password}@{HOST}:{port}").geturl()
                for each in addresses
            ]
        finally:
            process.terminate()
            process.wait(10)


def _start(folder: Path) -> "subprocess.Popen[Any]":
    assert PGBOUNCER
    account = server_account(folder / "none")  # it refuses to run as root
    whose: dict[str, Any] = {}
    if account is not None:
        for path in (folder, *folder.iterdir()):
            account.owns(path)
        whose = {"user": account.uid, "group": account.gid, "extra_groups": []}
    return subprocess.Popen(
        [PGBOUNCER, "--quiet", str(folder / "pgbouncer.ini")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **whose,
    )


def _wait(process: "subprocess.Popen[Any]", port: int, folder: Path) -> None:
    deadline = time.monotonic() + 10
    while is_port_free(port):
        log = folder / "pgbouncer.log"
        said = log.read_text() if log.exists() else ""
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.02)
