"""Where clips lie: a path is a location of a clip, never its identity."""

import os
import platform
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from video_assets.media.discovery import Candidate
from video_assets.media.file_names import fold
from video_assets.media.regular_file import modified_ns
from video_assets.media.volume import is_lasting, name_volume
from video_assets.storage.named_queries import load
from video_assets.storage.postgres import Postgres
from video_assets.storage.way_in import WayIn

HOST = platform.node()
PATHS_PER_QUERY = 10_000
Value = TypeVar("Value")

queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class Known:
    """Files whose content is known without reading them, and the rest."""

    unchanged: dict[Path, str]
    renamed: dict[Path, str]
    unknown: tuple[Candidate, ...]


def display(path: Path) -> str:
    """Write a path as text that a database and a terminal take, whatever its bytes are."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def recognise(catalogue: Postgres, owner: UUID, candidates: Sequence[Candidate]) -> Known:
    """Tell known files from new ones by what the file system says of them, reading none.

    A file is unchanged when path, size and modification time are, on the same volume or with the
    same inode: a network mount has another name each time. It is renamed when volume, inode, size
    and modification time are those of a file known under another name.
    """
    unchanged: dict[Path, str] = {}
    renamed: dict[Path, str] = {}
    unknown: list[Candidate] = []
    for start in range(0, len(candidates), PATHS_PER_QUERY):
        part = candidates[start : start + PATHS_PER_QUERY]
        by_path = _known_paths(catalogue, owner, part)
        unseen = [c for c in part if not is_same(by_path.get(os.fsencode(c.path)), c)]
        by_file = _known_files(catalogue, owner, unseen) if unseen else {}
        for candidate in part:
            row = by_path.get(os.fsencode(candidate.path))
            if row is not None and is_same(row, candidate):
                unchanged[candidate.path] = row["file_checksum"]
            elif checksum := by_file.get((candidate.inode, *_traits(candidate))):
                renamed[candidate.path] = checksum
            else:
                unknown.append(candidate)
    return Known(unchanged, renamed, tuple(unknown))


def is_same(row: Mapping[str, Any] | None, seen: Candidate) -> bool:
    """Tell whether the file seen at a path is the one that the catalogue knows there."""
    return (
        row is not None
        and (row["size_bytes"], row["mtime_ns"]) == (seen.size_bytes, seen.mtime_ns)
        and (row["volume"] == seen.volume or row["inode"] == seen.inode)
    )


def touch(catalogue: Postgres, owner: UUID, files: Iterable[Candidate]) -> None:
    """Note that these files were seen again, unchanged."""
    for part in _parts(files):
        with catalogue.transaction() as connection:
            queries.touch(
                connection,
                owner=owner,
                host=HOST,
                paths=[os.fsencode(file.path) for file in part],
                volumes=[file.volume for file in part],
            )


def mark_missing(catalogue: Postgres, owner: UUID, paths: Iterable[Path]) -> None:
    """Note that nothing lies at these paths any more; the clips stay."""
    for part in _parts(map(os.fsencode, paths)):
        with catalogue.transaction() as connection:
            queries.mark_missing(connection, owner=owner, host=HOST, paths=part)
            queries.name_by_present(connection, owner=owner, host=HOST, paths=part)


@dataclass(frozen=True)
class OtherPlaces:
    """The other places of a clip on this host, as they are found now."""

    present: list[bytes]
    renamed: list[bytes]
    missing: list[bytes]
    is_known_here: bool = False
    """The clip was known at the very place where it was seen."""


def other_places(connection: Any, clip_id: UUID, seen: Candidate) -> OtherPlaces:
    """Look at every other place of a clip: still there, renamed to where it was seen, or gone.

    Of a place that cannot be reached now, as on a drive that is not connected, nothing is said.
    """
    found, is_known_here = OtherPlaces([], [], []), False
    for row in queries.clip_locations(connection, clip_id=clip_id, host=HOST):
        path_bytes = bytes(row["path_bytes"])
        if path_bytes == os.fsencode(seen.path):
            is_known_here = True
            continue
        path = Path(os.fsdecode(path_bytes))
        is_seen = (row["volume"], int(row["inode"])) == (seen.volume, seen.inode)
        if is_seen and _is_other_spelling(path, seen.path):
            found.renamed.append(path_bytes)
        elif is_as_recorded(path, row["size_bytes"], row["mtime_ns"]):
            found.present.append(path_bytes)
        elif is_seen:
            found.renamed.append(path_bytes)
        elif _status(path) or is_gone(path, row["volume"], also_there={seen.volume}):
            found.missing.append(path_bytes)
    return replace(found, is_known_here=is_known_here)


@dataclass(frozen=True)
class Found:
    """A place where a clip's bytes lie, and what the file system said when they were read."""

    path: Path
    size_bytes: int
    mtime_ns: int

    @property
    def is_there(self) -> bool:
        """Whether it is still the file that was registered, as far as can be told unread."""
        return is_as_recorded(self.path, self.size_bytes, self.mtime_ns)


def find_sources(catalogue: Postgres, checksums: Sequence[str]) -> dict[str, Found | str]:
    """Find a place where each clip's bytes can be read now, or say why there is none."""
    places: dict[str, list[dict[str, Any]]] = {checksum: [] for checksum in checksums}
    with catalogue.transaction() as connection:
        for row in queries.sources(connection, checksums=list(checksums), host=HOST):
            places[row["file_checksum"]].append(row)
    return {checksum: _first_readable(rows) for checksum, rows in places.items()}


def known_as(catalogue: WayIn, owner: UUID, checksums: Sequence[str]) -> dict[str, str]:
    """Give the path by which an owner's catalogue knows each of these clips."""
    with catalogue.transaction(owner) as connection:
        rows = queries.known_as(connection, checksums=list(checksums))
        return {row["file_checksum"]: row["file_path"] for row in rows}


def is_as_recorded(path: Path, size_bytes: int, mtime_ns: int) -> bool:
    """Tell whether the file at a path is still the one that was registered there."""
    status = _status(path)
    return status is not None and (status.st_size, modified_ns(status)) == (size_bytes, mtime_ns)


def is_gone(path: Path, volume: str | None, *, also_there: Collection[str] = ()) -> bool:
    """Tell whether a file was taken away, and not only the drive that it lies on.

    Nothing may lie at its path, and the nearest folder that is there must be on the volume where
    the file was last seen.

    also_there  volumes of which a known file was seen just now: a name that does not outlive a
                remount proves nothing alone
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError:
        return False
    else:
        return False
    if volume is None or not (is_lasting(volume) or volume in also_there):
        return False
    try:
        above = next(folder for folder in path.parents if folder.is_dir())
        return name_volume(above, above.stat().st_dev) == volume
    except (OSError, StopIteration):
        return False


def _first_readable(rows: list[dict[str, Any]]) -> Found | str:
    for row in rows:
        path = Path(os.fsdecode(row["path_bytes"]))
        found = Found(path, row["size_bytes"], row["mtime_ns"])
        if found.is_there:
            return found
    return (  # not how many places: some may be another owner's
        "the file cannot be found: no known place holds it now; "
        "connect its drive, or ingest the folder it was moved to"
    )


def _traits(candidate: Candidate) -> tuple[str, int, int]:
    return candidate.volume, candidate.size_bytes, candidate.mtime_ns


def _known_paths(
    catalogue: Postgres, owner: UUID, candidates: Sequence[Candidate]
) -> dict[bytes, dict[str, Any]]:
    paths = [os.fsencode(candidate.path) for candidate in candidates]
    with catalogue.transaction() as connection:
        rows = queries.known_paths(connection, owner=owner, host=HOST, paths=paths)
        return {bytes(row["path_bytes"]): row for row in rows}


def _known_files(
    catalogue: Postgres, owner: UUID, candidates: Sequence[Candidate]
) -> dict[tuple[int, str, int, int], str]:
    inodes = [candidate.inode for candidate in candidates]
    with catalogue.transaction() as connection:
        return {
            (int(row["inode"]), row["volume"], row["size_bytes"], row["mtime_ns"]): row[
                "file_checksum"
            ]
            for row in queries.known_files(connection, owner=owner, host=HOST, inodes=inodes)
        }


def _is_other_spelling(known: Path, seen: Path) -> bool:
    """Tell whether two paths name one file because the file system sees no difference in them."""
    status = _status(known)
    is_same = fold(os.fspath(known)) == fold(os.fspath(seen))
    return is_same and status is not None and status.st_nlink == 1


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _parts(values: Iterable[Value]) -> Iterator[list[Value]]:
    every = list(values)
    for start in range(0, len(every), PATHS_PER_QUERY):
        yield every[start : start + PATHS_PER_QUERY]
