"""Servers that tests and benchmarks start, and have to leave no trace of."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from video_assets.storage import binaries, unprivileged
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postmaster import HOST, Control, is_port_free
from video_assets.storage.unprivileged import BASE

PORTS = range(15_000, 30_000)  # below those that systems give to whoever asks for any


def quiet_port() -> int:
    """A port at which nobody listens, nor will soon: no system gives it to who asks for any."""
    while not is_port_free(port := secrets.choice(PORTS)):
        pass
    return port


def remove_server(server: EmbeddedServer) -> None:
    """Stop a server and remove all of its data, wherever it lies."""
    data = server.data
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)
    if data.is_relative_to(BASE):  # the home was closed to the server's account
        shutil.rmtree(data.parents[1], ignore_errors=True)


@contextmanager
def server_of(major: int) -> Iterator[str]:
    """Run a server of a certain version, and give its address as superuser."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:  # where its account may enter
        folder = Path(name)
        control = _control(major, folder)
        log = folder / "output.log"
        password = control.data.with_name("password")
        password.write_text(secrets.token_hex(16))
        if control.account is not None:
            control.account.owns(password)
        made = ("-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8", f"--pwfile={password}")
        command = ["initdb", "-D", control.data, "--auth=scram-sha-256", *made]
        assert control.run(command, log) == 0, log.read_text()
        port = quiet_port()
        assert control.start(port, log) == 0, log.read_text()
        try:
            yield f"postgresql://postgres:{password.read_text()}@{HOST}:{port}/postgres"
        finally:
            control.stop(log)


def _control(major: int, folder: Path) -> Control:
    install, data = binaries.install_folder(major), folder / "data"
    account = unprivileged.server_account(data)
    if account is not None:
        folder.chmod(0o755)
        data.mkdir()
        account.owns(data)
        if not unprivileged.can_run(account, binaries.program(install, "postgres")):
            install = binaries.copy_for_everyone(install, folder)
    return Control(install, data, account)
