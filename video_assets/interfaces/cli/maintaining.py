"""What commands share that remove something: the open home, and a clear yes before they do."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from video_assets.interfaces.cli.faults import USAGE, tell
from video_assets.interfaces.cli.planned import quiet_dagster
from video_assets.interfaces.cli.reading import NO_CATALOGUE, leave
from video_assets.settings import load_settings
from video_assets.storage import dagster_database
from video_assets.storage.catalogue import open_existing

if TYPE_CHECKING:
    from video_assets.automation.maintenance import Home

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@contextmanager
def home(by: str) -> "Iterator[Home]":
    """Open the catalogue and Dagster's storage beside it, and make neither."""
    settings = load_settings()
    catalogue = open_existing(settings)
    if catalogue is None:
        leave(NO_CATALOGUE)
    quiet_dagster()
    from video_assets.automation import instance
    from video_assets.automation.maintenance import Home

    with closing(catalogue):
        dagster_database.start(settings)
        with instance.open_instance(settings) as dagster:
            yield Home(dagster, catalogue, settings, by=by)


def confirm(word: str, *, yes: bool) -> None:
    """Go on only if a person types the word, or said yes before."""
    if yes:
        return
    if not sys.stdin.isatty():
        tell("nobody is there to ask; add --yes to do it, or --dry-run to look")
        raise typer.Exit(USAGE)
    typed = typer.prompt(f"Type {word} to go on", default="", show_default=False)
    if typed.strip() != word:
        tell("that is something else, so nothing was removed")
        raise typer.Exit(USAGE)
