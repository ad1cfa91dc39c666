"""`video-assets artifacts`: where thumbnails, proxies and the like lie, and moving them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from video_assets.artifact_place import checked_place
from video_assets.interfaces.cli import settings_file
from video_assets.interfaces.cli.faults import FAILED
from video_assets.interfaces.cli.progress import Meter
from video_assets.interfaces.cli.reading import (
    NO_CATALOGUE,
    JsonOption,
    Reading,
    leave,
    one_clip,
    reading,
)
from video_assets.interfaces.cli.services import is_running
from video_assets.interfaces.cli.wording import clean, counted, say, say_json, size
from video_assets.settings import Settings
from video_assets.storage.objects import NoObjectError
from video_assets.storage.postgres import Postgres

if TYPE_CHECKING:
    from video_assets.storage.artifact_copies import Copies
    from video_assets.storage.artifact_move import Move, Moved

HOME = "home"
NAMES_SHOWN = 20

app = typer.Typer(
    help="Thumbnails, proxies and the like: where they lie, and moving them.",
    no_args_is_help=True,
)


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Tell where files made from clips lie, and whether all of them are there."""
    with _opened() as (opened, catalogue):
        from video_assets.storage.artifact_state import look
        from video_assets.storage.artifact_store import open_store

        settings, store = opened.settings, open_store(opened.settings, catalogue)
        state = look(store) if store else None
    if as_json:
        say_json(
            {"url": settings.artifacts.url, "folder": settings.artifacts_dir}
            | ({} if state is None else asdict(state))
        )
    elif state is None:
        say(f"Files made from clips lie in {settings.artifacts_dir}.")
    else:
        say(f"{state.name}: {counted(state.files, 'file')}, {size(state.size_bytes)}")
        say(
            f"Cached in {settings.artifacts_dir}: {size(state.cached_bytes)} of "
            f"{size(state.cache_bytes)}"
        )
        if not state.is_whole:
            say(
                "Files of earlier results are not there: "
                f"`video-assets artifacts move --to {settings.artifacts.url}` brings them."
            )
    if state is not None and state.trouble:
        say(state.trouble, error=True)
        raise typer.Exit(FAILED)


@app.command()
def move(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="URL",
            help="supabase://artifacts, s3://BUCKET/FOLDER, gs://BUCKET/FOLDER, file:///FOLDER, or "
            f"`{HOME}` for the home folder.",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be copied, and change nothing.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Then remove the old files, each if the new is right.")
    ] = False,
    despite_absent: Annotated[
        bool, typer.Option("--despite-absent", help="Move although files are gone or damaged.")
    ] = False,
) -> None:
    """Move files made from clips to another place, and use that from then on.

    Every file is copied, read back and compared. Break it off as you like: the
    same command goes on from there. Stop `dev` and `worker` first, on every
    machine that works on this catalogue; where several do, change the settings
    of the others when it is done.
    """
    with _opened() as (opened, catalogue):
        try:
            url = None if to == HOME else checked_place(to)
        except ValueError as error:
            leave(f"--to {clean(to)}: {error}")
        trip = _trip(opened.settings, catalogue, url)
        left = trip.move.left()
        if dry_run:
            say(
                f"{counted(left.files, 'file')} ({size(left.size_bytes)}) would be copied to {to}. "
                "Dry run: nothing was changed."
            )
            return
        settings_file.refuse_variables("artifacts")
        if is_running(opened.settings):
            leave("`video-assets dev` or `worker` runs here; stop it first")
        moved = _copy(trip.move, left)
        _refuse(moved, despite_absent=despite_absent)
        settings_file.set_artifacts_url(opened.settings, url)
        say(f"{counted(moved.files, 'file')} ({size(moved.size_bytes)}) copied. {to} is used now.")
        if forget:
            _forget(opened.settings, trip)
        elif moved.files:
            say(f"The old files are still there; `artifacts move --to {to} --forget` removes them.")


@app.command()
def link(
    clip: Annotated[
        str, typer.Argument(help="Id or checksum, or the beginning of one; file name or path.")
    ],
    kind: Annotated[
        str | None, typer.Option("--kind", "-k", help="proxy, contact_sheet, …; by default all.")
    ] = None,
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=1440, help="How long.")] = 15,
    as_json: JsonOption = False,
) -> None:
    """Give addresses by which anybody can fetch files made from a clip, for a while."""
    with reading() as opened:
        cache = opened.artifacts
        objects, shelf = cache.objects, cache.shelf
        if objects is None or shelf is None or opened.browser is None:
            leave("files made from clips lie on this machine, and have no address for others")
        details = opened.browser.details(one_clip(opened.browser, clip).id)
        files = details.artifacts if details else []
        wanted = {each.name: each.kind for each in files if kind in (None, each.kind)}
        links = {}
        for name, kept in shelf.find(list(wanted), opened.owner).items():  # a key tells whose it is
            with suppress(NoObjectError):  # nobody has put their copy there yet
                if kept.key:
                    links[wanted[name]] = objects.link(kept.key, minutes * 60)
    if as_json:
        say_json(links)
    elif not links:
        leave(f"nothing of {clean(clip)} lies in {objects.name}")
    for each, address in ({} if as_json else links).items():
        typer.echo(f"{clean(each)}: {address}")  # whole, to be copied


@dataclass(frozen=True)
class _Trip:
    """A move, and where it goes."""

    move: "Move"
    goal: "Copies | None"


@contextmanager
def _opened() -> Iterator[tuple[Reading, Postgres]]:
    with reading() as opened:
        if opened.catalogue is None:
            leave(NO_CATALOGUE)
        yield opened, opened.database


def _trip(settings: Settings, catalogue: Postgres, url: str | None) -> _Trip:
    from video_assets.storage.artifact_copies import Copies
    from video_assets.storage.artifact_move import Move
    from video_assets.storage.artifact_store import open_cache
    from video_assets.storage.objects import open_objects

    goal = Copies(catalogue, open_objects(settings, url), settings.local_only) if url else None
    source, room_bytes = open_cache(settings, catalogue), settings.artifacts.cache_bytes
    return _Trip(Move(catalogue, source, goal, room_bytes), goal)


def _copy(move: "Move", left: "Moved") -> "Moved":
    meter = Meter()
    meter.start_reading(left.files, left.size_bytes, "Copying")
    try:
        return move.run(meter.advance_bytes)
    finally:
        meter.end_reading()


def _refuse(moved: "Moved", *, despite_absent: bool) -> None:
    """End here if not everything is in the new place."""
    for name in sorted(moved.absent)[:NAMES_SHOWN]:
        say(f"{clean(name)}: {clean(moved.absent[name])}", error=True)
    if len(moved.absent) > NAMES_SHOWN:
        say(f"and {len(moved.absent) - NAMES_SHOWN:,} more", error=True)
    if moved.busy:
        say(
            f"{counted(moved.busy, 'result')} is being made anew; run this again when that is done",
            error=True,
        )
    elif moved.absent and not despite_absent:
        say(
            "These are gone or damaged, so nothing was switched. Make them again, or add "
            "--despite-absent.",
            error=True,
        )
    if moved.busy or (moved.absent and not despite_absent):
        raise typer.Exit(FAILED)


def _forget(settings: Settings, trip: _Trip) -> None:
    from video_assets.storage.artifact_cache import Cache
    from video_assets.storage.artifact_leaving import Leaving
    from video_assets.storage.artifact_store import open_named

    goal, catalogue = trip.goal, trip.move.catalogue
    cache = Cache(settings.artifacts_dir, goal.objects if goal else None, goal)
    leaving = Leaving(catalogue, cache, goal, by="artifacts move")
    for name in leaving.other_stores():
        gone = leaving.forget(open_named(settings, name))
        say(f"{name}: {counted(gone.removed, 'file')} ({size(gone.removed_bytes)}) removed")
    if freed := leaving.empty_folder():
        say(f"{settings.artifacts_dir}: {size(freed)} removed")
