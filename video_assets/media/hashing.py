"""The identity of a clip: the checksum of its bytes, read once and only if they hold still."""

import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from blake3 import blake3

from video_assets.media.errors import ChangedWhileReadError, UnreachableError
from video_assets.media.regular_file import explain_os_error, modified_ns, open_regular

Algorithm = Literal["blake3", "md5"]

# 8 MiB: measured, throughput is flat above. Not mapped into memory: a mapped file that shrinks
# while it is read kills the process with SIGBUS.
BUFFER_BYTES = 8 * 2**20


@dataclass(frozen=True)
class FileDigest:
    """A file's content and what its file system said of it while it was read."""

    algorithm: Algorithm
    hexdigest: str
    size_bytes: int
    mtime_ns: int
    inode: int


class _Hash(Protocol):
    def update(self, data: memoryview, /) -> object: ...
    def hexdigest(self) -> str: ...


def hash_file(
    path: Path, algorithm: Algorithm = "blake3", *, on_bytes: Callable[[int], None] | None = None
) -> FileDigest:
    """Hash a file from its first byte to its last.

    on_bytes  called with the number of bytes read since the last call; raising there cancels

    Raises UnreadableError, and ChangedWhileReadError if the file was written, truncated,
    replaced or deleted meanwhile.
    """
    with open_regular(path) as descriptor:
        before = os.fstat(descriptor)
        hexdigest, size_bytes = _hash_descriptor(descriptor, algorithm, on_bytes)
        _refuse_change(path, before, os.fstat(descriptor), size_bytes)
    return FileDigest(
        algorithm=algorithm,
        hexdigest=hexdigest,
        size_bytes=size_bytes,
        mtime_ns=modified_ns(before),
        inode=before.st_ino,
    )


def _hash_descriptor(
    descriptor: int, algorithm: Algorithm, on_bytes: Callable[[int], None] | None
) -> tuple[str, int]:
    digest: _Hash = (
        blake3(max_threads=blake3.AUTO)
        if algorithm == "blake3"
        else hashlib.md5(usedforsecurity=False)
    )
    buffer = memoryview(bytearray(BUFFER_BYTES))
    size_bytes = 0
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        while read := _read_into(file, buffer):
            digest.update(buffer[:read])
            size_bytes += read
            if on_bytes is not None:
                on_bytes(read)
    return digest.hexdigest(), size_bytes


def _read_into(file: io.FileIO, buffer: memoryview) -> int:
    try:
        return file.readinto(buffer) or 0
    except OSError as error:  # a drive that fails half way
        raise UnreachableError(explain_os_error(error)) from None


def _refuse_change(
    path: Path, before: os.stat_result, after: os.stat_result, size_bytes: int
) -> None:
    if after.st_nlink == 0:
        raise ChangedWhileReadError("the file was deleted while it was read")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ChangedWhileReadError(
            f"the file changed while it was read ({before.st_size} bytes before, {after.st_size} "
            "after); wait until it is copied and run again"
        )
    if size_bytes != after.st_size:
        raise ChangedWhileReadError(
            f"{size_bytes} of {after.st_size} bytes could be read; "
            "wait until it is copied and run again"
        )
    try:
        now = path.stat()
    except OSError:
        raise ChangedWhileReadError("the file was moved while it was read") from None
    if (now.st_dev, now.st_ino) != (after.st_dev, after.st_ino):
        raise ChangedWhileReadError("another file took its place while it was read")
