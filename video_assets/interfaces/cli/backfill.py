"""`video-assets backfill`: make one asset for clips that lack it, and touch nothing else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Annotated

import typer

from video_assets.analyzer import Analyzer
from video_assets.interfaces.cli.faults import FAILED, MACHINE, STOPPED, tell
from video_assets.interfaces.cli.planned import quiet_dagster
from video_assets.interfaces.cli.processing import Pipeline, due_cells, process
from video_assets.interfaces.cli.progress import Meter, counted
from video_assets.interfaces.cli.reading import JsonOption, leave, one_clip
from video_assets.interfaces.cli.stopping import Stop
from video_assets.interfaces.cli.wording import clean, say, say_json
from video_assets.presets.model import PipelineConfiguration, StepConfiguration, load_preset
from video_assets.presets.strict import nearest
from video_assets.settings import LOCAL_OWNER, Settings, load_settings
from video_assets.storage.browse import Browser
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.postgres import Postgres

FAILURES_SHOWN = 20
MOST_CLIPS = 10_000_000


def backfill(
    asset: Annotated[str, typer.Option("--asset", "-a", help="Which; `list-steps` names them.")],
    clip: Annotated[
        list[str] | None,
        typer.Option("--clip", help="Only this clip: id, checksum, name or path; repeatable."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-l", min=1, help="At most so many clips.")
    ] = None,
    config: Annotated[
        str, typer.Option("--config", "-c", help="Preset: its settings of the asset.")
    ] = "default",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be made, and make nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make one asset for every clip that lacks it, for instance one that is new.

    What the asset reads is made first where it is missing, and left alone where it is there.
    """
    quiet_dagster()
    settings, preset = load_settings(), load_preset(config)
    with Stop() as stop, closing(open_catalogue(settings)) as catalogue:
        wanted = _clips(catalogue, clip or [])
        pipeline = _pipeline(settings, catalogue, preset, [asset])
        due = [cell.checksum for cell in due_cells(pipeline.cells(wanted))][:limit]
        waiting = [c.checksum for c in pipeline.cells(due) if c.state == "waiting"] if due else []
        if not as_json:
            say(f"{counted(len(due), 'clip')} without a current {asset}")
        try:
            troubles = [] if dry_run else _fill(pipeline, preset, asset, due, waiting, stop)
        except KeyboardInterrupt:
            tell("stopped; run the same command to continue")
            raise typer.Exit(STOPPED) from None
        after = pipeline.cells(due) if due and not dry_run else []
    counts = Counter(cell.state for cell in after)
    failed = [cell for cell in after if cell.state == "failed"]
    if as_json:
        told = {"asset": asset, "dry_run": dry_run, "due": len(due), "made": counts["done"]}
        say_json({**told, "failed": len(failed), "left": len(after) - counts["done"] - len(failed)})
    elif not dry_run and due:
        left = len(after) - counts["done"] - len(failed)
        waits = f", {left} without what it reads" if left else ""
        say(f"{asset}: {counts['done']} made, {len(failed)} failed{waits}")
        for cell in failed[:FAILURES_SHOWN]:
            say(f"  {cell.checksum[:12]}  {clean(cell.error or '')}")
    for trouble in troubles:
        tell(f"{trouble}; details are in {pipeline.log}")
    raise typer.Exit(MACHINE if troubles else FAILED if failed else 0)


def _clips(catalogue: Postgres, names: Sequence[str]) -> list[str]:
    """Find the checksums of the named clips, or of every clip of the owner."""
    browser = Browser(catalogue, LOCAL_OWNER)
    if names:
        return [one_clip(browser, name).file_checksum for name in names]
    every = browser.list_clips(sort="oldest", at_most=MOST_CLIPS).clips
    return list(dict.fromkeys(clip.file_checksum for clip in every))


def _pipeline(
    settings: Settings, catalogue: Postgres, preset: PipelineConfiguration, assets: Sequence[str]
) -> Pipeline:
    """Lay out a plan of a few assets, with the preset's settings of each or else its defaults."""
    from video_assets.automation.plan import analyzers, plan_of

    known = analyzers()
    for name in assets:
        if name not in known:
            leave(f"there is no asset {name!r}; {nearest(name, known)}")
    steps = tuple(
        (
            preset.step(name)
            or StepConfiguration(category=known[name].group, name=name, queue="default")
        ).model_copy(update={"enabled": True})
        for name in assets
    )
    narrowed = preset.model_copy(update={"steps": steps})
    return Pipeline(settings, catalogue, narrowed, plan_of(narrowed))


def _fill(
    pipeline: Pipeline,
    preset: PipelineConfiguration,
    asset: str,
    due: Sequence[str],
    waiting: Sequence[str],
    stop: Stop,
) -> list[str]:
    """Make what is due, and first what it waits for; give what went wrong beside the clips."""
    from video_assets.automation.plan import analyzers

    meter, troubles = Meter(), []
    if waiting:
        needed = _needed(analyzers(), asset)
        wider = _pipeline(pipeline.settings, pipeline.catalogue, preset, needed)
        troubles += process(wider, waiting, meter, stop, workers=None)
    if rest := [checksum for checksum in due if checksum not in set(waiting)]:
        troubles += process(pipeline, rest, meter, stop, workers=None)
    return [f"run {trouble.run_id[:8]} broke off: {trouble.error}" for trouble in troubles]


def _needed(known: Mapping[str, Analyzer], asset: str) -> list[str]:
    """Name an asset and everything that it cannot do without."""
    needed = [asset]
    for name in needed:
        needed += [each for each in known[name].required if each not in needed]
    return needed
