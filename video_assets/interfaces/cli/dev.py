"""`video-assets dev`: database, Dagster's daemon, sensors and web UI, for as long as it runs."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer
from filelock import FileLock, Timeout
from rich.console import Console

from video_assets.interfaces.cli import leash
from video_assets.interfaces.cli.faults import MACHINE, USAGE, tell
from video_assets.interfaces.cli.metrics import metrics_served
from video_assets.interfaces.cli.planned import quiet_dagster
from video_assets.interfaces.cli.stopping import Stop
from video_assets.presets.model import load_preset
from video_assets.settings import Settings, load_settings
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postmaster import free_port, is_port_free
from video_assets.storage.server_file import tail

HOST = "127.0.0.1"
READY_WITHIN_S = 180.0
LOOK_S = 0.5


def dev(
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Of the web UI; another if taken.")
    ] = 3000,
) -> None:
    """Run the Dagster UI, its daemon and the watch folders on this catalogue, until Ctrl-C."""
    settings = load_settings()
    is_started = settings.is_embedded and EmbeddedServer(settings.home).start()
    open_catalogue(settings).close()
    with _only_one(settings), Stop(), metrics_served(settings):
        try:
            code = _serve(settings, _choose_port(port), is_started=is_started)
        except KeyboardInterrupt:
            code = 0
    raise typer.Exit(code)


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Refuse a second one on the same home: two daemons would only disturb each other."""
    lock = FileLock(settings.home / "dev.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell(f"`video-assets dev` runs already on {settings.home}; use it, or end it first")
        raise typer.Exit(USAGE) from None
    try:
        yield
    finally:
        lock.release()


def _serve(settings: Settings, port: int, *, is_started: bool) -> int:
    """Run Dagster until it ends or is told to; give the exit code."""
    log = settings.home / "logs" / "dev.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as words:
        process = _start(settings, port, words, is_started=is_started)
    try:
        if not _wait_until_it_answers(process, port):
            tell(f"Dagster does not answer; {log} ends with\n{tail(log)}")
            return MACHINE
        _welcome(settings, port, log)
        process.wait()
        tell(f"Dagster ended by itself; {log} ends with\n{tail(log)}")
        return MACHINE
    finally:
        if process.stdin is not None:
            process.stdin.close()  # lets the leash go
        if process.poll() is None:
            tell("stopping…")
        process.wait()


def _start(
    settings: Settings, port: int, words: IO[bytes], *, is_started: bool
) -> "subprocess.Popen[bytes]":
    """Start Dagster on a leash, in a process group that the terminal's Ctrl-C does not reach."""
    quiet_dagster()
    from video_assets.automation.instance import open_instance, project_file, set_pools
    from video_assets.resources import DEFAULT_PRESET

    with open_instance(settings) as instance:
        set_pools(instance, load_preset(DEFAULT_PRESET).worker_config)
    options = [leash.STOP_DATABASE, str(settings.home)] if is_started else []
    workspace = str(project_file("workspace.yaml"))
    dagster = [sys.executable, "-m", "dagster", "dev", "-w", workspace]
    return subprocess.Popen(
        [
            *(sys.executable, "-m", leash.__name__, *options, "--"),
            *(*dagster, "-h", HOST, "-p", str(port)),
        ],
        stdin=subprocess.PIPE,
        stdout=words,
        stderr=subprocess.STDOUT,
        cwd=settings.dagster_home,
        env=_environment(),
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    """Let Dagster find its own programs and this package, wherever it is run from."""
    programs = str(Path(sys.executable).parent)
    source = str(Path(__file__).parents[3])
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return {
        **os.environ,
        "PATH": os.pathsep.join([programs, os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join([source, *(path for path in paths if path)]),
        "PYTHONWARNINGS": "ignore",
    }


def _choose_port(wanted: int) -> int:
    if is_port_free(wanted):
        return wanted
    port = free_port()
    tell(f"port {wanted} is taken, so it is {port} this time")
    return port


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", port: int) -> bool:
    tell("starting Dagster…")
    deadline = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/server_info", timeout=5) as answer:
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(LOOK_S)
    return False


def _welcome(settings: Settings, port: int, log: Path) -> None:
    console = Console()
    console.print(f"Dagster UI  http://{HOST}:{port}", highlight=False)
    watched = ", ".join(str(folder.path) for folder in settings.watch)
    hint = f"none; name some in {settings.settings_file}:\n            [[watch]] path = …"
    for name, value in (("Watching", watched or hint), ("Log", str(log))):
        console.print(f"{name:<12}{value}", highlight=False, markup=False, soft_wrap=True)
    console.print("Ctrl-C stops it.")
