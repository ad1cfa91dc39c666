"""A survey: what lies in a place, held against what the catalogue knows to lie there."""

import os
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from video_assets.media.discovery import Candidate, Listing, absolute
from video_assets.media.file_names import is_hidden_or_junk
from video_assets.storage import forgotten, locations
from video_assets.storage.locations import HOST, queries
from video_assets.storage.postgres import Postgres

REFUSED_AGAIN_S = 3_600  # after which a file that could not be read is new again


@dataclass(frozen=True)
class Survey:
    """What a look at one place found.

    known   how many files are the ones that the catalogue knows there
    new     files that have to be read, but none that its owner forgot
    moved   files known under another name
    back    how many known files were missing and are there again
    gone    how many known files are not there any more
    remark  why known files that are not to be seen are not called missing
    """

    known: int = 0
    new: tuple[Candidate, ...] = ()
    moved: tuple[Candidate, ...] = ()
    back: int = 0
    gone: int = 0
    remark: str | None = None


def survey(catalogue: Postgres, owner: UUID, root: Path, listing: Listing) -> Survey:
    """Hold a listing of one place against the catalogue, and note there what is gone or back.

    The listing may be a part of it. A place that cannot be reached, or that was full and is
    suddenly empty, says nothing of its files.
    """
    if listing.unreachable:
        return Survey(remark=listing.unreachable[0].reason)
    root = absolute(root)
    with catalogue.transaction() as connection:
        rows = list(queries.known_between(connection, owner=owner, **_span(root, listing)))
    by_path = {row["path_bytes"]: row for row in rows}
    unseen = {path for path, row in by_path.items() if not row["is_missing"]}
    volumes: set[str] = set()
    back, elsewhere, others = list[Candidate](), list[Candidate](), list[Candidate]()
    for file in listing.candidates:
        path = os.fsencode(file.path)
        unseen.discard(path)
        row = by_path.get(path)
        if row is None or not locations.is_same(row, file):
            others.append(file)
            continue
        volumes.add(file.volume)
        if row["is_missing"]:
            back.append(file)
        elif row["volume"] != file.volume:
            elsewhere.append(file)
    locations.touch(catalogue, owner, [*back, *elsewhere])
    known = locations.recognise(catalogue, owner, others)
    moved = tuple(file for file in others if file.path in known.renamed)
    here = {(file.volume, file.inode) for file in moved}
    suspects = [
        by_path[path]
        for path in _not_left_out(sorted(unseen), listing.left_out)
        if (by_path[path]["volume"], int(by_path[path]["inode"])) not in here
    ]
    is_bare = bool(suspects) and not listing.candidates and _is_bare(root)
    gone = [] if is_bare else [path for row in suspects if (path := _gone_from(row, volumes))]
    locations.mark_missing(catalogue, owner, gone)
    return Survey(
        known=len(listing.candidates) - len(others),
        new=forgotten.leave_out(catalogue, owner, known.unknown),
        moved=moved,
        back=len(back),
        gone=len(gone),
        remark=f"it is empty, but {len(suspects)} known files were there" if is_bare else None,
    )


def count_places(catalogue: Postgres, owner: UUID, root: Path) -> tuple[int, int]:
    """Count the files that are known to lie in a place, and those that are missing there."""
    span = _span(absolute(root), Listing(()))
    with catalogue.transaction() as connection:
        row = queries.count_between(connection, owner=owner, **span)
    return row["known"], row["missing"]


def without_refused(
    catalogue: Postgres, owner: UUID, files: Sequence[Candidate]
) -> list[Candidate]:
    """Leave out files that could not be read a while ago and have not changed since."""
    paths = [os.fsencode(file.path) for file in files]
    with catalogue.transaction() as connection:
        rows = queries.refused_since(
            connection, owner=owner, host=HOST, paths=paths, seconds=REFUSED_AGAIN_S
        )
        refused = {(row["path_bytes"], row["size_bytes"], row["mtime_ns"]) for row in rows}
    return [
        file
        for file, path in zip(files, paths, strict=True)
        if (path, file.size_bytes, file.mtime_ns) not in refused
    ]


def forget_mended(catalogue: Postgres, owner: UUID, root: Path, listing: Listing) -> None:
    """Forget files and folders that could not be read and are gone, or can be listed now."""
    root = absolute(root)
    rejected = {os.fsencode(reject.path) for reject in listing.rejects}
    with catalogue.transaction() as connection:
        rows = queries.unreadable_below(connection, owner=owner, **_span(root, listing))
        paths = [row["path_bytes"] for row in rows if row["path_bytes"] not in rejected]
        mended = [
            path
            for path in _not_left_out(paths, listing.left_out)
            if _is_mended(Path(os.fsdecode(path)))
        ]
        queries.forget_unreadable(connection, owner=owner, host=HOST, paths=mended)


def _gone_from(row: dict[str, Any], volumes: set[str]) -> Path | None:
    path = Path(os.fsdecode(row["path_bytes"]))
    return path if locations.is_gone(path, row["volume"], also_there=volumes) else None


def _is_mended(path: Path) -> bool:
    try:
        return path.is_dir() or (path.parent.is_dir() and not os.path.lexists(path))
    except OSError:
        return False


def _span(root: Path, listing: Listing) -> dict[str, Any]:
    """Give the paths of which a listing tells, as the queries take them."""
    below = os.fsencode(root).rstrip(b"/")
    return {
        "host": HOST,
        "root": os.fsencode(root),
        "after": max(below + b"/", listing.after),
        "until": below + b"0" if listing.end is None else listing.end,  # 0 comes after the slash
    }


def _not_left_out(paths: Iterable[bytes], folders: Sequence[bytes]) -> list[bytes]:
    """Leave out the paths below folders that were not looked into; both are sorted."""
    found = []
    for path in paths:
        place = bisect_right(folders, path)
        if place == 0 or not path.startswith(folders[place - 1]):
            found.append(path)
    return found


def _is_bare(root: Path) -> bool:
    """Tell whether a folder has nothing in it that a person put there."""
    try:
        return all(is_hidden_or_junk(name) for name in os.listdir(root))  # noqa: PTH208
    except OSError:
        return True
