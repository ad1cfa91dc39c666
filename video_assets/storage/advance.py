"""How far the clips of one command have come, read from the ledger while they are made.

Whoever does the work: this process, the daemon, another machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiosql

from video_assets.storage.postgres import Postgres

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Advance:
    """What has been done since a moment."""

    clips: int
    cells: int
    step: str | None


def now(catalogue: Postgres) -> datetime:
    """Read the database's clock, by which results are dated."""
    with catalogue.transaction() as connection:
        return queries.now(connection)


def advance(
    catalogue: Postgres, due: Mapping[str, int], assets: Sequence[str], since: datetime
) -> Advance:
    """Count what was made since a moment, of the cells that were due then.

    due  checksum to the number of its cells without a current result; a clip that fails
         counts as done with all of them
    """
    with catalogue.transaction() as connection:
        row = queries.advance(
            connection,
            checksums=list(due),
            due=list(due.values()),
            assets=list(assets),
            since=since,
        )
    return Advance(row["clips"], row["cells"], row["step"])
