"""A folder of ours, in which files are listed and removed, and nothing outside of it ever is.

No link is followed below the folder, not even one that is put there while we look: every part of a
name is opened from the one before it. The folder itself may be a link, as to a larger disk.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NO_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class OutsideError(ValueError):
    """A name that does not stay in its folder."""


@dataclass(frozen=True)
class Item:
    """A file, by its name below the folder.

    used_ns  when it was last read, or noted to be used; another use makes it no other file
    """

    name: str
    size_bytes: int
    mtime_ns: int
    used_ns: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Folder:
    """Everything below one root."""

    root: Path

    def folders(self, name: str = "") -> list[str]:
        """Name the folders right below one, in order; none where there is no such folder."""
        return [each for each, found in self._scan(name) if stat.S_ISDIR(found.st_mode)]

    def files(self, name: str = "") -> Iterator[Item]:
        """List the regular files below a folder, at any depth; links are passed over."""
        for each, found in self._scan(name):
            below = f"{name}/{each}" if name else each
            if stat.S_ISDIR(found.st_mode):
                yield from self.files(below)
            elif stat.S_ISREG(found.st_mode):
                yield item_of(below, found)

    def look(self, name: str) -> Item | None:
        """Look at one file; None where there is no regular file of this name."""
        with self._enter(name) as (parent, last):
            found = _status(last, parent)
        if found is None or not stat.S_ISREG(found.st_mode):
            return None
        return item_of(name, found)

    def remove(self, name: str) -> bool:
        """Remove one file or link, never what a link leads to; False if there is no such file.

        Raises OutsideError for a name that would leave the folder.
        """
        with self._enter(name) as (parent, last):
            found = _status(last, parent)
            if found is None or stat.S_ISDIR(found.st_mode):
                return False
            try:
                os.unlink(last, dir_fd=parent)
            except FileNotFoundError:
                return False
        return True

    def remove_tree(self, name: str) -> int:
        """Remove a folder with all that is below it, and give the number of its files.

        Raises OutsideError for a name that would leave the folder.
        """
        removed = 0
        for each, found in self._scan(name):
            is_folder = stat.S_ISDIR(found.st_mode)
            below = f"{name}/{each}"
            removed += self.remove_tree(below) if is_folder else self.remove(below)
        with self._enter(name) as (parent, last):
            try:
                if parent is not None:
                    os.rmdir(last, dir_fd=parent)
            except OSError as error:  # somebody writes there again, or it was none
                if error.errno not in (*_NO_FOLDER, errno.ENOTEMPTY, errno.EEXIST):
                    raise
        return removed

    def _scan(self, name: str) -> list[tuple[str, os.stat_result]]:
        """List what lies right below a folder, in order."""
        with self._open(_parts(name) if name else []) as folder:
            if folder is None:
                return []
            found = ((each, _status(each, folder)) for each in sorted(os.listdir(folder)))  # noqa: PTH208
            return [(each, status) for each, status in found if status is not None]

    @contextmanager
    def _enter(self, name: str) -> Iterator[tuple[int | None, str]]:
        """Open the folder in which a name stands; None where there is none."""
        *folders, last = _parts(name)
        with self._open(folders) as parent:
            yield parent, last

    @contextmanager
    def _open(self, parts: list[str]) -> Iterator[int | None]:
        opened: list[int] = []
        is_there = True
        try:
            try:
                opened.append(os.open(self.root, _ENTER))
                for part in parts:
                    opened.append(os.open(part, _ENTER | os.O_NOFOLLOW, dir_fd=opened[-1]))
            except OSError as error:
                if error.errno not in _NO_FOLDER:
                    raise
                is_there = False
            yield opened[-1] if is_there else None
        finally:
            for descriptor in opened:
                os.close(descriptor)


def item_of(name: str, found: os.stat_result) -> Item:
    """Describe a file by what the system says of it."""
    return Item(name, found.st_size, found.st_mtime_ns, max(found.st_atime_ns, found.st_mtime_ns))


def _parts(name: str) -> list[str]:
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise OutsideError(f"{name!r} is no name of a file inside its folder")
    return parts


def _status(name: str, folder: int | None) -> os.stat_result | None:
    if folder is None:
        return None
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
