"""Forgotten clips: what no watched folder brings back, until its owner ingests it again.

A clip is remembered by its checksum, and by digests of what the file system says of its files, so
that nobody reads them again to find out. No name is kept.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql

from video_assets.media.discovery import Candidate
from video_assets.storage.fingerprints import digest
from video_assets.storage.locations import HOST
from video_assets.storage.postgres import Postgres

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


def identities(host: str, path_bytes: bytes, file: Candidate) -> list[str]:
    """Name a file by its place, and by what stays when it is renamed."""
    traits = {"host": host, "volume": file.volume, "size": file.size_bytes, "mtime": file.mtime_ns}
    return [digest({**traits, "path": path_bytes.hex()}), digest({**traits, "inode": file.inode})]


def leave_out(
    catalogue: Postgres, owner: UUID, candidates: Sequence[Candidate]
) -> tuple[Candidate, ...]:
    """Leave out the files of clips that their owner forgot."""
    if not candidates:
        return ()
    names = {each.path: identities(HOST, os.fsencode(each.path), each) for each in candidates}
    asked = [name for each in names.values() for name in each]
    with catalogue.transaction() as connection:
        rows = queries.known(connection, owner=owner, identities=asked)
        known = {row["identity"] for row in rows}
    return tuple(each for each in candidates if known.isdisjoint(names[each.path]))


def is_forgotten(connection: Any, owner: UUID, checksum: str) -> bool:
    """Tell whether a content is one that its owner forgot."""
    return any(queries.known(connection, owner=owner, identities=[checksum]))


def add(connection: Any, owner: UUID, checksum: str, names: Sequence[str] = ()) -> None:
    """Remember a content, and files that hold it, so that they do not come back by themselves."""
    queries.add(connection, owner=owner, checksum=checksum, identities=[checksum, *names])


def lift(connection: Any, owner: UUID, checksum: str) -> None:
    """Take a content back: somebody asked for it."""
    queries.lift(connection, owner=owner, checksum=checksum)
