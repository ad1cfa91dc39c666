"""Postponed cells: taken up and left undone for a reason beside the clip, such as a cap.

They have not failed and nobody tries them again before their time, unless somebody asks for them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from video_assets.storage.named_queries import load
from video_assets.storage.postgres import Postgres
from video_assets.storage.way_in import WayIn

_queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class Postponed:
    """Why an asset leaves some clips for later.

    until  None: until somebody asks for them
    """

    asset: str
    reason: str
    clips: int
    until: datetime | None


def postpone(
    catalogue: Postgres, asset: str, checksum: str, reason: str, until: datetime | None
) -> None:
    """Leave one cell for later."""
    with catalogue.transaction() as connection:
        _queries.postpone(connection, asset=asset, checksum=checksum, reason=reason, until=until)


def take_up(
    catalogue: Postgres, checksums: Sequence[str], assets: Collection[str] | None = None
) -> None:
    """Try again now, because somebody asked for these clips."""
    with catalogue.transaction() as connection:
        _queries.take_up(
            connection,
            checksums=list(checksums),
            assets=None if assets is None else list(assets),
        )


def reasons(
    catalogue: WayIn, owner: UUID, checksums: Sequence[str] | None = None
) -> list[Postponed]:
    """Say why cells of an owner's clips are left for later; of some clips, or of all."""
    wanted = None if checksums is None else list(checksums)
    with catalogue.transaction(owner) as connection:
        rows = _queries.reasons(connection, checksums=wanted)
        return [Postponed(**row) for row in rows]
