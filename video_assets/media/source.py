"""The file of a clip: opening it for reading without hanging, following or believing its name."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import av.container
import av.error
import av.logging

from video_assets.media.errors import NotAVideoError, UnreachableError, UnreadableError
from video_assets.media.sniff import explain_unopened, name_foreign_content

# What people's cameras, editors and browsers write. Left out on purpose: playlists (hls, concat),
# still pictures (image2, *_pipe) and generators (lavfi), which read other files or none at all.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpegtsraw,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,"
    "ivf,mxf,mxf_opatom,asf,asf_o,flv,live_flv,ogg,dv,gxf,lxf,nut,rm,wtv,vob,h263,vc1,yuv4mpegpipe,"
    "swf,roq,bink,nsv,ty,pva,film_cpk,amv,xwma,wav,w64,flac,mp3,aac,aiff,caf,ac3,eac3,au,amr"
)

_NOT_REGULAR = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True)
class Source:
    """One clip's content and a place where its bytes can be read now."""

    checksum: str
    path: Path


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
        _read_at(descriptor, 1, max(0, os.fstat(descriptor).st_size - 1))


def read_head(path: Path, length: int = 64) -> bytes:
    """Read the first bytes of a file.

    Raises UnreadableError.
    """
    with open_regular(path) as descriptor:
        return _read_at(descriptor, length, 0)


def _read_at(descriptor: int, length: int, offset: int) -> bytes:
    try:
        return os.pread(descriptor, length, offset)
    except OSError as error:
        raise UnreachableError(explain_os_error(error)) from None


@contextmanager
def open_media(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a clip for demuxing and decoding, read-only, and nothing else than that file.

    Raises UnreadableError if its bytes cannot be read or end too early, and NotAVideoError if
    they are something else than a clip.
    """
    av.logging.set_level(av.logging.PANIC)  # FFmpeg's log lines name the file
    with open_regular(path) as descriptor:
        if os.fstat(descriptor).st_size == 0:
            raise UnreadableError("the file is empty; copy it from the card again")
        if what := name_foreign_content(_read_at(descriptor, 64, 0)):
            raise NotAVideoError(f"expected a video, found {what}")
        try:
            container = av.open(
                # The prefix keeps a name like `http:x.mp4` from being taken for an address.
                "file:" + os.path.abspath(path),  # noqa: PTH100  Path would resolve links
                mode="r",
                metadata_errors="replace",
                options={"protocol_whitelist": "file", "format_whitelist": CONTAINERS},
            )
        except (av.error.FFmpegError, OSError, ValueError):
            raise explain_unopened(descriptor) from None
    with container:
        yield container
