"""A regular file: opening it for reading without hanging, and saying why that cannot be done."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from video_assets.media.errors import UnreachableError

_NOT_REGULAR = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def name_irregular(mode: int) -> str | None:
    """Say what a directory entry is if it is no regular file: `a folder`, `a named pipe`, …."""
    if stat.S_ISREG(mode):
        return None
    return next((name for test, name in _NOT_REGULAR if test(mode)), "no regular file")


def explain_os_error(error: OSError) -> str:
    """Say why the system refused, without the path that the error itself carries."""
    if isinstance(error, FileNotFoundError):
        return "the file is gone; it was moved, deleted, or its drive was removed"
    if isinstance(error, PermissionError):
        return "no permission to read the file; allow reading it and run again"
    return f"the system cannot read the file: {os.strerror(error.errno or 0)}"


def modified_ns(status: os.stat_result) -> int:
    """When a file was written, within what a database takes: a wrong clock can be anywhere."""
    return max(-(2**63), min(2**63 - 1, status.st_mtime_ns))


@contextmanager
def open_regular(path: Path) -> Iterator[int]:
    """Open a regular file, or a link to one, and give its descriptor.

    A pipe, socket or device is refused before it is opened, because opening one can block.

    Raises UnreadableError.
    """
    try:
        _refuse_irregular(path.stat().st_mode)
        # Non-blocking: a pipe that takes the file's place between the two calls cannot hang us.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
    except OSError as error:
        raise UnreachableError(explain_os_error(error)) from None
    try:
        _refuse_irregular(os.fstat(descriptor).st_mode)
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse_irregular(mode: int) -> None:
    if what := name_irregular(mode):
        raise UnreachableError(f"expected a file, found {what}")


def confirm_readable(path: Path) -> None:
    """Tell a drive that went away from a broken clip, which look the same to a demuxer.

    Raises UnreadableError if the last byte cannot be read now.
    """
    with open_regular(path) as descriptor:
        read_at(descriptor, 1, max(0, os.fstat(descriptor).st_size - 1))


def read_head(path: Path, length: int = 64) -> bytes:
    """Read the first bytes of a file.

    Raises UnreadableError.
    """
    with open_regular(path) as descriptor:
        return read_at(descriptor, length, 0)


def read_at(descriptor: int, length: int, offset: int) -> bytes:
    """Read from a place in an open file.

    Raises UnreadableError.
    """
    try:
        return os.pread(descriptor, length, offset)
    except OSError as error:
        raise UnreachableError(explain_os_error(error)) from None
