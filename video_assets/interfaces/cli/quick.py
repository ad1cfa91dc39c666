"""`video-assets quick-process`: one file, the steps of the preset `fast`, and what was found."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from video_assets.interfaces.cli import closing
from video_assets.interfaces.cli.faults import STOPPED, USAGE, tell
from video_assets.interfaces.cli.identity import identify
from video_assets.interfaces.cli.ingest import refuse_nowhere
from video_assets.interfaces.cli.intake import absolute
from video_assets.interfaces.cli.passes import Ingest, Wish
from video_assets.interfaces.cli.quotes import CapOption, cap_of
from video_assets.interfaces.cli.stopping import Stop
from video_assets.presets.model import load_preset
from video_assets.settings import load_settings

PRESET = "fast"


def quick_process(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One video file.")],
    cap: CapOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON on stdout.")] = False,
) -> None:
    """Process one file with the preset `fast`, and show what was found."""
    from video_assets.interfaces.cli.browse import info

    (path,) = absolute([file])
    refuse_nowhere([path])
    if path.is_dir():
        tell(f"{path}: a folder; `video-assets ingest` takes folders")
        raise typer.Exit(USAGE)
    settings = load_settings()
    asking = identify(settings)
    wish = Wish((path,), load_preset(PRESET), kind="quick-process", cap=cap_of(cap))
    with Stop() as stop:
        try:
            ingest = Ingest(wish, settings, asking, stop)
            done = ingest.do(wish.look())
        except KeyboardInterrupt:
            tell("stopped; run the same command to continue")
            raise typer.Exit(STOPPED) from None
    for trouble in done.troubles:
        tell(trouble)
    for checksum in done.checksums:
        info(checksum, transcript=False, analysis=False, as_json=as_json)
    if done.summary.failures:
        Console(stderr=as_json).print(closing.failures_table(done.summary.failures))
    done.run.say(error=as_json)
    raise typer.Exit(done.code)
