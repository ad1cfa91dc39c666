"""`video-assets dev`: database, Dagster's daemon, sensors and web UI, for as long as it runs."""

import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from video_assets.interfaces.cli import leash
from video_assets.interfaces.cli.faults import MACHINE, tell
from video_assets.interfaces.cli.metrics import metrics_served
from video_assets.interfaces.cli.services import only_one, running
from video_assets.interfaces.cli.stopping import Stop
from video_assets.settings import Settings, load_settings
from video_assets.storage import dagster_database
from video_assets.storage.artifact_store import open_store
from video_assets.storage.catalogue import open_catalogue, require_database
from video_assets.storage.postmaster import HOST, free_port, is_port_free
from video_assets.storage.server_file import tail

READY_WITHIN_S = 180.0
LOOK_S = 0.5


def dev(
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Of the web UI; another if taken.")
    ] = 3000,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Nobody can start or change anything in the UI.")
    ] = False,
) -> None:
    """Run the Dagster UI, its daemon and the watch folders on this catalogue, until Ctrl-C."""
    settings = load_settings()
    require_database(settings)
    is_started = dagster_database.start(settings)
    with closing(open_catalogue(settings)) as catalogue:
        catalogue.confirm_sessions()
        open_store(settings, catalogue)  # or every run would fail for want of a key
    with only_one(settings), Stop(), metrics_served(settings):
        try:
            code = _serve(
                settings, _choose_port(port), is_started=is_started, is_read_only=read_only
            )
        except KeyboardInterrupt:
            code = 0
    raise typer.Exit(code)


def _serve(settings: Settings, port: int, *, is_started: bool, is_read_only: bool) -> int:
    """Run Dagster until it ends or is told to; give the exit code."""
    options = [leash.WEB, str(port)]
    options += [leash.READ_ONLY] if is_read_only else []
    options += [leash.STOP_DATABASE] if is_started else []
    with running(settings, options) as services:
        try:
            if not _wait_until_it_answers(services.process, port):
                tell(f"Dagster does not answer; {services.log} ends with\n{tail(services.log)}")
                return MACHINE
            _welcome(settings, port, services.log)
            services.process.wait()
            tell(f"Dagster ended by itself; {services.log} ends with\n{tail(services.log)}")
            return MACHINE
        finally:
            if services.process.poll() is None:
                tell("stopping…")


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
