"""`video-assets forget`: remove one clip from the catalogue, and everything known of it."""

from typing import Annotated, Any

import typer

from video_assets.interfaces.cli.identity import identify
from video_assets.interfaces.cli.maintaining import YesOption, confirm, home
from video_assets.interfaces.cli.open_batches import withdraw_batches
from video_assets.interfaces.cli.planned_removal import document, show
from video_assets.interfaces.cli.reading import JsonOption, leave, one_clip, reading
from video_assets.interfaces.cli.wording import clean, say, say_json
from video_assets.settings import load_settings
from video_assets.storage import erasure
from video_assets.storage.browse import Browser


def forget(
    clip: Annotated[
        str, typer.Argument(help="Id or checksum, or the beginning of one; file name or path.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Remove a clip from the catalogue, with everything that is known of it.

    Its rows, results, made files and its partition in the Dagster UI go; the
    camera file is not touched. A watched folder does not bring the clip back;
    `ingest` of the file or its folder does. What another owner has too stays.
    """
    if load_settings().is_by_api:
        told = _ask_to_forget(clip, dry_run=dry_run, yes=yes, as_json=as_json)
    else:
        told = _forget(clip, dry_run=dry_run, yes=yes, as_json=as_json)
    if as_json:
        say_json({"dry_run": dry_run, **told})
    else:
        say("Dry run: nothing was changed." if dry_run else "Forgotten.")


def _forget(clip: str, *, dry_run: bool, yes: bool, as_json: bool) -> dict[str, Any]:
    """Remove rows, results, files and partition at once."""
    owner = identify(load_settings()).owner
    with home("forget") as opened:
        name = one_clip(Browser(opened.catalogue, owner), clip)
        plan = erasure.plan(opened.catalogue, opened.store, owner, name.id)
        if busy := opened.in_hand(plan.only_here):
            leave(f"{clean(name.file_name)} is being processed by {busy}; stop that, or wait")
        if not as_json:
            show(f"{name.file_name} ({name.file_path})", plan)
        if not dry_run:
            confirm(name.file_name, yes=yes)
            withdraw_batches(opened.catalogue, owner, plan.only_here)
            erasure.forget_clip(opened.catalogue, owner, name.id)
            opened.finish_forgotten()
    return {"clip": name.id, "file_path": name.file_path, **document(plan)}


def _ask_to_forget(clip: str, *, dry_run: bool, yes: bool, as_json: bool) -> dict[str, Any]:
    """Remove the rows; the machine that processes removes what was made, as it cleans up."""
    with reading() as opened:
        name = one_clip(opened.browser, clip)
        details = opened.browser and opened.browser.details(name.id)
        if details and any(step.state == "running" for step in details.steps):
            leave(f"{clean(name.file_name)} is being processed; wait for that")
        if not as_json:
            say(
                f"{clean(name.file_name)} ({clean(name.file_path)}): its rows go at once, and "
                "files made from it with the next `cleanup` of a machine that processes"
            )
        if opened.catalogue and not dry_run:
            confirm(name.file_name, yes=yes)
            erasure.forget_clip(opened.catalogue, opened.owner, name.id)
    return {"clip": name.id, "file_path": name.file_path}
