"""Work: which cells of a plan are worth a run now, by what the ledger says of them.

Knows no Dagster, so that a command that finds nothing to do has not waited for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from video_assets.analyzer import REGISTERED
from video_assets.storage import ledger
from video_assets.storage.postgres import Postgres

# In a batch, then once more alone: what was chance heals, a bad file stays bad.
LASTING_ATTEMPTS = 2
PASSING_ATTEMPTS = 6
FIRST_WAIT_S = 60.0  # doubled after every attempt
SETTLED_S = 30.0  # a living run reports a result within a second of committing it


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
) -> Work:
    """List clips with cells that lack a current result, and failed cells worth another attempt.

    at_once  tries again now what failed for a passing reason, instead of after a pause
    """
    clips: dict[str, None] = {}
    alone: list[tuple[str, str]] = []
    for cell in ledger.cells(catalogue, plan, checksums):
        if cell.state in ("missing", "stale") and cell.asset != REGISTERED:
            clips[cell.checksum] = None
        elif cell.state == "failed" and cell.fault in ledger.PASSING_FAULTS:
            if at_once or _is_due(cell):
                clips[cell.checksum] = None
        elif cell.state == "failed" and cell.attempts < LASTING_ATTEMPTS:
            alone.append((cell.checksum, cell.asset))
    return Work(tuple(clips), tuple(alone))


def _is_due(cell: ledger.Cell) -> bool:
    wait_s = FIRST_WAIT_S * 2 ** (cell.attempts - 1)
    return cell.attempts < PASSING_ATTEMPTS and cell.age_s >= wait_s
