"""Problems: what the checks of an asset found in its results, over the whole catalogue."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosql

from video_assets.storage.postgres import Postgres

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Problems:
    """What one check found over the whole catalogue."""

    total: int
    checked: int
    first: dict[str, str]


def problems(catalogue: Postgres, asset: str, check_name: str, *, at_most: int) -> Problems:
    """Read the answers of one check, and name the latest clips with a problem."""
    with catalogue.transaction() as connection:
        rows = queries.problems(connection, asset=asset, check_name=check_name, at_most=at_most)
        first = {row["file_checksum"][:12]: row["problem"] for row in rows}
        counts = queries.count_problems(connection, asset=asset, check_name=check_name)
        return Problems(counts["total"], counts["checked"], first)
