"""`video-assets worker`: Dagster's daemon and workers on this machine, for a service manager."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Annotated

import psycopg
import typer
from rich.console import Console

from video_assets.interfaces.cli import leash
from video_assets.interfaces.cli.faults import MACHINE, tell
from video_assets.interfaces.cli.metrics import metrics_served
from video_assets.interfaces.cli.planned import quiet_dagster
from video_assets.interfaces.cli.reading import JsonOption, leave
from video_assets.interfaces.cli.services import Services, is_running, only_one, running
from video_assets.interfaces.cli.stopping import FINISHING, Stop
from video_assets.interfaces.cli.wording import say_json
from video_assets.presets.model import PipelineConfiguration, load_preset
from video_assets.presets.strict import nearest
from video_assets.settings import Settings, load_settings
from video_assets.storage import dagster_database, run_queue
from video_assets.storage.artifact_store import open_store
from video_assets.storage.catalogue import open_catalogue, require_database
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.server_file import EmbeddedServerError, tail

SILENT_S = 120.0  # daemons tell every half minute that they live


def worker(
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-w",
            min=1,
            help="Processes at most in each queue.",
            show_default="as the preset says",
        ),
    ] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option(
            "--queue",
            "-q",
            help="Only these, separated by commas; repeatable. The steps of other queues are left "
            "to others.",
            show_default="all of the preset",
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            "--config", "-c", help="Preset of clips that name none.", show_default="default"
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Tell whether one runs here and works; else exit code 3."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Process clips in the background, until it is stopped; `dev` is the same with a web UI.

    Ctrl-C or SIGTERM lets the clips in hand be finished; the second stops now.
    """
    settings = load_settings()
    require_database(settings)
    if check:
        raise typer.Exit(_check(settings, as_json=as_json))
    preset = load_preset(config or settings.preset)
    queues = _queues(queue or settings.queues, preset)
    chosen = settings.model_copy(
        update={"preset": preset.name, "queues": queues, "workers": workers or settings.workers}
    )
    is_started = dagster_database.start(settings)
    with closing(open_catalogue(settings)) as catalogue:
        catalogue.confirm_sessions()
        open_store(settings, catalogue)  # or every run would fail for want of a key
    with only_one(settings), Stop() as stop, metrics_served(settings):
        code = _serve(chosen, preset, stop, [leash.STOP_DATABASE] if is_started else [])
    raise typer.Exit(code)


def _queues(written: Sequence[str], preset: PipelineConfiguration) -> tuple[str, ...]:
    """Read the queues that were named; an empty tuple means all."""
    names = [name.strip() for part in written for name in part.split(",") if name.strip()]
    known = {step.queue for step in preset.enabled_steps()}
    for name in names:
        if name not in known:
            leave(f"preset {preset.name} has no step in queue {name!r}; {nearest(name, known)}")
    return tuple(dict.fromkeys(names))


def _serve(
    settings: Settings, preset: PipelineConfiguration, stop: Stop, options: Sequence[str]
) -> int:
    """Run the services until they end or are told to; give the exit code."""
    told = {
        "VIDEO_ASSETS_PRESET": settings.preset,
        "VIDEO_ASSETS_QUEUES": json.dumps(settings.queues),
        "VIDEO_ASSETS_WORKERS": str(settings.workers or ""),
    }
    with running(settings, options, environment=told) as services:
        for line in _welcome(settings, preset, services):
            Console().print(line, highlight=False, markup=False, soft_wrap=True)
        try:
            services.process.wait()
        except KeyboardInterrupt:
            _drain(services)
        if not stop.asked.is_set():
            tell(f"Dagster ended by itself; {services.log} ends with\n{tail(services.log)}")
            return MACHINE
    return 0


def _drain(services: Services) -> None:
    """Wait for the clips in hand, unless somebody is in a hurry."""
    tell(FINISHING)
    services.drain()
    try:
        services.process.wait()
    except KeyboardInterrupt:
        tell("stopping now; what was finished is saved")


def _welcome(
    settings: Settings, preset: PipelineConfiguration, services: Services
) -> Iterator[str]:
    sizes = {
        lane: min(size, settings.workers or size)
        for lane, size in preset.worker_config.items()
        if not settings.queues or lane in settings.queues
    }
    lanes = ", ".join(f"{lane} {size}" for lane, size in sizes.items())
    yield f"Starting workers for queues: {lanes}"
    yield f"Preset      {preset.name}"
    yield f"Log         {services.log}"
    yield "Ctrl-C stops it when the clips in hand are finished; a second one stops it now."


def _check(settings: Settings, *, as_json: bool) -> int:
    """Say what keeps a worker from working, and give the exit code."""
    faults = list(_faults(settings))
    if as_json:
        say_json({"healthy": not faults, "faults": faults})
    else:
        for fault in faults:
            tell(fault)
        if not faults:
            typer.echo("healthy")
    return MACHINE if faults else 0


def _faults(settings: Settings) -> Iterator[str]:
    if not is_running(settings):
        yield f"no worker runs on {settings.home}; start `video-assets worker`"
    try:
        dsn = settings.db_url or EmbeddedServer(settings.home).url()
        psycopg.connect(dsn, connect_timeout=5).close()
    except (psycopg.OperationalError, EmbeddedServerError) as error:
        yield f"the database does not answer: {str(error).strip().partition(chr(10))[0]}"
        return
    if not run_queue.answers(settings):
        yield "Dagster's database does not run"
        return
    quiet_dagster()
    from video_assets.automation.instance import open_instance

    with open_instance(settings) as instance:
        heard = instance.get_daemon_heartbeats()
        for daemon in instance.get_required_daemon_types():
            if daemon not in heard:
                yield f"Dagster's daemon {daemon} has not begun yet"
            elif (silent_s := time.time() - heard[daemon].timestamp) > SILENT_S:
                yield f"Dagster's daemon {daemon} has been silent for {silent_s:.0f} s"
