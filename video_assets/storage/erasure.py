"""Erasure: the rows of one clip, or of one owner, go in one transaction.

The same transaction marks their contents, so that what nobody has any more is removed after it: at
once, or by the next clean-up if this process is killed. See abandoned.py.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import sql

from video_assets.media.discovery import Candidate
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import deletions, forgotten
from video_assets.storage.folder import Folder
from video_assets.storage.named_queries import load
from video_assets.storage.postgres import Postgres
from video_assets.storage.way_in import WayIn

queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class Plan:
    """What goes, and what stays because somebody else has it too.

    rows       table -> number of the owner's rows
    only_here  contents that nobody else has: their results and files go too
    shared     number of contents that somebody else has
    files      on this machine, and in an object store
    """

    rows: dict[str, int]
    only_here: tuple[str, ...]
    shared: int
    results: int
    files: int
    size_bytes: int


def plan(catalogue: Postgres, store: Folder, owner: UUID, clip_id: UUID | None = None) -> Plan:
    """Count what goes with an owner, or with one clip of theirs."""
    with catalogue.transaction() as connection:
        tables = queries.owned(connection) if clip_id is None else queries.children(connection)
        rows = _count(connection, tables, clip_id or owner)
        contents = list(queries.checksums(connection, owner=owner, clip_id=clip_id))
        only_here = [row["file_checksum"] for row in contents if not row["is_shared"]]
        results = queries.count_results(connection, checksums=only_here)
        everywhere = [row["file_checksum"] for row in contents]
        stored = queries.stored(connection, owner=owner, checksums=everywhere, only_here=only_here)
    files = [item for each in only_here for item in store.files(f"{each[:2]}/{each}")]
    return Plan(
        rows=rows if clip_id is None else {"clips": len(contents), **rows},
        only_here=tuple(only_here),
        shared=len(contents) - len(only_here),
        results=results,
        files=len(files) + stored["files"],
        size_bytes=sum(item.size_bytes for item in files) + stored["size_bytes"],
    )


def forget_clip(catalogue: WayIn, owner: UUID, clip_id: UUID) -> bool:
    """Remove an owner's clip, and remember that it is not to come back by itself.

    Gives whether there was one. Whoever cleans up removes what was made of it.
    """
    with catalogue.transaction(owner) as connection:
        places = queries.places(connection, clip_id=clip_id)
        names = [name for place in places for name in _identities(place)]
        return queries.forget_clip(connection, clip_id=clip_id, names=names)


def erase_owner(catalogue: Postgres, owner: UUID, *, by: str) -> None:
    """Remove an owner with everything that is theirs; the local one stays, with nothing.

    A trigger leaves word of what has to follow, as it does when somebody else deletes the account.
    """
    with catalogue.transaction() as connection:
        contents = list(queries.checksums(connection, owner=owner, clip_id=None))
        queries.erase_owner(connection, owner=owner, stays=owner == LOCAL_OWNER)
        deletions.record(connection, "owner", str(owner), items=len(contents), by=by)


def _identities(place: dict[str, Any]) -> list[str]:
    path_bytes = bytes(place["path_bytes"])
    file = Candidate(
        Path(os.fsdecode(path_bytes)),
        place["size_bytes"],
        place["mtime_ns"],
        int(place["inode"]),
        place["volume"],
    )
    return forgotten.identities(place["host"], path_bytes, file)


def _count(connection: Any, tables: Iterable[dict[str, str]], key: UUID) -> dict[str, int]:
    """Count the rows of each table that has some."""
    counts: dict[str, int] = {}
    for each in list(tables):
        query = sql.SQL("SELECT count(*) AS rows FROM {} WHERE {} = %s").format(
            sql.Identifier("public", each["table_name"]), sql.Identifier(each["column_name"])
        )
        counts[each["table_name"]] = connection.execute(query, (key,)).fetchone()["rows"]
    return {name: count for name, count in counts.items() if count}
