"""`video-assets watch`: the folders whose new files become clips by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.text import Text

from video_assets.interfaces.cli.identity import identify, word_for
from video_assets.interfaces.cli.ingest import PATTERN_HELP
from video_assets.interfaces.cli.reading import JsonOption, leave
from video_assets.interfaces.cli.settings_file import add_watched, remove_watched
from video_assets.interfaces.cli.wording import cell, clean, console, new_table, say, say_json
from video_assets.media.discovery import absolute
from video_assets.presets.model import load_preset
from video_assets.settings import LOCAL, Settings, WatchFolder, load_settings
from video_assets.storage import owners
from video_assets.storage.catalogue import open_existing
from video_assets.storage.postgres import Postgres
from video_assets.storage.survey import count_places

app = typer.Typer(
    help="Folders whose new files become clips by themselves, while `video-assets dev` runs.",
    no_args_is_help=True,
)
FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER")]


@dataclass(frozen=True)
class Watched:
    """A watched folder as it stands."""

    path: str
    preset: str | None
    owner: str
    pattern: str | None
    ignore: tuple[str, ...]
    recursive: bool
    local_only: bool
    state: str
    known_files: int
    missing_files: int


@app.command("list")
def list_watched(as_json: JsonOption = False) -> None:
    """List the watched folders: what is taken, and how many of their files are known or missing."""
    settings = load_settings()
    watched = _watched(settings)
    if as_json:
        say_json({"settings_file": str(settings.settings_file), "watch": watched})
        return
    if not watched:
        say("no folder is watched; `video-assets watch add FOLDER` adds one")
        return
    table = new_table()
    for heading in ("Folder", "Takes", "State"):
        table.add_column(heading, overflow="fold")
    for heading in ("Known", "Missing"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in watched:
        style = "" if each.state == "there" else "red"
        table.add_row(
            cell(each.path),
            cell(_takes(each)),
            cell(each.state, style),
            Text(f"{each.known_files:,}"),
            Text(f"{each.missing_files:,}"),
        )
    console().print(table)


@app.command()
def add(
    folder: FolderArgument,
    pattern: Annotated[
        str | None,
        typer.Option("--pattern", "-p", help=PATTERN_HELP, show_default="every video format"),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset", help="Which steps its clips get, and how.", show_default="default"
        ),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(
            "--owner",
            help="Whose clips they are: a user's id or address.",
            show_default="who is signed in",
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore", metavar="RULE", help="Leave out, as in .gitignore; may be repeated."
        ),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive/--no-recursive", help="Look into folders inside it.")
    ] = True,
    local_only: Annotated[
        bool,
        typer.Option("--local-only", help="Ask no service elsewhere about clips in the folder."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Watch a folder: its files become clips once they are no longer being written.

    It is written into the settings file. A file .videoassetsignore in a
    folder says what is left out there, in the form of .gitignore.
    """
    settings = load_settings()
    if preset is not None:
        load_preset(preset)
    try:
        watched = WatchFolder(
            path=absolute(folder.expanduser()),
            owner=_named(settings, owner) if owner else word_for(identify(settings)),
            preset=preset,
            pattern=pattern,
            ignore=tuple(ignore or ()),
            recursive=recursive,
            local_only=local_only,
        )
    except ValidationError as error:
        said = (each["msg"].removeprefix("Value error, ") for each in error.errors())
        leave("; ".join(said))
    _refuse(settings, watched.path)
    if not (settings.is_embedded and watched.owner == LOCAL):
        with _catalogue(settings) as catalogue:
            if catalogue is not None:
                owners.require(catalogue, watched.owner_id)
    add_watched(settings, watched)
    if as_json:
        say_json({"added": str(watched.path), "settings_file": str(settings.settings_file)})
    else:
        say(f"{watched.path} is watched while `video-assets dev` runs")


@app.command()
def remove(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Watch a folder no more; its clips stay as they are."""
    settings = load_settings()
    path = absolute(folder.expanduser())
    if path not in {each.path for each in settings.watch}:
        known = ", ".join(str(each.path) for each in settings.watch) or "none"
        leave(f"{path} is not watched; watched are: {known}")
    remove_watched(settings, path)
    if as_json:
        say_json({"removed": str(path), "settings_file": str(settings.settings_file)})
    else:
        say(f"{path} is watched no more; its clips stay")


def _refuse(settings: Settings, path: Path) -> None:
    """Refuse a folder that is not there, is our own, or would be looked at twice."""
    if not path.is_dir():
        leave(f"{path}: there is no such folder; is its drive connected?")
    real, home = path.resolve(), settings.home.resolve()
    if real.is_relative_to(home):
        leave(f"{path} lies in {settings.home}, where video-assets keeps its own files")
    for each in settings.watch:
        other = each.path.resolve()
        if real == other:
            leave(f"{path} is watched already; `video-assets watch remove` it to change how")
        if real.is_relative_to(other):
            leave(f"{path} lies in {each.path}, which is watched with all that lies in it")
        if other.is_relative_to(real):
            leave(f"{each.path} in it is watched already; `video-assets watch remove` that first")


def _watched(settings: Settings) -> list[Watched]:
    if not settings.watch:
        return []
    with _catalogue(settings) as catalogue:
        return [_stand(each, catalogue) for each in settings.watch]


def _stand(folder: WatchFolder, catalogue: Postgres | None) -> Watched:
    known = missing = 0
    state = "there" if folder.path.is_dir() else "not there; is its drive connected?"
    if catalogue is not None:
        known, missing = count_places(catalogue, folder.owner_id, folder.path)
        if owners.find(catalogue, folder.owner) is None:
            state = "its owner has no account"
    about = folder.model_dump(exclude={"path"})
    return Watched(
        path=str(folder.path), **about, state=state, known_files=known, missing_files=missing
    )


def _named(settings: Settings, word: str) -> str:
    """An owner as settings name them: an address, which may change, by its account's id."""
    if "@" not in word:
        return word
    with _catalogue(settings) as catalogue:
        found = owners.find(catalogue, word) if catalogue is not None else None
    if found is None:
        leave(f"there is no owner {clean(word)}; give an id or an address")
    return str(found)


@contextmanager
def _catalogue(settings: Settings) -> Iterator[Postgres | None]:
    catalogue = open_existing(settings)
    try:
        yield catalogue
    finally:
        if catalogue is not None:
            catalogue.close()


def _takes(each: Watched) -> str:
    parts = [each.pattern or "every video format"]
    parts += [] if each.recursive else ["not in folders inside it"]
    parts += [f"without {', '.join(each.ignore)}"] if each.ignore else []
    parts += ["nothing of it leaves this machine"] if each.local_only else []
    parts += [f"preset {each.preset}"] if each.preset else []
    parts += [f"for {each.owner}"] if each.owner != LOCAL else []
    return clean("; ".join(parts))
