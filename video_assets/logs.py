"""The log of a home: one JSON line for each event, from every process that works on it.

`<home>/logs/video-assets.jsonl`. A line has time, level, logger and message; one about a clip has
clip (how its checksum begins), asset and run. Secrets are taken out of all of it.
"""

import contextlib
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from datetime import datetime, timezone
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

from filelock import FileLock
from pythonjsonlogger.json import JsonFormatter

from video_assets.redaction import protect, redact_all
from video_assets.settings import Settings

PACKAGE = "video_assets"
MOST_BYTES = 10_000_000
FILES_KEPT = 5  # beside the one that is written


def file_of(settings: Settings) -> Path:
    """Where the log of a home lies."""
    return settings.home / "logs" / "video-assets.jsonl"


def open_log(settings: Settings) -> Path:
    """Write from now on, in this process, into the log of a home; again has no effect."""
    file, root = file_of(settings), logging.getLogger()
    protect(settings.secrets)
    if _is_open(root, file):
        return file
    close_log()
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
    handler = _SharedFile(file)
    handler.setFormatter(_Line(("levelname", "name", "message"), rename_fields=_NAMES))
    handler.addFilter(_is_told)
    root.addHandler(handler)
    logging.getLogger(PACKAGE).setLevel(logging.INFO)
    return file


def close_log() -> None:
    """Write no more."""
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _SharedFile)]:
        root.removeHandler(handler)
        handler.close()


@contextmanager
def libraries_aside(settings: Settings) -> Iterator[None]:
    """Write what libraries have to say into the log instead of over a command's progress."""
    open_log(settings)
    with redirect_stderr(_Told(logging.getLogger("stderr"))):
        yield


_NAMES = {"levelname": "level", "name": "logger"}
_OURS = frozenset({"level", "logger", "clip", "asset", "run"})  # never of anybody else's making


def _is_open(root: logging.Logger, file: Path) -> bool:
    return any(isinstance(each, _SharedFile) and each.file == file for each in root.handlers)


def _is_told(record: logging.LogRecord) -> bool:
    """Take all of ours, and of libraries what goes wrong."""
    return record.levelno >= logging.WARNING or record.name.split(".")[0] == PACKAGE


class _Line(JsonFormatter):
    """A record as one line of JSON, its time first."""

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        time = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        told = {
            name: value if name in _OURS else redact_all(value) for name, value in log_data.items()
        }
        return {"time": time, **told}


class _SharedFile(WatchedFileHandler):
    """A file that several processes append to, and whoever finds it too long sets aside."""

    def __init__(self, file: Path) -> None:
        super().__init__(file, encoding="utf-8", errors="backslashreplace", delay=True)
        self.file = file

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            if self.file.stat().st_size > MOST_BYTES:
                self._set_aside()
        # On a full disk, or where a folder is in its place: the work goes on.
        with contextlib.suppress(OSError):
            super().emit(record)  # looks whether the file is still the one that it has open

    def _set_aside(self) -> None:
        with FileLock(self.file.with_suffix(".lock")):
            if self.file.stat().st_size <= MOST_BYTES:
                return  # another process was faster
            for number in range(FILES_KEPT - 1, 0, -1):
                older = self._number(number)
                if older.exists():
                    older.replace(self._number(number + 1))
            self.file.replace(self._number(1))

    def _number(self, number: int) -> Path:
        return self.file.with_name(f"{self.file.stem}.{number}{self.file.suffix}")

    def handleError(self, record: logging.LogRecord) -> None:
        """A line that cannot be written is lost, and nobody is told on stderr."""


class _Told(io.TextIOBase):
    """A stream whose lines become warnings in the log."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in filter(str.strip, lines):
            self._log.warning("%s", line)
        return len(text)

    def isatty(self) -> bool:
        return False
