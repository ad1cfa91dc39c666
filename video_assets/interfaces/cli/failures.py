"""`video-assets failures`: what failed, grouped by cause, and what to do about it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table
from rich.text import Text

from video_assets.automation.work import is_tried_alone, wait_s
from video_assets.interfaces.cli.closing import ADVICE, part_advice
from video_assets.interfaces.cli.parts import (
    AssetsOption,
    ClipsOption,
    ConfigOption,
    Part,
    WhereOption,
    parts_of,
)
from video_assets.interfaces.cli.reading import NO_CATALOGUE, JsonOption, leave, reading
from video_assets.interfaces.cli.standing import wait_sentence
from video_assets.interfaces.cli.wording import clean, console, say, say_json, shorten
from video_assets.storage import locations, own_cells, postponed
from video_assets.storage.ledger import Cell, PlannedAsset
from video_assets.storage.way_in import WayIn

EXAMPLES = 3
NAME_WIDTH = 40
# What differs between two clips that failed for the same reason.
_DETAIL = re.compile(r"'[^']*'|\"[^\"]*\"|\b[0-9a-f]{12,}\b|[\w.:,/-]*\d[\w.:,/-]*")

ClassOption = Annotated[
    str | None,
    typer.Option("--class", help=f"Only of this fault: {', '.join(ADVICE)}."),
]


@dataclass(frozen=True)
class Cause:
    """Cells that failed in one asset for one reason.

    again  whether they are tried again by themselves
    """

    asset: str
    fault: str
    error_class: str | None
    found: str
    advice: str
    again: str
    clips: int
    examples: list[str]


def failures(
    asset: AssetsOption = None,
    fault: ClassOption = None,
    clip: ClipsOption = None,
    where: WhereOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Group what failed by its cause: how many clips, which, what to do, and if it is tried again.

    `backfill --failed` tries again at once, even what failed for good.
    """
    if fault is not None and fault not in ADVICE:
        leave(f"there is no class of faults {fault!r}; known: {', '.join(ADVICE)}")
    with reading() as opened:
        if opened.browser is None:
            say_json({"failures": [], "left_for_later": []}) if as_json else say(NO_CATALOGUE)
            return
        catalogue = opened.browser.catalogue
        parts = parts_of(
            *(opened.settings, catalogue, opened.owner),
            config=config,
            clips=clip,
            where=where,
            assets=asset,
        )
        causes = find_causes(catalogue, opened.owner, parts, assets=asset, fault=fault)
        checksums = [checksum for part in parts for checksum in part.checksums]
        waits = [
            each
            for each in postponed.reasons(catalogue, opened.owner, checksums)
            if fault is None and (not asset or each.asset in asset)
        ]
    if as_json:
        say_json({"failures": causes, "left_for_later": waits})
        return
    for each in waits:
        say(wait_sentence(each))
    if not causes:
        say("Nothing has failed.")
    else:
        console().print(_table(causes))


def find_causes(
    catalogue: WayIn,
    owner: UUID,
    parts: Sequence[Part],
    *,
    assets: Sequence[str] | None,
    fault: str | None,
) -> list[Cause]:
    """Group the failed cells of some clips of an owner, the most frequent cause first."""
    groups: dict[tuple[str, ...], list[Cell]] = {}
    suspects = own_cells.failed_clips(catalogue, owner)
    for part in parts:
        planned = {each.asset: each for each in part.plan}
        clips = [checksum for checksum in part.checksums if checksum in suspects]
        cells = own_cells.cells(catalogue, owner, part.plan, clips, states=("failed", "stale"))
        for cell in cells:
            is_asked = (not assets or cell.asset in assets) and fault in (None, cell.fault)
            if cell.error_class is not None and is_asked:
                again = _again(cell, planned[cell.asset])
                told = _DETAIL.sub("…", cell.error or "")
                key = (cell.asset, cell.fault or "ours", cell.error_class, told, again)
                groups.setdefault(key, []).append(cell)
    shown = [cell.checksum for cells in groups.values() for cell in cells[:EXAMPLES]]
    names = locations.known_as(catalogue, owner, shown)
    causes = [_cause(cells, again=key[-1], names=names) for key, cells in groups.items()]
    return sorted(causes, key=lambda cause: (-cause.clips, cause.asset))


def _cause(cells: Sequence[Cell], *, again: str, names: dict[str, str]) -> Cause:
    first = cells[0]
    found, advice = part_advice(first.error or "no reason was kept", ADVICE[first.fault or "ours"])
    examples = [names.get(cell.checksum, cell.checksum[:12]) for cell in cells[:EXAMPLES]]
    return Cause(
        asset=first.asset,
        fault=first.fault or "ours",
        error_class=first.error_class,
        found=found,
        advice=advice,
        again=again,
        clips=len(cells),
        examples=examples,
    )


def _again(cell: Cell, planned: PlannedAsset) -> str:
    """Say whether a failed cell is tried again by itself."""
    if cell.state == "stale":
        return f"yes: {', '.join(cell.reasons)}"
    if is_tried_alone(cell):
        return "yes: once more, by itself"
    if wait_s(cell, planned) is not None:
        return f"yes: attempt {cell.attempts + 1} of {planned.retry + 1}"
    return "no: `backfill --failed` does"


def _table(causes: Sequence[Cause]) -> Table:
    table = Table(title="Failures", title_justify="left", show_lines=True)
    table.add_column("Clips", justify="right", no_wrap=True)
    table.add_column("Asset", no_wrap=True)
    table.add_column("Found, and what to do", overflow="fold")
    for cause in causes:
        told = Text(clean(f"{cause.found} ({cause.error_class}, {cause.fault})"))
        told.append(f"\n→ {clean(cause.advice)}", style="green")
        told.append(f"\ntried again: {clean(cause.again)}", style="dim")
        for name in cause.examples:
            told.append(f"\n{shorten(name, NAME_WIDTH)}", style="dim")
        if cause.clips > len(cause.examples):
            told.append(f"\nand {cause.clips - len(cause.examples):,} more", style="dim")
        table.add_row(f"{cause.clips:,}", cause.asset, told)
    return table
