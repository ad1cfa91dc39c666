"""The command line's front door."""

import gc
import signal
import sys
import traceback
from typing import Annotated

import typer

from video_assets.interfaces.cli.commands import CommandsOnDemand, list_commands
from video_assets.interfaces.cli.faults import EPILOGUE, MACHINE, tell

app = typer.Typer(
    name="video-assets",
    cls=CommandsOnDemand,
    help="Turn folders of camera footage into a searchable catalogue.",
    epilog=EPILOGUE,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
list_commands(app)


def print_version(wanted: bool) -> None:
    """Answer --version."""
    if wanted:
        from importlib.metadata import PackageNotFoundError, version  # 30 ms, for those who ask

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
    gc.disable()  # until the command is loaded: what is imported stays
    try:
        app()
    except Exception as error:  # noqa: BLE001  the last one to answer for it
        traceback.print_exc()
        tell(
            f"this is a bug of video-assets ({type(error).__name__}); please report the lines above"
        )
        sys.exit(MACHINE)
    finally:
        gc.freeze()  # the system takes all memory back at once: to look it through takes 70 ms
        # All is said; ending our own workers takes a moment that nothing should cut short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
