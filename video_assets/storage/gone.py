"""Gone sources: clips that no known place has held for long are marked as missing, and stay.

A drive in a drawer is no deletion: rows, results and files of such a clip are kept, and it is what
it was the moment one of its files is seen.
"""

import os
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql

from video_assets.storage.deletions import Outcome, Wish
from video_assets.storage.locations import HOST, is_as_recorded
from video_assets.storage.postgres import Postgres

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


def mark_gone(catalogue: Postgres, wish: Wish) -> Outcome:
    """Mark clips whose every place has been missing for that long, after one more look at each."""
    outcome = Outcome("sources")
    with catalogue.transaction() as connection:
        clips: list[UUID] = [row["id"] for row in queries.gone(connection, after_s=wish.wait_s)]
        places = list(queries.places(connection, clip_ids=clips, host=HOST))
    back = [place for place in places if _is_there(place)]
    held = {place["clip_id"] for place in back}
    missing = [clip for clip in clips if clip not in held]
    for clip in missing:
        outcome.remove(str(clip))
    if not wish.dry_run:
        with catalogue.transaction() as connection:
            queries.found(connection, place_ids=[place["id"] for place in back])
            queries.unmark(connection)
            queries.mark(connection, clip_ids=missing)
    return outcome


def _is_there(place: dict[str, Any]) -> bool:
    path = Path(os.fsdecode(bytes(place["path_bytes"])))
    return is_as_recorded(path, place["size_bytes"], place["mtime_ns"])
