"""How far a worker has come with the clip in hand, for whoever waits for it.

An analyzer that takes long has a parameter `progress: Progress` and calls it with the share that
is done. A worker that neither ends nor reports for its step's timeout has hung, and is ended.
"""

import time
from multiprocessing.context import BaseContext
from typing import Any

REPORT_EVERY_S = 0.2

in_hand: dict[str, list[float]] = {}
"""By lane, how much is done of each clip that this process has given to its workers."""


class Board:
    """Memory that workers and their parent share, one slot a task.

    There is no lock in it: a worker that is killed while it writes leaves nothing locked.
    """

    def __init__(self, context: BaseContext, slots: int) -> None:
        """Make room for so many tasks at a time."""
        self._values: Any = context.RawArray("d", 2 * slots)
        self._free = list(range(slots))

    def take(self) -> int:
        """Reserve a slot whose task has not begun."""
        slot = self._free.pop()
        self._values[2 * slot] = self._values[2 * slot + 1] = 0.0
        return slot

    def give_back(self, slot: int) -> None:
        """End a reservation."""
        self._free.append(slot)

    def note(self, slot: int, share: float) -> None:
        """Write, in the worker, how much is done."""
        self._values[2 * slot + 1] = share
        self._values[2 * slot] = time.monotonic()

    def silence_s(self, slot: int) -> float:
        """How long ago the task began or reported; 0 before it began."""
        noted_at = self._values[2 * slot]
        return time.monotonic() - noted_at if noted_at else 0.0

    def share(self, slot: int) -> float:
        """How much of the task is done, from 0 to 1."""
        return self._values[2 * slot + 1]


class Progress:
    """Called with the share of a clip that is done, as often as its analyzer likes."""

    def __init__(self, board: Board | None = None, slot: int = 0) -> None:
        """Report to a slot, or to nobody."""
        self._board, self._slot = board, slot
        self._reported_at = 0.0

    def __call__(self, share: float) -> None:
        """Report a share from 0 to 1; what comes too soon after another is passed over."""
        now = time.monotonic()
        if self._board is not None and now - self._reported_at >= REPORT_EVERY_S:
            self._reported_at = now
            self._board.note(self._slot, min(1.0, max(0.0, share)))
