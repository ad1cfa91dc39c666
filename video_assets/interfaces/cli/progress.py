"""Live progress on stderr: a bar where a person looks on, plain lines where none does."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import psycopg
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from video_assets.interfaces.cli.wording import counted, size, span
from video_assets.progress import in_hand
from video_assets.storage import advance, locations
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registered

POLL_S = 0.5
PLAIN_S = 10.0  # between two plain lines
BUSY_SHARE = 0.05  # of the time, at most, that polling may cost the database


class Meter:
    """Shows how far a command has come; safe to call from any thread."""

    def __init__(self, *, quiet: bool = False) -> None:
        """Look whether stderr is a terminal."""
        self.console = Console(file=sys.stderr, quiet=quiet)  # this one, whoever redirects it
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._said_at, self._what = 0.0, ""
        self._read_bytes = self._total_bytes = self._files = self._total_files = 0
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Print one line, above the bar if there is one."""
        console = self._bar.console if self._bar else self.console
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    def start_reading(self, files: int, total_bytes: int, what: str = "Reading") -> None:
        """Begin to read new files, or to do something else to all their bytes."""
        self._what = what
        self._total_files, self._total_bytes = files, total_bytes
        self._files = self._read_bytes = 0
        if files:
            self._start(what, total_bytes)

    def advance_bytes(self, count: int) -> None:
        """Note that bytes were read."""
        self._read_bytes += count
        if self._bar is not None or self._is_due():
            self._show(self._read_bytes, self._reading())

    def note_file(self, file: Registered) -> None:
        """Note that a file was registered, or refused."""
        self._files += file.state != "known"
        if file.state == "unreadable":
            self.say(f"{locations.display(file.path)}: {file.reason}")

    def end_reading(self) -> None:
        """All new files were read."""
        if self._total_files:
            self._stop(self._what, self._reading())
        self._total_files = 0

    def _reading(self) -> str:
        rate = self._read_bytes / max(time.monotonic() - self._began, 1e-3)
        left = left_of(self._read_bytes, self._total_bytes, rate)
        return f"{size(self._read_bytes)} of {size(self._total_bytes)}, {size(int(rate))}/s{left}"

    @contextmanager
    def processing(
        self, catalogue: Postgres, due: Mapping[str, int], assets: Sequence[str]
    ) -> Iterator[None]:
        """Show the ledger's advance over some clips while the block runs."""
        total, ended = sum(due.values()), threading.Event()
        since = advance.now(catalogue)
        self._start("Processing", total)
        poller = threading.Thread(
            target=self._poll, args=(catalogue, due, assets, since, ended), daemon=True
        )
        poller.start()
        try:
            yield
            done = advance.advance(catalogue, due, assets, since)
            self._show(done.cells, self._processing(done, due))
        finally:
            ended.set()
            self._stop("Processing", None)

    @contextmanager
    def counting(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show how many of so many clips are behind; the block calls for each few that are."""
        done = 0

        def advance_clips(count: int) -> None:
            nonlocal done
            done += count
            if self._bar is not None or self._is_due():
                self._show(done, told())

        def told() -> str:
            rate = done / max(time.monotonic() - self._began, 1e-3)
            return f"{done:,} of {counted(total, 'clip')}{left_of(done, total, rate)}"

        self._start(what, total)
        try:
            yield advance_clips
        finally:
            self._stop(what, told())

    def _poll(
        self,
        catalogue: Postgres,
        due: Mapping[str, int],
        assets: Sequence[str],
        since: datetime,
        ended: threading.Event,
    ) -> None:
        wait_s = POLL_S
        while not ended.wait(wait_s):
            asked_at = time.monotonic()
            try:
                done = advance.advance(catalogue, due, assets, since)
            except psycopg.Error:  # the work itself says what is wrong with the database
                return
            wait_s = max(POLL_S, (time.monotonic() - asked_at) / BUSY_SHARE)
            if not ended.is_set() and (self._bar is not None or self._is_due()):
                self._show(done.cells + sum(_shares()), self._processing(done, due))

    def _processing(self, done: advance.Advance, due: Mapping[str, int]) -> str:
        total = sum(due.values())
        cells_per_s = done.cells / max(time.monotonic() - self._began, 1e-3)
        clips_per_s = cells_per_s * len(due) / total if total else 0.0
        left = left_of(done.cells, total, cells_per_s)
        if done.cells >= total:
            left = ", finishing"
        step = f", {done.step}" if done.step else ""
        if furthest := max(_shares(), default=0.0):
            step += f" {furthest:.0%} of a clip"
        return (
            f"{done.clips:,} of {counted(len(due), 'clip')}{step}, {clips_per_s:.1f} clips/s{left}"
        )

    def _start(self, what: str, total: int) -> None:
        self._began = time.monotonic()
        self._said_at = self._began
        if self.console.is_terminal and not self.console.quiet:
            self._bar = Progress(
                TextColumn("{task.description:<10}"),
                BarColumn(bar_width=14),
                TextColumn("{task.fields[text]}"),
                console=self.console,
                transient=True,
            )
            self._task = self._bar.add_task(what, total=total or None, text="")
            self._bar.start()

    def _show(self, completed: float, text: str) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=completed, text=text)
        elif not self.console.quiet:
            self._said_at = time.monotonic()
            self.say(text)

    def close(self) -> None:
        """Take the bar away, and give the terminal its cursor back."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _stop(self, what: str, text: str | None) -> None:
        self.close()
        if text is not None:
            self.say(f"{what}: {text}")

    def _is_due(self) -> bool:
        return time.monotonic() - self._said_at >= PLAIN_S


def _shares() -> list[float]:
    """How much is done of each clip that reports it."""
    return [share for lane in list(in_hand.values()) for share in lane if share > 0]


def left_of(done: float, total: float, per_s: float) -> str:
    """Say how long the rest will take, once that can be told."""
    if not per_s or done >= total:
        return ""
    return f", {span((total - done) / per_s)} left"
