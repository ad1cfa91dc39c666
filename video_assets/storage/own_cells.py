"""The cells of one owner's clips, as their owner sees them: what a plan lacks, and what failed.

The database has one text for this and for what workers see (ledger.sql); readings.py sees to it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from video_assets.storage.ledger import Cell, PlannedAsset, State, asked, cell_of
from video_assets.storage.named_queries import load
from video_assets.storage.way_in import WayIn

_queries: Any = load(Path(__file__))


def cells(
    catalogue: WayIn,
    owner: UUID,
    plan: Iterable[PlannedAsset],
    checksums: Sequence[str] | None = None,
    *,
    states: Sequence[State] | None = None,
) -> list[Cell]:
    """Work out the state of every cell of a plan, for some of an owner's clips or for all."""
    planned = {asset.asset: asset for asset in plan}
    with catalogue.transaction(owner) as connection:
        rows = _queries.cells(connection, **asked(planned.values(), checksums, states))
        return [cell_of(row, planned[row["asset"]]) for row in rows]


def failed_clips(catalogue: WayIn, owner: UUID) -> set[str]:
    """Find an owner's clips of which anything failed, by whatever code and settings."""
    with catalogue.transaction(owner) as connection:
        return {row["file_checksum"] for row in _queries.failed_clips(connection)}
