"""`video-assets erase`: remove an owner with everything that is theirs."""

from typing import Annotated, Any

import typer

from video_assets.interfaces.cli.maintaining import YesOption, confirm, home
from video_assets.interfaces.cli.open_batches import withdraw_batches
from video_assets.interfaces.cli.planned_removal import document, show
from video_assets.interfaces.cli.reading import JsonOption, leave
from video_assets.interfaces.cli.wording import clean, say, say_json
from video_assets.storage import erasure, owners


def erase(
    owner: Annotated[
        str, typer.Argument(help="Id or address; `local` is the one of an embedded catalogue.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Remove an owner: account, clips, and everything known of them that nobody else has too.

    Camera files are not touched. The one owner of an embedded catalogue stays,
    with an empty catalogue. The record of it holds ids and counts alone. Log
    files may name files; `cleanup logs --older-than 0` removes them.
    """
    with home("erase") as opened:
        found = owners.find(opened.catalogue, owner)
        if found is None:
            leave(f"there is no owner {clean(owner)}; give an id or an address, or `local`")
        plan = erasure.plan(opened.catalogue, opened.store, found)
        if busy := opened.in_hand(plan.only_here):
            leave(f"clips of {clean(owner)} are being processed by {busy}; stop that, or wait")
        told: dict[str, Any] = {"owner": found, **document(plan)}
        if not as_json:
            show(f"owner {owner}", plan)
            for folder in opened.watched(found):
                say(f"{folder} is watched for this owner: take it out of the settings first.")
        if not dry_run:
            confirm(owner, yes=yes)
            withdraw_batches(opened.catalogue, found)
            erasure.erase_owner(opened.catalogue, found, by="erase")
            opened.finish_forgotten()
            opened.forget_registrations(found)
    if as_json:
        say_json({"dry_run": dry_run, **told})
    else:
        say("Dry run: nothing was changed." if dry_run else "Erased.")
