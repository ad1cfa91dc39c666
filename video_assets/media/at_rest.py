"""Files at rest: nobody writes them any more, as far as a reader can tell.

Two equal looks at a file that was quiet for a while are the ground. Two things they miss: a writer
that pauses, which Linux tells of a local file; and a copy that had its full size from the start,
whose end is zeros until the copy comes there.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b

from video_assets.media.discovery import Candidate
from video_assets.media.errors import MediaError
from video_assets.media.regular_file import modified_ns, open_regular

if sys.platform == "linux":
    import fcntl

QUIET_S = 5.0  # a camera card is written in bursts; a pause this long is the end of a file
HOLLOW_QUIET_S = 3_600.0  # some recorders do end files in zeros, so these are taken at last
TAIL_BYTES = 65_536

Looks = dict[str, str]
"""What was seen of files, in a few bytes each, to be compared with the next look."""


def part(
    files: Iterable[Candidate], earlier: Mapping[str, str], *, at_most: int | None = None
) -> tuple[list[Candidate], Looks]:
    """Find the files at rest among new ones, by an earlier look; give this look for the next.

    at_most  how many files are looked at; those that were looked at before go first
    """
    named = [(_digest(os.fsencode(file.path)), file) for file in files]
    named.sort(key=lambda each: each[0] not in earlier)
    looks = {name: _traits(file) for name, file in named[:at_most]}
    resting = [
        file
        for name, file in named[:at_most]
        if earlier.get(name) == looks[name] and is_at_rest(file, now_ns=time.time_ns())
    ]
    return resting, looks


def wait_for_rest(files: Sequence[Candidate]) -> list[Candidate]:
    """Look at files again after a while, and give those at rest."""
    if not files:
        return []
    _, looks = part(files, {})
    time.sleep(QUIET_S)
    again = (_look_again(file) for file in files)
    resting, _ = part((file for file in again if file), looks)
    return resting


def is_at_rest(file: Candidate, *, now_ns: int) -> bool:
    """Tell whether a file that did not change between two looks can be taken."""
    age_ns = now_ns - file.mtime_ns
    if 0 <= age_ns < QUIET_S * 1e9 or is_open_for_writing(file):
        return False
    # A time in the future (a camera's wrong clock) tells nothing, so such a file is not waited for.
    return age_ns < 0 or age_ns >= HOLLOW_QUIET_S * 1e9 or not has_hollow_end(file)


def is_open_for_writing(file: Candidate) -> bool:
    """Tell whether a process of this machine has a file open to write it; only Linux knows.

    The kernel grants a read lease only on files that no process can write.
    """
    if sys.platform != "linux":
        return False
    try:
        with open_regular(file.path) as descriptor:
            # Who opens the file within these microseconds waits, and we are told by a signal: by
            # default SIGIO, which would end this process.
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except (OSError, MediaError):  # not ours, or on another machine: nobody can tell
        return False
    return False


def has_hollow_end(file: Candidate) -> bool:
    """Tell whether the last bytes of a file are all zero."""
    try:
        with open_regular(file.path) as descriptor:
            length = min(TAIL_BYTES, file.size_bytes)
            return not any(os.pread(descriptor, length, file.size_bytes - length))
    except (OSError, MediaError):  # reading it will say why
        return False


def _look_again(file: Candidate) -> Candidate | None:
    try:
        status = file.path.stat()
    except OSError:
        return None
    return replace(
        file, size_bytes=status.st_size, mtime_ns=modified_ns(status), inode=status.st_ino
    )


def _traits(file: Candidate) -> str:
    return _digest(f"{file.size_bytes} {file.mtime_ns} {file.inode}".encode())


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=9).hexdigest()
