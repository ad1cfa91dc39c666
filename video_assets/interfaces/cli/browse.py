"""`video-assets list` and `info`: which clips there are, and everything about one of them."""

from enum import Enum
from typing import Annotated

import typer
from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

from video_assets.interfaces.cli import clip_details
from video_assets.interfaces.cli.reading import (
    NO_CATALOGUE,
    JsonOption,
    LimitOption,
    leave,
    one_clip,
    reading,
    where_processed,
)
from video_assets.interfaces.cli.wording import (
    ID_LENGTH,
    cell,
    console,
    duration,
    new_table,
    page_note,
    rate,
    resolution,
    say,
    say_json,
    short_id,
    shorten,
    size,
)
from video_assets.storage.browse import ListedClip, ListedClips
from video_assets.storage.counts import State

HEADINGS = ("ID", "File", "Duration", "Resolution", "FPS", "Codec", "Size", "Progress")
SHORTEST_NAME = 10
GAP = 1  # between columns; with two, 80 columns leave no room for a name
STATE_STYLES = {"complete": "green", "failed": "red", "processing": "yellow", "waiting": "dim"} | {
    "missing": "magenta"
}
STATE_SIGNS = {"complete": "", "failed": " ✗", "processing": "", "waiting": "", "missing": " ?"}


class ListedState(str, Enum):
    """States to list by."""

    COMPLETE = "complete"
    PROCESSING = "processing"
    FAILED = "failed"
    WAITING = "waiting"
    MISSING = "missing"


class Order(str, Enum):
    """Orders to list in."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    DURATION = "duration"
    SIZE = "size"
    PROGRESS = "progress"


def list_clips(
    limit: LimitOption = 20,
    status: Annotated[
        ListedState | None, typer.Option("--status", "-s", help="Only clips in this state.")
    ] = None,
    sort: Annotated[Order, typer.Option("--sort", help="Which come first.")] = Order.NEWEST,
    as_json: JsonOption = False,
) -> None:
    """List the clips of the catalogue, newest first."""
    state: State | None = status.value if status else None
    with reading() as opened:
        page = ListedClips(0, [])
        if opened.browser:
            page = opened.browser.list_clips(state=state, sort=sort.value, at_most=limit)
    if as_json:
        say_json({"total": page.total, "shown": len(page.clips), "clips": page.clips})
    elif page.clips:
        terminal = console()
        terminal.print(_table(page, width=terminal.width))
        say(
            page_note(len(page.clips), page.total)
            or (f"{page.total:,} clips" if page.total > 1 else "1 clip")
        )
    elif opened.browser is None:
        say(NO_CATALOGUE)
    elif state:
        say(f"no clip is {state}; `video-assets status` counts the others")
    else:
        adds = where_processed("video-assets ingest FOLDER")
        say(f"the catalogue has no clips; {adds} adds some")


def info(
    clip: Annotated[
        str, typer.Argument(help="Id or checksum, or the beginning of one; file name or path.")
    ],
    transcript: Annotated[
        bool, typer.Option("--transcript", help="With every word that is spoken.")
    ] = False,
    analysis: Annotated[
        bool, typer.Option("--analysis", help="With what the analyzers wrote of it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show everything that is known of one clip."""
    with reading() as opened:
        name = one_clip(opened.browser, clip)
        details = opened.browser.details(name.id) if opened.browser else None
        if details is not None:
            opened.artifacts.bring_all(each.name for each in details.artifacts)
    if details is None:
        leave(f"{name.file_path} has just been removed from the catalogue")
    if as_json:
        say_json(clip_details.as_document(details, opened.settings.artifacts_dir))
        return
    terminal = console()
    parts = clip_details.show(
        details,
        opened.settings.artifacts_dir,
        width=terminal.width,
        transcript=transcript,
        analysis=analysis,
    )
    terminal.print(Group(*parts), crop=False)


def _table(page: ListedClips, *, width: int) -> Table:
    table = new_table(gap=GAP)
    for heading in HEADINGS:
        is_text = heading in ("ID", "File", "Codec")
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=True)
    rows = [_facts(clip) for clip in page.clips]
    taken = sum(
        max(cell_len(text) for text in (heading, *(row[place].plain for row in rows)))
        for place, heading in enumerate(HEADINGS[2:])
    )
    name_width = max(SHORTEST_NAME, width - taken - ID_LENGTH - GAP * len(HEADINGS))
    for clip, facts in zip(page.clips, rows, strict=True):
        table.add_row(cell(short_id(clip.id)), cell(shorten(clip.file_name, name_width)), *facts)
    return table


def _facts(clip: ListedClip) -> list[Text]:
    return [
        cell(duration(clip.duration_seconds)),
        cell(resolution(clip.display_width, clip.display_height)),
        cell(("~" if clip.is_vfr else "") + rate(clip.frame_rate)),
        cell(shorten(clip.codec, 10) if clip.codec else None),
        cell(size(clip.file_size_bytes)),
        cell(f"{clip.progress}%{STATE_SIGNS[clip.state]}", STATE_STYLES[clip.state]),
    ]
