"""One exiftool a process, kept open: starting it costs ten times what reading a file does.

Our own talk over `-stay_open`, because pyexiftool waits for ever for one that has died.
"""

import atexit
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from video_assets.media.errors import ToolMissingError, UnreachableError, UnreadableError
from video_assets.media.regular_file import confirm_readable

TIMEOUT_S = 60.0
ENDS_WITHIN_S = 5.0  # after it has closed its pipes
_READY = b"{ready}"
_BLOCK = 1 << 16
HOW_TO_GET_IT = (
    "on Debian and Ubuntu the package is libimage-exiftool-perl, with Homebrew it is exiftool; "
    "or call bin/video-assets where npm and perl are, which brings it along"
)


def find_exiftool() -> str | None:
    """Find the program: on the PATH, or beside this Python."""
    return shutil.which("exiftool") or shutil.which("exiftool", path=Path(sys.executable).parent)


class WrittenFloat(float):
    """A number that still shows how it was written: version 1.10 comes without quotes too."""

    written: str

    def __new__(cls, written: str) -> "WrittenFloat":
        """Keep what was written."""
        number = super().__new__(cls, written)
        number.written = written
        return number

    def __str__(self) -> str:
        """Show it as it was written."""
        return self.written


class ExifTool:
    """A running exiftool that answers one question at a time."""

    def __init__(self, program: str) -> None:
        """Start it. It ends by itself when its standard input does, so it never outlives us."""
        self._process: Any = subprocess.Popen(
            [program, "-stay_open", "True", "-@", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        self._stdin, self._stdout = self._process.stdin, self._process.stdout

    @property
    def is_running(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, arguments: Sequence[str], path: Path, *, timeout_s: float = TIMEOUT_S) -> bytes:
        """Give what it prints for one file.

        Raises UnreadableError where it hangs or dies on the file, UnreachableError where somebody
        kills it; it is ended then.
        """
        with _plain_name(path) as name:
            lines = [os.fsencode(argument) for argument in arguments] + [os.fsencode(name)]
            try:
                self._stdin.write(b"\n".join([*lines, b"-execute\n"]))
                return self._answer(timeout_s)
            except (BrokenPipeError, EOFError):
                raise self._ended() from None

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()

    def _ended(self) -> UnreadableError:
        """Say how it came to an end of its own, which its closed pipes foretell."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDS_WITHIN_S)
        is_killed = self._process.poll() == -signal.SIGKILL
        self.close()
        if is_killed:
            return UnreachableError(
                "exiftool was killed from outside, as the system does when memory runs out; "
                "run the same command again"
            )
        return UnreadableError("exiftool ended while it read the clip")

    def _answer(self, timeout_s: float) -> bytes:
        stream, said, until = self._stdout, b"", time.monotonic() + timeout_s
        while not said.rstrip().endswith(_READY):
            left_s = until - time.monotonic()
            if left_s <= 0 or not select.select([stream], [], [], left_s)[0]:
                self.close()
                raise UnreadableError(f"exiftool did not come to an end within {timeout_s:.0f} s")
            if not (block := os.read(stream.fileno(), _BLOCK)):
                raise EOFError
            said += block
        return said.rstrip().removesuffix(_READY)


_running: dict[int, ExifTool] = {}  # by process id: a fork must not share its parent's


def read_tags(
    path: Path, arguments: Sequence[str], *, timeout_s: float = TIMEOUT_S
) -> dict[str, Any]:
    """Read a file's tags as exiftool's JSON.

    Raises ToolMissingError where there is no exiftool, UnreadableError where it fails on the file,
    UnreachableError where somebody kills it.
    """
    tool = _running.get(os.getpid())
    if tool is None or not tool.is_running:
        tool = _running[os.getpid()] = _start()
    said = tool.ask(["-j", *arguments], path, timeout_s=timeout_s)
    try:
        (tags,) = json.loads(said.decode("utf-8", "replace"), parse_float=WrittenFloat)
    except ValueError:
        confirm_readable(path)
        raise UnreadableError("exiftool finds nothing in it that it can read") from None
    return tags


def _start() -> ExifTool:
    """Start one that answers: what ends here, without a file, is not the fault of any clip."""
    program = find_exiftool()
    if program is None:
        raise ToolMissingError(f"exiftool is not installed: {HOW_TO_GET_IT}")
    try:
        tool = ExifTool(program)
        tool.ask(["-ver"], Path(os.devnull))
    except UnreachableError:
        raise
    except (OSError, UnreadableError) as error:
        why = os.strerror(error.errno or 0) if isinstance(error, OSError) else error
        what = f"the exiftool that is installed does not run ({why})"
        raise ToolMissingError(f"{what}: {HOW_TO_GET_IT}") from None
    atexit.register(tool.close)
    return tool


@contextmanager
def _plain_name(path: Path) -> Iterator[str]:
    """Give a name that fits on one line: exiftool takes each line for an argument of its own."""
    name = os.path.abspath(path)  # noqa: PTH100  Path would resolve links
    if not any(mark in name for mark in "\r\n"):
        yield name
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / f"clip{path.suffix if path.suffix.isalnum() else ''}"
        link.symlink_to(name)
        yield str(link)
