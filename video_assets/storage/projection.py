"""Projections: what a result means for its owners' rows, one SQL file an asset.

`projections/<asset>.sql` runs with :checksum, :owner (null for every owner) and :asset, and reads
the result from the ledger; the assets that are called `..._analysis` share one file. An asset
without a file projects nothing: its result lives in the ledger alone.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql

FOLDER = Path(__file__).with_name("projections")
PROGRESS = "progress"
ANALYSIS = "_analysis"
# Scenes that are new take their words from the description.
_FOLLOWED = {"scenes": "description"}
_KNOWN = "SELECT asset FROM results WHERE file_checksum = %s AND status = 'done'"


def project(connection: Any, asset: str, checksum: str, owner: UUID | None = None) -> None:
    """Write what one result means for the rows of one owner, or of all."""
    _project(connection, asset, checksum, owner)
    project_progress(connection, [checksum], owner)


def project_progress(connection: Any, checksums: list[str], owner: UUID | None = None) -> None:
    """Write how far clips have come."""
    _projection(PROGRESS)(connection, checksums=checksums, owner=owner)


def project_clip(connection: Any, checksum: str, owner: UUID | None = None) -> None:
    """Write everything that is known of a clip, as for an owner who has just registered it."""
    found = connection.execute(_KNOWN, (checksum,)).fetchall()
    for asset in ordered(row["asset"] for row in found):
        _project(connection, asset, checksum, owner)
    project_progress(connection, [checksum], owner)


def ordered(assets: Iterable[str]) -> list[str]:
    """Put assets into an order in which all of them can be projected."""
    # Vectors of moments hang on the segments that search_texts makes.
    return sorted(assets, key=lambda asset: (asset != "search_texts", asset))


def _project(connection: Any, asset: str | None, checksum: str, owner: UUID | None) -> None:
    while asset is not None:
        projection = _projection(ANALYSIS if asset.endswith(ANALYSIS) else asset)
        if projection is not None:
            projection(connection, checksum=checksum, owner=owner, asset=asset)
        asset = _FOLLOWED.get(asset)


@cache
def _projection(name: str) -> Any:
    path = FOLDER / f"{name}.sql"
    if not path.is_file():
        return None
    queries: Any = aiosql.from_path(path, "psycopg")
    return queries.project
