"""The command line's front door."""

import signal
import sys
import traceback
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from video_assets.interfaces.cli import browse, db, presets, runs, search, watch
from video_assets.interfaces.cli.backfill import backfill
from video_assets.interfaces.cli.cleanup import cleanup
from video_assets.interfaces.cli.dev import dev
from video_assets.interfaces.cli.doctor import doctor
from video_assets.interfaces.cli.erase import erase
from video_assets.interfaces.cli.export import export
from video_assets.interfaces.cli.failures import failures
from video_assets.interfaces.cli.faults import EPILOGUE, MACHINE, ToldGroup, tell
from video_assets.interfaces.cli.forget import forget
from video_assets.interfaces.cli.ingest import ingest
from video_assets.interfaces.cli.list_steps import list_steps
from video_assets.interfaces.cli.monitor import monitor
from video_assets.interfaces.cli.quick import quick_process
from video_assets.interfaces.cli.stale import stale
from video_assets.interfaces.cli.status import status
from video_assets.interfaces.cli.worker import worker

app = typer.Typer(
    name="video-assets",
    cls=ToldGroup,
    help="Turn folders of camera footage into a searchable catalogue.",
    epilog=EPILOGUE,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(ingest)
app.command()(quick_process)
app.command()(backfill)
app.command()(stale)
app.command()(failures)
app.command("list")(browse.list_clips)
app.command()(browse.info)
app.command()(status)
app.command()(monitor)
app.command()(list_steps)
app.command()(export)
app.command()(cleanup)
app.command()(forget)
app.command()(erase)
app.command()(dev)
app.command()(worker)
app.command()(doctor)
app.add_typer(search.search, name="search")
app.add_typer(runs.app, name="runs")
app.add_typer(watch.app, name="watch")
app.add_typer(presets.app, name="presets")
app.add_typer(db.app, name="db")


def print_version(wanted: bool) -> None:
    """Answer --version."""
    if wanted:
        try:
            typer.echo(f"video-assets {version('video-assets')}")
        except PackageNotFoundError:
            typer.echo("video-assets, run from its source and not installed")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Say which version."),
    ] = False,
) -> None:
    """Turn folders of camera footage into a searchable catalogue."""


def main() -> None:
    """Run the command that the arguments name."""
    try:
        app()
    except Exception as error:  # noqa: BLE001  the last one to answer for it
        traceback.print_exc()
        tell(
            f"this is a bug of video-assets ({type(error).__name__}); please report the lines above"
        )
        sys.exit(MACHINE)
    finally:
        # All is said; ending our own workers takes a moment that nothing should cut short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
