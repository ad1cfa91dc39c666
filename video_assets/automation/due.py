"""Due: what is to be requested next, of clips that are not settled, fair between their owners."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from video_assets.automation.work import OPEN, is_tried_alone, wait_s
from video_assets.storage import ledger, settled
from video_assets.storage.fingerprints import digest
from video_assets.storage.postgres import Postgres
from video_assets.storage.settled import OpenClip, Settled

LOOKED_AT = (*OPEN, "waiting")  # a cell that is postponed is due at its time

Plan = Sequence[ledger.PlannedAsset]
Planned = Mapping[str, ledger.PlannedAsset]


@dataclass(frozen=True)
class Due:
    """A clip to be requested.

    turn      its place in the order in which the owners take turns
    priority  of the most urgent step that it lacks
    alone     the asset that failed once and is tried by itself; None for all that it lacks
    """

    turn: int
    checksum: str
    preset: str
    priority: int
    alone: str | None = None


def find_due(
    catalogue: Postgres, plans: Mapping[str, Plan], taken: Collection[str], *, at_most: int
) -> list[Due]:
    """Look at clips that are not settled, and settle those that want nothing.

    plans    preset to its plan
    taken    checksums that runs have in hand
    at_most  clips to look at
    """
    digests = {
        preset: digest({"plan": [asdict(asset) for asset in plan]})
        for preset, plan in plans.items()
    }
    looked = list(enumerate(settled.unsettled(catalogue, digests, taken, at_most=at_most)))
    found: list[Due] = []
    quiet: list[Settled] = []
    for preset, plan in plans.items():
        clips = [(turn, clip) for turn, clip in looked if clip.preset == preset]
        cells = _cells(catalogue, plan, [clip.checksum for _, clip in clips])
        planned = {asset.asset: asset for asset in plan}
        for turn, clip in clips:
            open_cells = cells.get(clip.checksum, [])
            if any(cell.is_running for cell in open_cells):
                continue
            due = list(_due(turn, clip, open_cells, planned))
            found += due
            if not due:
                quiet.append(Settled(clip.id, digests[preset], _next_s(open_cells, planned)))
    settled.settle(catalogue, quiet)
    return sorted(found, key=lambda each: each.turn)


def _cells(
    catalogue: Postgres, plan: Plan, checksums: Sequence[str]
) -> dict[str, list[ledger.Cell]]:
    """Find the cells that are not done, by clip."""
    found: dict[str, list[ledger.Cell]] = {}
    for cell in ledger.cells(catalogue, plan, checksums, states=LOOKED_AT) if checksums else ():
        found.setdefault(cell.checksum, []).append(cell)
    return found


def _due(
    turn: int, clip: OpenClip, cells: Sequence[ledger.Cell], planned: Planned
) -> Iterator[Due]:
    """Give what is to be requested of a clip now: one batch of it, and single failed cells."""
    now = [asset.priority for cell in cells if wait_s(cell, asset := planned[cell.asset]) == 0]
    if now:
        yield Due(turn, clip.checksum, clip.preset, min(now))
    for cell in cells:
        if is_tried_alone(cell):
            priority = planned[cell.asset].priority
            yield Due(turn, clip.checksum, clip.preset, priority, cell.asset)


def _next_s(cells: Sequence[ledger.Cell], planned: Planned) -> float:
    """Say in how many seconds a clip has to be looked at again."""
    waits = (wait_s(cell, planned[cell.asset]) for cell in cells)
    return min((wait for wait in waits if wait is not None), default=math.inf)
