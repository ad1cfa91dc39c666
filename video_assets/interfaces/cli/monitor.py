"""`video-assets monitor`: what is in work, how far one clip has come, or one run."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from video_assets.interfaces.cli import run_page, standing
from video_assets.interfaces.cli.clip_progress import SETTLED_S, ClipProgress, needs_of
from video_assets.interfaces.cli.faults import FAILED
from video_assets.interfaces.cli.output_runs import catch_up
from video_assets.interfaces.cli.reading import (
    NO_CATALOGUE,
    JsonOption,
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
    clean,
    console,
    listed,
    new_table,
    page_note,
    plain,
    say,
    say_json,
    shorten,
    titled,
)
from video_assets.settings import Settings
from video_assets.slots import in_use
from video_assets.storage import pace, run_progress
from video_assets.storage.browse import ActiveClip, ActiveClips, Browser

REFRESH_S = 3.0
NAME_WIDTH = 30
STEP_WIDTH = 14
STATUS_STYLES = {"completed": "green", "error": "red", "stalled": "magenta"}


@dataclass(frozen=True)
class Look:
    """One look: for people and for programs; whether it is the last, and something failed."""

    page: RenderableType
    document: dict[str, Any]
    is_over: bool
    has_failed: bool


def monitor(
    video: Annotated[
        str | None,
        typer.Option("--video", "-v", help="One clip: its id, checksum, file name or path."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option("--run", "-r", help="One run: how its id begins, or `latest`."),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            "-f",
            help="Look again every 3 seconds until all has ended; exit code 1 if some failed.",
        ),
    ] = False,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Show the clips that are being processed, the steps of one, or how far a run has come."""
    with reading() as opened:
        settings, browser = opened.settings, opened.browser
        if video is not None and run is not None:
            leave("name a clip or a run, not both")
        if browser is None:
            if video is not None or run is not None:
                leave(NO_CATALOGUE)
            say_json({"clips": []}) if as_json else say(
                f"No videos currently processing; {NO_CATALOGUE}"
            )
            return
        if video is not None:
            clip_id = one_clip(browser, video).id
            look: Callable[[], Look] = lambda: _clip(settings, browser, clip_id)  # noqa: E731
        elif run is not None:
            run_id = _one_run(settings, browser, run)
            look = lambda: _run(settings, browser, run_id)  # noqa: E731
        else:
            began = time.monotonic()
            look = lambda: _all(settings, browser, limit, time.monotonic() - began)  # noqa: E731
        if _show(look, follow=follow, as_json=as_json):
            raise typer.Exit(FAILED)


def _show(look: Callable[[], Look], *, follow: bool, as_json: bool) -> bool:
    """Show one look, or look again until the last; tell whether something failed in the end."""
    if as_json:
        return _print(look, follow=follow)
    now = look()
    if not follow:
        console().print(now.page)
        return False
    try:
        with Live(now.page, console=console(), auto_refresh=False) as live:
            live.refresh()
            while not now.is_over:
                time.sleep(REFRESH_S)
                now = look()
                live.update(now.page, refresh=True)
    except KeyboardInterrupt:
        return False
    return now.has_failed


def _print(look: Callable[[], Look], *, follow: bool) -> bool:
    """Write one document, or one line for each look."""
    now = look()
    if not follow:
        say_json(now.document)
        return False
    try:
        while True:
            sys.stdout.write(json.dumps(now.document, default=plain) + "\n")
            sys.stdout.flush()
            if now.is_over:
                return now.has_failed
            time.sleep(REFRESH_S)
            now = look()
    except KeyboardInterrupt:
        return False


def _clip(settings: Settings, browser: Browser, clip_id: UUID) -> Look:
    details = browser.details(clip_id)
    if details is None:
        gone = "the clip has been removed from the catalogue"
        return Look(Text(gone), {"id": clip_id, "state": "gone"}, is_over=True, has_failed=True)
    tried = pace.attempts(browser.catalogue, browser.owner, clip_id)
    progress = ClipProgress(details, tried, needs_of(settings, details.clip.preset))
    return Look(
        progress.page(),
        progress.as_document(),
        is_over=progress.is_over,
        has_failed=details.clip.state == "failed",
    )


def _one_run(settings: Settings, browser: Browser, name: str) -> str:
    """The one run that a name means; without one, end by saying what it may have meant."""
    found = run_progress.find(settings, browser.catalogue, browser.owner, name)
    if len(found) == 1:
        return found[0].run_id
    if not found:
        leave(f"no run is called {clean(name)}; `video-assets runs list` shows them")
    say(f"{name} is {len(found)} runs; write more of its id:", error=True)
    for each in found:
        say(f"  {each.run_id}  {each.what}, {each.status}", error=True)
    raise typer.Exit(2)


def _run(settings: Settings, browser: Browser, run_id: str) -> Look:
    catch_up(
        settings, browser.catalogue, browser.owner
    )  # else one whose process was killed would never end
    progress = run_progress.look(settings, browser.catalogue, browser.owner, run_id)
    if progress is None:
        gone = f"run {clean(run_id)} is not there any more"
        return Look(Text(gone), {"run_id": run_id, "status": "gone"}, is_over=True, has_failed=True)
    used = in_use(settings.lanes_dir)
    return Look(
        run_page.page(progress, used),
        run_page.document(progress, used),
        is_over=progress.is_over,
        has_failed=progress.has_failed,
    )


def _all(settings: Settings, browser: Browser, limit: int, looked_for_s: float) -> Look:
    active, now = (
        browser.active(at_most=limit),
        standing.stand(settings, browser.catalogue, browser.owner),
    )
    failed = now.counts.clips["failed"] > 0
    quiet_s = looked_for_s if now.quiet_s is None else now.quiet_s
    # What failed may be tried once more, and who looks may be faster than the work they wait for.
    has_ended_before_our_eyes = quiet_s < looked_for_s and not failed
    is_settled = has_ended_before_our_eyes or min(quiet_s, looked_for_s) >= SETTLED_S
    page = Group(
        _active(active),
        Text(),
        *standing.lanes_part(now.used),
        *standing.waits_part(now, settings.budget),
        Text(standing.pace_sentence(now.pace, is_over=now.is_over)),
    )
    return Look(
        page,
        {**now.as_document(), "active": active.clips},
        is_over=now.is_over and is_settled,
        has_failed=failed,
    )


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
