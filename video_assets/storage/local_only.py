"""Clips that may not leave this machine, because a copy of them lies in a folder that says so.

Whoever owns the copy, and however the path to it is written: folders are compared by what the file
system holds them for, and by their names where it cannot tell now. In doubt a clip stays here.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from video_assets.media.file_names import fold
from video_assets.media.volume import is_lasting, name_volume
from video_assets.storage.locations import HOST, queries
from video_assets.storage.postgres import Postgres


def find_local_only(
    catalogue: Postgres, checksums: Sequence[str], folders: Sequence[Path]
) -> frozenset[str]:
    """Find those of some clips of which nothing may leave this machine."""
    if not folders:
        return frozenset()
    with catalogue.transaction() as connection:
        rows = list(queries.places(connection, checksums=list(checksums)))
    may_lie_in = _compare(folders)
    known = {row["file_checksum"] for row in rows}
    kept = {row["file_checksum"] for row in rows if may_lie_in(row)}
    return frozenset(kept | (set(checksums) - known))


def _compare(folders: Sequence[Path]) -> Callable[[Mapping[str, Any]], bool]:
    """Make a test of places; each folder on the way is looked at once."""
    written = {parts for each in folders for parts in (_names(each), _names(_real(each)))}
    found = {status for each in folders if (status := _status(each))}
    volumes = {volume for each in folders if (volume := _volume(each))}
    is_one_away = any(_status(each) is None for each in folders)
    look = cache(_status)

    def is_below(path: Path) -> bool:
        names = _names(path)
        return any(names[: len(each)] == each for each in written)

    def may_lie_in(place: Mapping[str, Any]) -> bool:
        path, volume = Path(os.fsdecode(bytes(place["path_bytes"]))), place["volume"]
        if is_below(path):
            return True
        is_on_same = volume in volumes and is_lasting(volume)
        if place["host"] != HOST:  # which may know the same folder by another name
            return is_on_same
        real = _real(path)
        if is_below(real) or any(look(folder) in found for folder in real.parents):
            return True
        # Its folder is not here under this name: it may be mounted elsewhere, or be a folder that
        # is not here either.
        return look(path.parent) is None and (is_on_same or is_one_away)

    return may_lie_in


def _names(path: Path) -> tuple[str, ...]:
    return tuple(map(fold, path.parts))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _status(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _volume(folder: Path) -> str | None:
    status = _status(folder)
    return name_volume(folder, status[0]) if status else None
