"""Ctrl-C and SIGTERM: one wish to stop, which every part of a long command can see."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any, TypeVar

from video_assets import stopping
from video_assets.interfaces.cli.faults import STOPPED

Answer = TypeVar("Answer")
FINISHING = "stopping when the clips in hand are finished; once more stops now"
BREAKING_OFF = "stopping now; what was finished is saved"


class Stop:
    """Raises KeyboardInterrupt in the main thread when a stop is asked for, and remembers it.

    While work is done gently, the first wish lets the clips in hand be finished, the second breaks
    them off, and the third does not wait for that either.
    """

    def __init__(self) -> None:
        """Nobody has asked yet."""
        self.asked = threading.Event()
        self._say: Callable[[str], None] | None = None
        self._to_say: list[str] = []
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Stop":
        """Listen to Ctrl-C and SIGTERM."""
        stopping.withdraw()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        stopping.withdraw()

    def gently(self, work: Callable[[], Answer], say: Callable[[str], None]) -> Answer:
        """Work in another thread, which no signal breaks off, and give the answer.

        say  tells the person at the keyboard what is going on

        Raises KeyboardInterrupt when a stop was asked for, after what was in hand has ended.
        """
        self._say = say
        try:
            with ThreadPoolExecutor(1, "work") as aside:
                answer = aside.submit(work).result()
        finally:
            self._say = None
        self.check()
        return answer

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        is_first, is_second = not self.asked.is_set(), not stopping.is_now()
        self.asked.set()
        if self._say is None:
            raise KeyboardInterrupt
        if is_first:
            stopping.ask()
            self._tell(FINISHING, self._say)
        elif is_second:
            stopping.ask(now=True)
            self._tell(BREAKING_OFF, self._say)
        else:
            os._exit(STOPPED)

    def _tell(self, text: str, say: Callable[[str], None]) -> None:
        """Say one thing after the other: a signal may come while the last one is being said."""
        self._to_say.append(text)
        if len(self._to_say) > 1:
            return
        while self._to_say:
            say(self._to_say[0])
            self._to_say.pop(0)

    def check(self) -> None:
        """Raise in a thread that signals do not reach."""
        if self.asked.is_set():
            raise KeyboardInterrupt
