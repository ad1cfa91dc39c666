"""The artifact folder of this machine, and what it lacks of files that lie elsewhere.

Without an object store the folder is all there is. With one it is a cache: what is asked for is
fetched, and believed only if its digest is the one that was saved with the result.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import Protocol
from uuid import UUID

from blake3 import blake3
from filelock import FileLock, Timeout

from video_assets.media.errors import MediaError, UnreachableError
from video_assets.media.hashing import hash_file
from video_assets.storage.artifact_copies import Kept
from video_assets.storage.artifact_digests import MadeFile
from video_assets.storage.folder import Folder, Item, item_of
from video_assets.storage.objects import NoObjectError, Objects

FETCHING = ".fetching"
AT_ONCE = 8
RECENT_S = 600.0  # what was used since then may be about to be opened
TRIM_EVERY_S = 60.0
TRIM_TO = 0.9
ASKED_AT_ONCE = 1_000


class DamagedError(UnreachableError):
    """What lies in the artifact store is not what was put there."""


class Shelf(Protocol):
    """Who knows what files must be, and where they lie."""

    def find(self, names: Sequence[str], owner: UUID | None = None) -> dict[str, Kept]:
        """Look files up; what was never put into the store is absent.

        owner  whose copies count; None: any that whoever asks may read
        """
        ...

    def lose(self, key: str) -> None:
        """Take note that a store does not have what it should."""
        ...

    def is_in_hand(self, made: MadeFile) -> bool:
        """Whether somebody is making this file anew."""
        ...

    def in_hand(self, checksums: Sequence[str]) -> set[str]:
        """Find the contents of which anything is being made."""
        ...


@dataclass(frozen=True)
class Cache:
    """The folder, and where its files come from if it is not all there is.

    limit_bytes  how large it may grow then
    """

    root: Path
    objects: Objects | None = None
    shelf: Shelf | None = None
    limit_bytes: int = 0

    def bring(self, name: str) -> Path:
        """Give the place of a file on this machine, and fetch it if it is not there.

        A file that nobody knows of may be missing at that place. Raises StoreError, and
        DamagedError for bytes that are not the right ones.
        """
        path = self.place(name)
        if self.shelf is not None and (kept := self.shelf.find([name]).get(name)):
            self._bring(kept, path)
        return path

    def bring_all(self, names: Iterable[str]) -> None:
        """Fetch what is not there; whatever cannot be had is left out."""
        if self.shelf is None:
            return
        found = self.shelf.find(list(dict.fromkeys(names))).values()
        with ThreadPoolExecutor(AT_ONCE) as workers:
            list(workers.map(self._try_to_bring, found))
        self.trim_if_due()

    def place(self, name: str) -> Path:
        """Say where a file is, or would be; raises ValueError for a name that leads elsewhere."""
        parts = name.split("/")
        if len(parts) != 4 or any(part in ("", ".", "..") or "\\" in part for part in parts):
            raise ValueError(f"{name!r} is no name of an artifact")
        return self.root.joinpath(*parts)

    def trim(self, limit_bytes: int, *, idle_s: float = RECENT_S) -> int:
        """Remove what was not used for longest, until the rest is small enough; give the bytes.

        Only files that lie in the object store go, and none that a run has in hand.

        idle_s  how long a file must not have been used
        """
        folder, freed = Folder(self.root), 0
        listed = _listed(self.root) if self.root.is_dir() else ()
        items = sorted(listed, key=lambda item: item.used_ns)
        surplus = sum(item.size_bytes for item in items) - limit_bytes
        if surplus <= 0:
            return 0
        surplus += int(limit_bytes * (1 - TRIM_TO))
        for item in self._spare(items):
            if freed >= surplus:
                break
            now = folder.look(item.name)
            is_spare = now is not None and now == item and _age_s(now) >= idle_s
            if is_spare and folder.remove(item.name):
                freed += item.size_bytes
        return freed

    def trim_if_due(self) -> None:
        """Trim to the limit, unless that was done a moment ago or another process does it."""
        if self.shelf is None or not self.root.is_dir():
            return
        lock = self.root / ".trim.lock"
        with contextlib.suppress(Timeout), FileLock(lock).acquire(timeout=0):
            stamp = self.root / ".trimmed"
            if not stamp.exists() or time.time() - stamp.stat().st_mtime > TRIM_EVERY_S:
                self.trim(self.limit_bytes)
                stamp.touch()

    def _bring(self, kept: Kept, path: Path) -> None:
        if not _is_right(path, kept.made):
            self._fetch(kept, path)
        _note_use(path)

    def _try_to_bring(self, kept: Kept) -> None:
        with contextlib.suppress(UnreachableError, ValueError):
            self._bring(kept, self.place(kept.made.name))

    def _spare(self, items: Sequence[Item]) -> Iterator[Item]:
        """Give those that can be had again and that nobody works with, in the same order."""
        if self.shelf is None:
            return
        for start in range(0, len(items), ASKED_AT_ONCE):
            some = items[start : start + ASKED_AT_ONCE]
            kept = self.shelf.find([item.name for item in some])
            again = [
                item
                for item in some
                if (found := kept.get(item.name))
                and found.key
                and found.made.size_bytes == item.size_bytes
            ]
            busy = self.shelf.in_hand(sorted({item.name.split("/")[1] for item in again}))
            yield from (item for item in again if item.name.split("/")[1] not in busy)

    def _fetch(self, kept: Kept, path: Path) -> None:
        """Fetch a file beside its place, and put it there when it is whole and right."""
        if kept.key is None or self.objects is None or self.shelf is None:
            raise UnreachableError(_lacking(kept.made))
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{os.getpid()}-{get_ident()}{FETCHING}")
        try:
            with beside.open("wb") as file:
                for chunk in checked(self.objects.read(kept.key), kept.made):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if path.exists() and self.shelf.is_in_hand(kept.made):
                raise UnreachableError("a file that was made of this clip is being made anew")
            beside.replace(path)
        except DamagedError:
            self.shelf.lose(kept.key)
            raise
        except NoObjectError:
            self.shelf.lose(kept.key)
            raise UnreachableError(_lacking(kept.made)) from None
        finally:
            beside.unlink(missing_ok=True)


def checked(chunks: Iterable[bytes], made: MadeFile) -> Iterator[bytes]:
    """Pass bytes on, and raise DamagedError after the last if they were not the right ones."""
    digest, size = blake3(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        yield chunk
    if size != made.size_bytes:
        raise DamagedError(f"the artifact store gave {size} of {made.size_bytes} bytes of a file")
    if digest.hexdigest() != made.blake3:
        raise DamagedError("the artifact store gave other bytes than were put there")


def _lacking(made: MadeFile) -> str:
    return (
        f"the artifact store lacks a file that {made.asset} made of this clip; if it lies in an "
        f"earlier one, `video-assets artifacts move` brings it, else materialize {made.asset} for "
        "this clip alone in the Dagster UI"
    )


def _listed(folder: Path, name: str = "") -> Iterator[Item]:
    """List what lies in a folder at any depth, at a tenth of what a careful look costs."""
    with os.scandir(folder) as entries:
        for entry in entries:
            below = f"{name}/{entry.name}" if name else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _listed(folder / entry.name, below)
            elif entry.is_file(follow_symlinks=False):
                yield item_of(below, entry.stat(follow_symlinks=False))


def _is_right(path: Path, made: MadeFile) -> bool:
    try:
        if path.stat().st_size != made.size_bytes:
            return False
        return hash_file(path).hexdigest == made.blake3
    except (OSError, MediaError):
        return False


def _note_use(path: Path) -> None:
    """Note that it is used; its own time of writing stays, by which clean-up marks it."""
    with contextlib.suppress(OSError):
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))


def _age_s(item: Item) -> float:
    return time.time() - item.used_ns / 1e9
