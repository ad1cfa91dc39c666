"""Dagster's services behind a command: one command on a home, and everything on its leash."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from filelock import FileLock, Timeout

from video_assets.interfaces.cli import leash
from video_assets.interfaces.cli.faults import USAGE, tell
from video_assets.interfaces.cli.planned import quiet_dagster
from video_assets.presets.model import load_preset
from video_assets.settings import Settings
from video_assets.storage import run_queue


class Services:
    """The services that a leash runs for this command."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        """Take the leash, and where everything on it writes."""
        self.process = process
        self.log = log

    def drain(self) -> None:
        """Let the clips in hand be finished, and end."""
        if self.process.stdin is not None and self.process.poll() is None:
            self.process.stdin.write(leash.DRAIN)
            self.process.stdin.flush()

    def let_go(self) -> None:
        """End everything, and wait for it."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait()


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Refuse a second one on the same home: two daemons would only disturb each other."""
    lock = _lock(settings)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell(
            f"`video-assets dev` or `worker` runs already on {settings.home}; use it, or end it "
            "first"
        )
        raise typer.Exit(USAGE) from None
    try:
        yield
    finally:
        lock.release()


def is_running(settings: Settings) -> bool:
    """Tell whether `dev` or `worker` runs on a home."""
    try:
        with _lock(settings).acquire(timeout=0):
            return False
    except Timeout:
        return True


def _lock(settings: Settings) -> FileLock:
    settings.home.mkdir(parents=True, exist_ok=True)
    return FileLock(settings.home / "dev.lock")


@contextmanager
def running(
    settings: Settings, options: Sequence[str], *, environment: dict[str, str] | None = None
) -> Iterator[Services]:
    """Run Dagster's services while the block runs, and end all that they started.

    options      of the leash
    environment  what the services are told beside the settings
    """
    prepare(settings)
    log = settings.home / "logs" / "dev.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", leash.__name__, str(settings.home), *options],
            stdin=subprocess.PIPE,
            stdout=words,
            stderr=subprocess.STDOUT,
            cwd=settings.dagster_home,
            env={**_environment(), **(environment or {})},
            start_new_session=True,  # the terminal's Ctrl-C is for the command alone
        )
    services = Services(process, log)
    try:
        yield services
    finally:
        services.let_go()
        _end_orphans(settings)
        _end_runs(settings)


def prepare(settings: Settings) -> None:
    """Make Dagster's storage ready, with a pool for each lane."""
    quiet_dagster()
    from video_assets.automation.instance import open_instance, set_pools

    with open_instance(settings) as instance:
        set_pools(instance, load_preset(settings.preset).worker_config)


def _end_orphans(settings: Settings) -> None:
    """End what a leash left that was killed itself."""
    for process in leash.marked(settings.home):
        process.kill()


def _end_runs(settings: Settings) -> None:
    """End the runs whose processes are gone; a database that was stopped too learns it later.

    Raises DatabaseUnreachableError for one that nobody here has stopped.
    """
    from video_assets.automation.instance import open_instance
    from video_assets.run_process import end_dead_runs

    if run_queue.answers(settings):
        with open_instance(settings) as instance:
            end_dead_runs(instance)


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
