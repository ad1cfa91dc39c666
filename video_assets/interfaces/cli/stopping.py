"""Ctrl-C and SIGTERM: one wish to stop, which every part of a long command can see."""

import signal
import threading
from types import FrameType
from typing import Any


class Stop:
    """Raises KeyboardInterrupt in the main thread when a stop is asked for, and remembers it."""

    def __init__(self) -> None:
        """Nobody has asked yet."""
        self.asked = threading.Event()
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Stop":
        """Listen to Ctrl-C and SIGTERM."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked.set()
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise in a thread that signals do not reach."""
        if self.asked.is_set():
            raise KeyboardInterrupt
