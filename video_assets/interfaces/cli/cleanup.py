"""`video-assets cleanup`: remove what nobody needs any more."""

import re
from enum import Enum
from typing import Annotated

import typer

from video_assets.interfaces.cli.maintaining import home
from video_assets.interfaces.cli.reading import JsonOption
from video_assets.interfaces.cli.wording import cell, clean, console, new_table, say, say_json, size
from video_assets.settings import load_settings
from video_assets.storage.deletions import Kind, Outcome

UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
NAMES_SHOWN = 10


class KindName(str, Enum):
    """Kinds of things to remove."""

    ORPHANS = "orphans"
    SUPERSEDED = "superseded"
    STORED = "stored"
    VECTORS = "vectors"
    EVENTS = "events"
    SOURCES = "sources"
    DAGSTER = "dagster"
    LOGS = "logs"
    RUNS = "runs"


WORDS = {
    "orphans": "files that no result names, and what is left of clips that nobody has",
    "superseded": "files that an older result left",
    "stored": "files elsewhere that no result names",
    "vectors": "vectors of a model that another has replaced",
    "events": "what happened to clips, step by step",
    "sources": "clips marked as missing",
    "dagster": "old runs in the Dagster UI",
    "logs": "old log files",
    "runs": "output runs with their reports, but the newest",
}


def seconds(text: str) -> float:
    """Read an age: 7d, 12h, 30m, 0."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([dhms]?)", text.strip().lower())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no age; write 7d, 12h or 0")
    return float(found[1]) * UNITS[found[2] or "d"]


def cleanup(
    kinds: Annotated[
        list[KindName] | None,
        typer.Argument(metavar="KIND", help=f"{', '.join(WORDS)}; by default all but runs."),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="AGE",
            help="How old: 7d, 12h, 0. For the kinds that are named, and for files if none is.",
            show_default="as the settings say",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed now, and change nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove what nobody needs any more; sources and unfinished clips are never touched.

    A file that no result names is marked at first and removed by a later
    clean-up, when it has been unneeded for the grace period of the settings (7
    days); so are vectors that are searched no more. `--older-than 0` removes
    them at once. A clip whose files are gone is
    marked as missing, and kept. `video-assets dev` cleans up every night.
    """
    age_s = None if older_than is None else seconds(older_than)
    with home("cleanup") as opened:
        from video_assets.automation.maintenance import KINDS, USUAL, ages

        named: list[Kind] = [kind for kind in KINDS if kind in [each.value for each in kinds or []]]
        found = ages(load_settings().cleanup, named, age_s)
        outcomes = opened.clean(named or USUAL, found, dry_run=dry_run)
    if as_json:
        say_json({"dry_run": dry_run, "kinds": {each.kind: _document(each) for each in outcomes}})
    else:
        _show(outcomes, dry_run=dry_run)


def _document(outcome: Outcome) -> dict[str, object]:
    return {
        "removed": outcome.removed,
        "removed_bytes": outcome.removed_bytes,
        "waiting": outcome.waiting,
        "waiting_bytes": outcome.waiting_bytes,
        "names": outcome.names,
    }


def _show(outcomes: list[Outcome], *, dry_run: bool) -> None:
    table = new_table()
    table.add_column("Kind", no_wrap=True)
    table.add_column("Would go" if dry_run else "Removed", justify="right", no_wrap=True)
    table.add_column("Waiting", justify="right", no_wrap=True)
    table.add_column("What", overflow="fold")
    for each in outcomes:
        table.add_row(
            cell(each.kind),
            cell(_amount(each.removed, each.removed_bytes)),
            cell(_amount(each.waiting, each.waiting_bytes)),
            cell(f"{WORDS[each.kind]} {each.note or ''}".strip(), "dim"),
        )
    console().print(table)
    if dry_run:
        for each in outcomes:
            for name in each.names[:NAMES_SHOWN]:
                say(f"  {each.kind}: {clean(name)}")
        say("Dry run: nothing was changed.")
    elif any(each.waiting for each in outcomes):
        say("What waits is removed by a later clean-up, if it is still unneeded then.")


def _amount(count: int, size_bytes: int) -> str:
    return f"{count:,} ({size(size_bytes)})" if size_bytes else f"{count:,}"
