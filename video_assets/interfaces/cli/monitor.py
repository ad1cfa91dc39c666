"""`video-assets monitor`: what is in work, or how far one clip has come."""

import time
from collections.abc import Callable, Iterator
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from video_assets.interfaces.cli.clip_details import STEP_SIGNS, STEP_STYLES
from video_assets.interfaces.cli.reading import (
    NO_CATALOGUE,
    LimitOption,
    leave,
    one_clip,
    reading,
)
from video_assets.interfaces.cli.wording import (
    NONE,
    ago,
    bar,
    cell,
    console,
    listed,
    new_table,
    page_note,
    say,
    shorten,
    titled,
)
from video_assets.storage.browse import ActiveClip, ActiveClips, ClipDetails, Step

REFRESH_S = 3.0
# Longer than the daemon's look for work: until then a failure may be tried once more.
SETTLED_S = 60.0
NAME_WIDTH = 30
TITLE_WIDTH = 60
STEP_WIDTH = 14
STATUS_STYLES = {"completed": "green", "error": "red", "stalled": "magenta"}

Screen = tuple[RenderableType, bool]


def monitor(
    video: Annotated[
        str | None,
        typer.Option("--video", "-v", help="One clip: its id, checksum, file name or path."),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", "-f", help="Look again every 3 seconds; one clip until it has ended."
        ),
    ] = False,
    limit: LimitOption = 20,
) -> None:
    """Show the clips that are being processed, or the steps of one."""
    with reading() as opened:
        browser = opened.browser
        if browser is None:
            if video is not None:
                leave(NO_CATALOGUE)
            say(f"No videos currently processing; {NO_CATALOGUE}")
            return
        if video is not None:
            clip_id = one_clip(browser, video).id
            look: Callable[[], Screen] = lambda: _one(browser.details(clip_id))  # noqa: E731
        else:
            look = lambda: (_active(browser.active(at_most=limit)), False)  # noqa: E731
        _show(look, follow=follow)


def _show(look: Callable[[], Screen], *, follow: bool) -> None:
    page, is_over = look()
    if not follow:
        console().print(page)
        return
    try:
        with Live(page, console=console(), auto_refresh=False) as live:
            live.refresh()
            while not is_over:
                time.sleep(REFRESH_S)
                page, is_over = look()
                live.update(page, refresh=True)
    except KeyboardInterrupt:
        return


def _active(active: ActiveClips) -> RenderableType:
    if not active.clips:
        return Text("No videos currently processing")
    table = new_table()
    for heading in ("File", "Progress", "Step", "Status", "Time"):
        table.add_column(heading, no_wrap=True)
    for clip in active.clips:
        table.add_row(
            cell(shorten(clip.file_name, NAME_WIDTH)),
            cell(f"{bar(clip.progress)} {clip.progress}%"),
            cell(shorten(_step_of(clip), STEP_WIDTH)),
            cell(clip.status, STATUS_STYLES.get(clip.status, "yellow")),
            cell(ago(clip.seconds_since_update)),
        )
    page = titled(f"Active Processing ({active.total:,} videos)", table)
    note = page_note(len(active.clips), active.total)
    return Group(page, Text(note)) if note else page


def _step_of(clip: ActiveClip) -> str:
    """What runs, else what failed, else what is next."""
    names = clip.running_steps or clip.failed_steps
    return listed(names) if names else clip.current_step or NONE


def _one(details: ClipDetails | None) -> Screen:
    if details is None:
        return Text("the clip has been removed from the catalogue"), True
    page = Group(
        titled(f"Video: {shorten(details.clip.file_name, TITLE_WIDTH)}", _state(details)),
        Text(),
        titled("Step Timings", _timings(details.steps)),
        Text(),
        titled("Available Features", _features(details)),
    )
    return page, _is_over(details)


def _is_over(details: ClipDetails) -> bool:
    """Whether nothing more will happen to a clip by itself."""
    if details.clip.state == "complete":
        return True
    runs = any(step.state == "running" for step in details.steps)
    return details.clip.state == "failed" and not runs and details.quiet_s >= SETTLED_S


def _state(details: ClipDetails) -> Table:
    clip = details.clip
    planned = [step for step in details.steps if step.name in clip.planned_steps]
    done = sum(step.state == "done" for step in planned)
    current = [step.name for step in details.steps if step.state == "running"]
    current = current or clip.failed_steps
    table = new_table(header=False)
    table.add_row("Status", cell(clip.state))
    table.add_row("Progress", cell(f"{bar(clip.progress)} {clip.progress}%"))
    table.add_row("Current Step", cell(listed(current) if current else clip.current_step))
    table.add_row("Steps Completed", cell(f"{done}/{len(planned)}"))
    return table


def _timings(steps: list[Step]) -> Table:
    table = new_table()
    table.add_column("Step", no_wrap=True)
    table.add_column("Duration", justify="right", no_wrap=True)
    table.add_column("")
    table.add_column("", overflow="fold")
    for step in steps:
        style = STEP_STYLES[step.state]
        table.add_row(
            cell(shorten(step.name, NAME_WIDTH)),
            cell(_duration(step)),
            cell(STEP_SIGNS[step.state], style),
            Text("") if step.error is None else cell(step.error, style),
        )
    return table


def _duration(step: Step) -> str | None:
    if step.state == "running":
        return "Running..."
    return None if step.seconds is None else f"{step.seconds:.1f}"


def _features(details: ClipDetails) -> Table:
    table = new_table()
    table.add_column("Feature", no_wrap=True)
    table.add_column("")
    for name, value in _available(details):
        sign = cell("✗", "dim") if not value else cell(f"✓ {value}" if value > 1 else "✓", "green")
        table.add_row(name, sign)
    return table


def _available(details: ClipDetails) -> Iterator[tuple[str, int]]:
    clip = details.clip
    done = {step.name for step in details.steps if step.state == "done"}
    yield "Metadata", int(clip.codec is not None)
    yield "Thumbnails", len(clip.thumbnails or [])
    yield "Searchable", int(bool(done & {"description", "embeddings"}))
    yield "Transcript", int(clip.full_transcript is not None)
