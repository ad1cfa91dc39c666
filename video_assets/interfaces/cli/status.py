"""`video-assets status`: how many clips stand where, what is in work, how fast, and what failed."""

import time
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from video_assets.interfaces.cli.reading import NO_CATALOGUE, JsonOption, reading
from video_assets.interfaces.cli.standing import (
    Standing,
    causes_part,
    lanes_part,
    pace_sentence,
    runs_part,
    stand,
    waits_part,
)
from video_assets.interfaces.cli.wording import (
    cell,
    clean,
    console,
    new_table,
    say,
    say_json,
    shorten,
    titled,
)
from video_assets.settings import Settings
from video_assets.slots import in_use
from video_assets.storage import run_queue
from video_assets.storage.counts import Counts, State
from video_assets.storage.pace import Pace
from video_assets.storage.postgres import Postgres
from video_assets.storage.way_in import WayIn

REFRESH_S = 2.0
NAMES: tuple[State, ...] = ("complete", "processing", "failed", "waiting", "missing")
STYLES = {"complete": "green", "done": "green", "failed": "red", "running": "yellow"} | {
    "missing": "magenta"
}


def status(
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Look again every 2 seconds, until Ctrl-C.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Count the clips by state, show runs, lanes and pace, and say why steps failed."""
    with reading() as opened:
        settings, catalogue, owner = opened.settings, opened.catalogue, opened.owner
        place = _place(settings, catalogue)
        if as_json:
            standing = stand(settings, catalogue, owner) if catalogue else _nothing(settings)
            say_json({**standing.as_document(), "database": place})
        elif catalogue is None:
            say(NO_CATALOGUE)
        elif watch:
            _watch(settings, catalogue, owner, place)
        else:
            console().print(_page(stand(settings, catalogue, owner), settings, place))


def _nothing(settings: Settings) -> Standing:
    counts = Counts(dict.fromkeys(NAMES, 0), 0, [])
    return Standing(counts, run_queue.EMPTY, in_use(settings.lanes_dir), Pace(), [], None)


def _watch(settings: Settings, catalogue: WayIn, owner: UUID, place: str | None) -> None:
    from rich.live import Live  # for those who watch

    page = _page(stand(settings, catalogue, owner), settings, place)
    try:
        with Live(page, console=console(), auto_refresh=False) as live:
            while True:
                time.sleep(REFRESH_S)
                live.update(_page(stand(settings, catalogue, owner), settings, place), refresh=True)
    except KeyboardInterrupt:
        return


def _page(standing: Standing, settings: Settings, place: str | None) -> RenderableType:
    counts = standing.counts
    parts: list[RenderableType] = [titled("Your Video Processing Status", _states(counts))]
    if counts.steps:
        parts += [Text(), titled("Steps", _steps(counts))]
    parts += [Text(), *runs_part(standing.queue)]
    parts += [Text(), *lanes_part(standing.used)]
    if standing.causes:
        parts += [Text(), *causes_part(standing.causes)]
    if waits := list(waits_part(standing, settings.budget)):
        parts += [Text(), *waits]
    parts += [Text(), Text(pace_sentence(standing.pace, is_over=standing.is_over))]
    parts.append(Text(f"Database: {clean(place)}", style="dim", overflow="fold"))
    return Group(*parts)


def _states(counts: Counts) -> Table:
    table = new_table()
    table.add_column("Status", no_wrap=True)
    table.add_column("Count", justify="right", no_wrap=True)
    for name in NAMES:
        if name != "missing" or counts.clips[name]:
            table.add_row(name, _count(counts.clips[name], name))
    table.add_row("total", f"{sum(counts.clips.values()):,}", style="bold")
    if counts.unreadable_files:
        table.add_row("unreadable files", _count(counts.unreadable_files, "failed"))
    return table


def _steps(counts: Counts) -> Table:
    table = new_table()
    table.add_column("Step", no_wrap=True)
    for heading in ("Done", "Failed", "Running", "Waiting", "Blocked"):
        table.add_column(heading, justify="right", no_wrap=True)
    for step in counts.steps:
        table.add_row(
            cell(shorten(step.step, 30)),
            _count(step.done, "done"),
            _count(step.failed, "failed"),
            _count(step.running, "running"),
            _count(step.waiting, "waiting"),
            _count(step.blocked, "blocked"),
        )
    return table


def _count(number: int, name: str) -> Text:
    return Text(f"{number:,}", style=STYLES.get(name, "") if number else "dim")


def _place(settings: Settings, catalogue: WayIn | None) -> str | None:
    """Where the database is, without its password."""
    if catalogue is None:
        return None
    is_here = settings.is_embedded and isinstance(catalogue, Postgres)
    return f"embedded in {settings.home} ({catalogue.place})" if is_here else catalogue.place
