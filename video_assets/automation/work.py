"""Work: which cells of a plan are worth a run now, by what the ledger says of them.

Knows no Dagster, so that a command that finds nothing to do has not waited for it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from video_assets.analyzer import REGISTERED
from video_assets.storage import ledger
from video_assets.storage.postgres import Postgres

# In a batch, then once more alone: what was chance heals, a bad file stays bad.
LASTING_ATTEMPTS = 2
FIRST_WAIT_S = 60.0
WAIT_GROWTH = 4  # the three attempts that a step has by default are over after 21 minutes
SETTLED_S = 30.0  # a living run reports a result within a second of committing it
OPEN: tuple[ledger.State, ...] = ("missing", "stale", "failed")


@dataclass(frozen=True)
class Work:
    """What is to be requested: clips in batches, and single cells that failed once."""

    clips: tuple[str, ...]
    alone: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        """Whether there is anything to request."""
        return bool(self.clips or self.alone)


def find_work(
    catalogue: Postgres,
    plan: Sequence[ledger.PlannedAsset],
    checksums: Sequence[str] | None = None,
    *,
    at_once: bool = False,
    left: Collection[tuple[str, str]] = (),
) -> Work:
    """List clips with cells that lack a current result, and failed cells worth another attempt.

    at_once  tries again now what failed for a passing reason, instead of after a pause
    left     cells, by clip and asset, that are no reason to request anything
    """
    clips: dict[str, None] = {}
    alone: list[tuple[str, str]] = []
    planned = {asset.asset: asset for asset in plan}
    for cell in ledger.cells(catalogue, plan, checksums, states=OPEN):
        if (cell.checksum, cell.asset) in left:
            continue
        if is_tried_alone(cell):
            alone.append((cell.checksum, cell.asset))
        elif (at_once and _is_passing(cell)) or wait_s(cell, planned[cell.asset]) == 0:
            clips[cell.checksum] = None
    return Work(tuple(clips), tuple(alone))


def is_tried_alone(cell: ledger.Cell) -> bool:
    """Tell whether a cell failed in a way that may have been chance."""
    is_lasting = cell.state == "failed" and not _is_passing(cell)
    return is_lasting and cell.attempts < LASTING_ATTEMPTS


def wait_s(cell: ledger.Cell, planned: ledger.PlannedAsset) -> float | None:
    """Say in how many seconds a cell is worth an attempt in a batch; None for not by itself."""
    if cell.state == "waiting":
        return cell.wait_s
    if cell.state in ("missing", "stale"):
        return 0.0 if cell.asset != REGISTERED else None
    if not _is_passing(cell) or cell.attempts > planned.retry:
        return None
    return max(0.0, FIRST_WAIT_S * WAIT_GROWTH ** (cell.attempts - 1) - cell.age_s)


def _is_passing(cell: ledger.Cell) -> bool:
    return cell.state == "failed" and cell.fault in ledger.PASSING_FAULTS
