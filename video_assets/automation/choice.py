"""Choosing cells: which ones somebody wants made, why, and what that may change after them.

Knows no Dagster, so that a command that only tells has not waited for it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from video_assets.analyzer import REGISTERED
from video_assets.storage import ledger, postponed
from video_assets.storage.ledger import Cell, PlannedAsset
from video_assets.storage.postgres import Postgres

Kind = Literal["missing", "stale", "failed"]
KINDS: tuple[Kind, ...] = ("missing", "stale", "failed")
LACKING: tuple[ledger.State, ...] = ("missing", "stale", "failed", "waiting")
NEVER_MADE = "never made"


@dataclass(frozen=True)
class Chosen:
    """A cell to be made, and why.

    is_needed_only  nobody asked for it, but for something that cannot be made without it
    """

    cell: Cell
    reason: str
    is_needed_only: bool = False


@dataclass(frozen=True)
class Left:
    """A cell that lacks a current result and is left alone, and why."""

    cell: Cell
    reason: str


@dataclass
class Choice:
    """What is chosen of some clips.

    followers  checksum to the assets that have a result and read something that is chosen: they are
               made again only if what they read really changes
    """

    chosen: list[Chosen] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    followers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def checksums(self) -> list[str]:
        """The clips of which anything is chosen."""
        return list(dict.fromkeys(each.cell.checksum for each in self.chosen))

    def take_up(self, catalogue: Postgres) -> None:
        """Have them made now: what was left for later, and what failed for good."""
        cells = [each.cell for each in self.chosen]
        ledger.forgive(catalogue, [cell for cell in cells if cell.state == "failed"])
        postponed.take_up(catalogue, self.checksums, {cell.asset for cell in cells})

    def groups(self) -> dict[tuple[str, ...], list[str]]:
        """Part the clips by what is to be made of them, so that a run makes that and no more."""
        wanted: dict[str, list[str]] = {}
        for each in self.chosen:
            wanted.setdefault(each.cell.checksum, []).append(each.cell.asset)
        found: dict[tuple[str, ...], list[str]] = {}
        for checksum, assets in wanted.items():
            key = tuple(sorted({*assets, *self.followers.get(checksum, ())}))
            found.setdefault(key, []).append(checksum)
        return found


def choose(
    cells: Iterable[Cell],
    plan: Sequence[PlannedAsset],
    kinds: Collection[Kind],
    *,
    assets: Collection[str] = (),
    queued: Collection[tuple[str, str]] = (),
    limit: int | None = None,
) -> Choice:
    """Choose cells by what they lack; whoever makes them takes up what was left for later.

    cells   of the plan, in one of the states LACKING
    plan    holds what the assets cannot do without, too
    assets  only these, and what they lack to be made; empty for every asset of the plan, and then
            what reads them follows
    queued  cells, by checksum and asset, that runs have in hand or in their queue
    limit   the most clips
    """
    chooser = _Chooser(plan, kinds, assets, queued)
    by_clip: dict[str, list[Cell]] = {}
    for cell in cells:
        by_clip.setdefault(cell.checksum, []).append(cell)
    choice, clips = Choice(), 0
    for checksum, found in by_clip.items():
        if limit is not None and clips >= limit:
            break
        chosen, left = chooser.of_clip({cell.asset: cell for cell in found})
        choice.left += left
        if chosen:
            clips += 1
            choice.chosen += chosen
            lacking = {cell.asset for cell in found}
            followers = chooser.followers([each.cell.asset for each in chosen])
            choice.followers[checksum] = tuple(name for name in followers if name not in lacking)
    return choice


@dataclass(frozen=True)
class _Chooser:
    """Looks at one clip after the other."""

    plan: Sequence[PlannedAsset]
    kinds: Collection[Kind]
    assets: Collection[str]
    queued: Collection[tuple[str, str]]

    def of_clip(self, cells: Mapping[str, Cell]) -> tuple[list[Chosen], list[Left]]:
        """Choose among the cells of one clip that lack a current result."""
        chosen: dict[str, Chosen] = {}
        left: list[Left] = []
        for asset in self.plan:
            cell = cells.get(asset.asset)
            if cell is None or not self._is_asked(cell):
                continue
            obstacle = self._obstacle(cell, cells)
            if obstacle is not None:
                left.append(Left(cell, obstacle))
                continue
            for needed in self._needed(cell, cells):
                why = f"{cell.asset} needs it"
                chosen.setdefault(needed.asset, Chosen(needed, why, is_needed_only=True))
            chosen[cell.asset] = Chosen(cell, _reason(cell))
        return list(chosen.values()), left

    def followers(self, chosen: Iterable[str]) -> list[str]:
        """Name what reads any of these, and what reads that, in the order of the plan."""
        if self.assets:
            return []
        above = set(chosen)
        for asset in self.plan:
            if above.intersection(asset.upstream):
                above.add(asset.asset)
        return [asset.asset for asset in self.plan if asset.asset in above]

    def _is_asked(self, cell: Cell) -> bool:
        kind = "missing" if cell.state == "waiting" else cell.state
        is_named = not self.assets or cell.asset in self.assets
        return is_named and kind in self.kinds and cell.asset != REGISTERED

    def _obstacle(self, cell: Cell, cells: Mapping[str, Cell]) -> str | None:
        """Say why a cell cannot be made now, or need not be; None when it can."""
        if in_hand := self._in_hand(cell):
            return in_hand
        for needed in self._needed(cell, cells):
            if in_hand := self._in_hand(needed):
                return f"waits for {needed.asset}, which is {in_hand}"
            if needed.state == "failed" and "failed" not in self.kinds:
                return f"waits for {needed.asset}, which failed"
        lost = next((name for name in cell.waits_for if name not in cells), None)
        return f"waits for {lost}, which the preset does not make" if lost else None

    def _in_hand(self, cell: Cell) -> str | None:
        if cell.is_running:
            return "running"
        return "queued" if (cell.checksum, cell.asset) in self.queued else None

    def _needed(self, cell: Cell, cells: Mapping[str, Cell]) -> Iterator[Cell]:
        """Give what a cell waits for, and what that waits for."""
        for name in cell.waits_for:
            if name in cells:
                yield from self._needed(cells[name], cells)
                yield cells[name]


def _reason(cell: Cell) -> str:
    if cell.postponed:
        return f"was left for later: {cell.postponed}"
    if cell.state == "stale":
        return ", ".join(cell.reasons)
    if cell.state == "failed":
        return f"failed: {cell.error_class} ({cell.fault})"
    return NEVER_MADE
