"""Postponed cells: taken up and left undone for a reason beside the clip, such as a cap.

They have not failed and nobody tries them again before their time, unless somebody asks for them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql

from video_assets.storage.postgres import Postgres

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


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
    catalogue: Postgres, owner: UUID, checksums: Sequence[str] | None = None
) -> list[Postponed]:
    """Say why cells of an owner's clips are left for later; of some clips, or of all."""
    with catalogue.transaction() as connection:
        rows = _queries.reasons(
            connection, owner=owner, checksums=None if checksums is None else list(checksums)
        )
        return [Postponed(**row) for row in rows]
