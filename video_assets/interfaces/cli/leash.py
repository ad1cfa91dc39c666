"""The leash of `video-assets dev` and `worker`: runs Dagster's services, ends all they started.

A process of its own between the command and Dagster. The command holds its standard input open;
when that closes, because the command ended or was killed, everything on the leash ends too. A line
`drain` asks for less: no new runs, and an end when the clips in hand are finished. A service that
dies meanwhile is started again, and so is the embedded database.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml
from filelock import FileLock

from video_assets.settings import DAGSTER_URL, Settings, load_settings
from video_assets.stopping import STOP_FILE
from video_assets.storage.dagster_database import own_server
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postmaster import HOST, find_postmaster
from video_assets.storage.processes import DAEMON_FILE
from video_assets.storage.server_file import EmbeddedServerError

MARK = "VIDEO_ASSETS_LEASH"  # environment of all that is on the leash: the home it serves
WEB, READ_ONLY, STOP_DATABASE = "--web", "--read-only", "--stop-database"
DRAIN = b"drain\n"
LOOK_S = 0.5
GRACE_S = 10.0  # for services and runs to end by themselves
SOON_S = 20.0  # a service that dies so soon after its start is not simply started again
DEATHS = 5  # so soon, one after the other: what is wrong will not pass by itself
RUN = "spawn_main"  # in the command line of the processes in which the code server runs a run


@dataclass
class _Service:
    """A program that is to run for as long as the leash is held.

    began  touched whenever it is started
    """

    name: str
    command: Sequence[str | Path]
    began: Path | None = None
    process: psutil.Popen | None = None
    started_at: float = 0.0
    deaths: int = 0

    def keep(self) -> None:
        """Start it, also again after it died; raises RuntimeError when that does not help."""
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            is_soon = time.monotonic() - self.started_at < SOON_S
            self.deaths = self.deaths + 1 if is_soon else 0
            _say(f"{self.name} ended with code {self.process.returncode}; it is started again")
            if self.deaths >= DEATHS:
                raise RuntimeError(f"{self.name} ends as soon as it is started")
        self.started_at = time.monotonic()
        if self.began is not None:
            self.began.touch()
        self.process = psutil.Popen(self.command, stdin=subprocess.DEVNULL)

    def terminate(self) -> None:
        """Ask it to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


@dataclass
class _Wish:
    """What the command asks for over standard input."""

    drain: threading.Event = field(default_factory=threading.Event)
    end: threading.Event = field(default_factory=threading.Event)

    def listen(self) -> None:
        while line := os.read(sys.stdin.fileno(), len(DRAIN)):
            if line == DRAIN:
                self.drain.set()
        self.end.set()


def main(arguments: Sequence[str]) -> int:
    """Serve `HOME [--web PORT [--read-only]] [--stop-database]` until the leash is let go."""
    home, *options = arguments
    settings = load_settings(Path(home))
    server = own_server(settings)
    wish = _Wish()
    threading.Thread(target=wish.listen, daemon=True).start()
    # The one before us may still be ending what it started.
    with FileLock(settings.home / "leash.lock"), tempfile.TemporaryDirectory() as folder:
        _kill(marked(settings.home))
        stop_file = Path(folder) / "stop"
        os.environ.update({MARK: home, STOP_FILE: str(stop_file)})
        code_server, *others = _services(settings, Path(folder), options)
        try:
            while not wish.end.is_set() and not wish.drain.wait(LOOK_S):
                if server is not None:
                    _keep_database(server, [code_server, *others])
                code_server.keep()
                if _answers(Path(folder) / "code.sock"):
                    for service in others:
                        service.keep()
            if not wish.end.is_set():
                stop_file.touch()
                _end(others)
                while not wish.end.wait(LOOK_S) and _runs(code_server):
                    pass
            code = 0
        except (RuntimeError, EmbeddedServerError) as error:
            _say(str(error))
            code = 1
        _end(others, _runs(code_server))
        _kill(marked(settings.home))  # the code server has nothing to lose
        if server is not None and STOP_DATABASE in options:
            server.stop()
    return code


def marked(home: Path) -> list[psutil.Process]:
    """Find what is on the leash of a home, wherever it hangs now; never a database server."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid == os.getpid() or process.name().startswith("postgres"):
                continue
            if process.environ().get(MARK) == str(home):
                found.append(process)
    return found


def _services(settings: Settings, folder: Path, options: Sequence[str]) -> list[_Service]:
    """Name the code server, which the others reach through a socket, and the others."""
    path, workspace = folder / "code.sock", folder / "workspace.yaml"
    location = {"socket": str(path), "location_name": "video_assets"}
    workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": location}]}))
    python = (sys.executable, "-m")
    code = (*python, "dagster", "api", "grpc", "-m", "video_assets.definitions")
    daemon = (*python, "dagster._daemon", "run", "-w", workspace)
    services = [
        _Service("the code server", (*code, "-s", path, "--location-name", "video_assets")),
        _Service("the daemon", daemon, settings.dagster_home / DAEMON_FILE),
    ]
    if WEB in options:
        port = options[options.index(WEB) + 1]
        web = [*python, "dagster_webserver", "-w", workspace, "-h", HOST, "-p", port]
        if READ_ONLY in options:
            web.append("--read-only")
        services.append(_Service("the web UI", web))
    return services


def _keep_database(server: EmbeddedServer, services: Sequence[_Service]) -> None:
    """Start the server again when it is gone; where it has another port now, services must know."""
    if find_postmaster(server.data) is not None:
        return
    _say("the database was gone; it is started again")
    server.start()
    if os.environ.get(DAGSTER_URL) != server.dagster_url():
        os.environ[DAGSTER_URL] = server.dagster_url()
        _end(services)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _runs(code_server: _Service) -> list[psutil.Process]:
    """Find the processes of runs that the code server started."""
    found: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        for child in code_server.process.children() if code_server.process else ():
            with contextlib.suppress(psutil.Error):
                if any(RUN in word for word in child.cmdline()):
                    found.append(child)
    return found


def _end(services: Sequence[_Service], runs: Sequence[psutil.Process] = ()) -> None:
    """Ask services and runs to end, and wait a while."""
    for run in runs:
        with contextlib.suppress(psutil.NoSuchProcess):
            run.terminate()
    psutil.wait_procs(runs, timeout=GRACE_S)
    for service in services:
        service.terminate()
    processes = [service.process for service in services if service.process is not None]
    psutil.wait_procs(processes, timeout=GRACE_S)


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=GRACE_S)


def _say(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S %z')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
