"""The command line's front door."""

from importlib.metadata import version
from typing import Annotated

import typer

app = typer.Typer(
    name="video-assets",
    help="Turn folders of camera footage into a searchable catalogue.",
    no_args_is_help=True,
)


def print_version(wanted: bool) -> None:
    """Answer --version."""
    if wanted:
        typer.echo(f"video-assets {version('video-assets')}")
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
    app()
