"""Slots: how many tasks of a lane are in work on this machine, whichever processes give them.

A slot is a locked file in `<home>/lanes/<lane>/`, and so is a place in the queue for one. The
system unlocks it when the process that holds it ends, however it ends, so nothing has to clean up.

Processes may disagree on the size of a lane: each takes slots up to its own size, so there are
never more than the largest. In the queue a step goes first by its priority, and after a while by
how long it has waited, so that nobody waits for ever.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

LOOK_S = 0.1  # between two looks for a slot: each costs 1 ms
LAPSED_S = 5.0  # who has not looked for so long is suspended, and passed over
POINT_S = 1.0  # a point of priority is worth a second in the queue
TURN_S = 1.0  # how long a slot may be kept while others wait
GUARD_POLL_S = 0.002  # the guard is held for less than that
GUARD, WAITING = "guard", "waiting-"

_numbers = count()


@dataclass(frozen=True, order=True)
class _Ticket:
    """A place in the queue: when it was taken, and who took it."""

    turn: float  # lower goes first
    size: int
    held: int
    name: str

    @classmethod
    def read(cls, name: str) -> "_Ticket":
        turn, size, held, _ = name.removeprefix(WAITING).split("-", 3)
        return cls(float(turn), int(size), int(held), name)


class Slots:
    """What one run of tasks holds of a lane."""

    def __init__(self, folder: Path, size: int, *, priority: int) -> None:
        """Hold none yet.

        folder    of the lane; processes with the same folder share it
        size      slots that the lane has
        priority  lower goes first
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._size = size
        self._priority = priority
        self._held: list[tuple[float, int, FileLock]] = []
        self._waiting: tuple[_Ticket, FileLock] | None = None
        self._looked_at = 0.0

    @property
    def held(self) -> int:
        """How many it holds now."""
        return len(self._held)

    def take(self) -> bool:
        """Take one more, or queue for it; ask again until there is one, or leave the queue."""
        if self._waiting is not None and time.monotonic() - self._looked_at < LOOK_S:
            return False
        self._looked_at = time.monotonic()
        with _guarded(self._folder):
            mine = self._waiting[0] if self._waiting else self._ticket()
            ahead = [each.size for each in self._queue() if each < mine]
            # What those ahead cannot use is free for whoever comes behind. The low slots are left
            # to those who know of no others.
            for number in reversed(range(max(ahead, default=0), self._size)):
                lock = _lock(self._folder / str(number))
                if lock is not None:
                    self._held.append((time.monotonic(), number, lock))
                    self._tear_ticket()
                    return True
            if self._waiting is None and (lock := _lock(self._folder / mine.name)):
                self._waiting = (mine, lock)
            os.utime(self._folder / mine.name)
            return False

    def is_wanted(self) -> bool:
        """Tell whether a slot should go to somebody who holds fewer and has waited for it."""
        if not self._held or not _names(self._folder):
            return False
        taken_at, number, _ = self._held[0]
        if time.monotonic() - taken_at < TURN_S:
            return False
        again = self._ticket()
        with _guarded(self._folder):
            return any(
                each.turn < again.turn and each.held < self.held and number < each.size
                for each in self._queue()
            )

    def give_back(self) -> None:
        """Free the slot that was held longest."""
        _, _, lock = self._held.pop(0)
        lock.release()

    def close(self) -> None:
        """Free all, and leave the queue."""
        while self._held:
            self.give_back()
        self.leave_queue()

    def leave_queue(self) -> None:
        """Wait for no more: what is held is enough."""
        if self._waiting is not None:
            with _guarded(self._folder):
                self._tear_ticket()

    def _ticket(self) -> _Ticket:
        turn = time.monotonic() + self._priority * POINT_S
        facts = f"{turn:017.6f}-{self._size}-{self.held}-{os.getpid()}.{next(_numbers)}"
        return _Ticket.read(WAITING + facts)

    def _queue(self) -> list[_Ticket]:
        """List who else waits; the tickets of the dead are swept."""
        waiting: list[_Ticket] = []
        for name in _names(self._folder):
            if self._waiting is not None and name == self._waiting[0].name:
                continue
            lock = _lock(self._folder / name)
            if lock is not None:
                (self._folder / name).unlink()
                lock.release()
            elif time.time() - (self._folder / name).stat().st_mtime < LAPSED_S:
                waiting.append(_Ticket.read(name))
        return waiting

    def _tear_ticket(self) -> None:
        if self._waiting is not None:
            ticket, lock = self._waiting
            (self._folder / ticket.name).unlink(missing_ok=True)
            lock.release()
            self._waiting = None


@dataclass(frozen=True)
class Use:
    """What is going on in a lane."""

    held: int
    waiting: int


def in_use(folder: Path) -> dict[str, Use]:
    """Count, by lane below `folder`, the slots that are held and those who wait for one."""
    return {each.name: _use(each) for each in sorted(folder.glob("*/")) if each.is_dir()}


def _use(lane: Path) -> Use:
    with _guarded(lane):
        held = sum(_is_held(each) for each in lane.iterdir() if each.name.isdigit())
        waiting = sum(_is_held(lane / name) for name in _names(lane))
    return Use(held, waiting)


def _is_held(path: Path) -> bool:
    lock = _lock(path)
    if lock is not None:
        lock.release()
    return lock is None


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(WAITING))


def _lock(path: Path) -> FileLock | None:
    """Lock a file, or give None when somebody holds it."""
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return lock


@contextmanager
def _guarded(folder: Path) -> Iterator[None]:
    """Keep everybody else from changing the queue for a moment."""
    with FileLock(folder / GUARD, thread_local=False).acquire(poll_interval=GUARD_POLL_S):
        yield
