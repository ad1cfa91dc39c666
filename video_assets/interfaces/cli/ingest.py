"""`video-assets ingest`: files become clips, and clips get everything that is known of them."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from video_assets.interfaces.cli import rehearsal
from video_assets.interfaces.cli.faults import STOPPED, USAGE, tell
from video_assets.interfaces.cli.identity import identify
from video_assets.interfaces.cli.intake import absolute
from video_assets.interfaces.cli.passes import Ingest, Wish
from video_assets.interfaces.cli.quotes import CapOption, cap_of
from video_assets.interfaces.cli.steps import steps_table
from video_assets.interfaces.cli.stopping import Stop
from video_assets.interfaces.cli.wording import counted, say
from video_assets.media.discovery import Listing, Rules
from video_assets.presets.model import PipelineConfiguration, load_preset
from video_assets.settings import load_settings
from video_assets.storage.catalogue import require_database
from video_assets.storage.locations import display

PATTERN_HELP = "File names to take, separated by commas, in any letter case."


def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Folders and files.")],
    config: Annotated[
        str, typer.Option("--config", "-c", help="Preset: which steps run, and how.")
    ] = "default",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-w",
            min=0,
            help="Processes at most in each queue; 0 only registers the files and leaves the rest "
            "to `video-assets dev`.",
            show_default="as the preset says",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with files that appear later, until Ctrl-C.")
    ] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive/--no-recursive", help="Look into folders inside folders.")
    ] = True,
    pattern: Annotated[
        str | None,
        typer.Option("--pattern", "-p", help=PATTERN_HELP, show_default="every video format"),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore",
            metavar="RULE",
            help="Leave out files and folders, as in .gitignore: 'Proxies/**'; may be repeated. A "
            "file .videoassetsignore in a folder does the same.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    enable_ai: Annotated[
        bool,
        typer.Option("--enable-ai", help="Switch on the steps of AI that the preset has disabled."),
    ] = False,
    cap: CapOption = None,
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="What its run and its report are called.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON on stdout.")] = False,
) -> None:
    """Make a catalogue of the video files in folders; run again, it does only what is new."""
    settings, preset = load_settings(), load_preset(config)
    require_database(settings)
    asking = identify(settings)
    if enable_ai:
        preset = with_ai(preset, workers)
    if cap is not None and workers == 0:
        tell("--workers 0 only registers files, so --cap would hold for nothing; leave one out")
        raise typer.Exit(USAGE)
    rules = Rules(pattern, recursive, tuple(ignore or ()), apart=(settings.home,))
    wish = Wish(absolute(paths), preset, workers, rules, as_json, name, cap=cap_of(cap))
    with Stop() as stop:
        try:
            refuse_nowhere(wish.roots)
            if not as_json:
                if asking.email:
                    say(f"Authenticated as: {asking.email}")
                Console().print(steps_table(preset))
            listing = wish.look()
            if not say_found(listing, quiet=as_json) and not watch:
                code = USAGE
            elif dry_run:
                code = rehearsal.rehearse(
                    settings, asking.owner, preset, listing, as_json=as_json, cap=wish.cap
                )
            else:
                code = Ingest(wish, settings, asking, stop).run(listing, watch=watch)
        except KeyboardInterrupt:
            tell("stopped; run the same command to continue")
            code = STOPPED
    raise typer.Exit(code)


def with_ai(preset: PipelineConfiguration, workers: int | None) -> PipelineConfiguration:
    """Switch on the steps of AI that a preset has disabled, for this ingest alone."""
    if workers == 0:
        tell("--workers 0 only registers files, so --enable-ai would do nothing; leave one out")
        raise typer.Exit(USAGE)
    names = preset.idle_ai_steps()
    if not names:
        tell(f"preset {preset.name} has no disabled step of AI, so --enable-ai changes nothing")
    return preset.switch_on(names)


def refuse_nowhere(roots: Sequence[Path]) -> None:
    """Begin nothing when one of the named places is not there: it may be a slip."""
    missing = [root for root in roots if not os.path.lexists(root)]
    for root in missing:
        tell(f"{display(root)}: there is no such file or folder; is its drive connected?")
    if missing:
        raise typer.Exit(USAGE)


def say_found(listing: Listing, *, quiet: bool) -> int:
    """Say how many files there are to look at, and give their number."""
    count = len(listing.candidates) + len(listing.rejects)
    if not quiet and count:
        typer.echo(f"Found {counted(count, 'video file')}")
    if not count:
        for each in listing.unreachable:
            tell(f"{display(each.path)}: {each.reason}")
        tell("No video files found")
        if quiet:
            typer.echo(json.dumps({"found": 0}))
    return count
