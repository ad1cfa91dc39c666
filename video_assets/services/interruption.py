"""Interruption: whoever is told to end closes what is open at a service before it does.

Without this a worker that is told to end is gone at once: its upload would stay at the service, and
its call would count as lost with all that it might have cost.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupted(BaseException):
    """This process was told to end."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise Interrupted here on the first SIGTERM, and end by that signal after the block."""
    if threading.current_thread() is not threading.main_thread():
        yield  # which gets no signals
        return
    is_told = False

    def tell(_signal: int, _frame: Any) -> None:
        nonlocal is_told
        if not is_told:  # a second one must not break off the closing
            is_told = True
            raise Interrupted("told to end")

    before = signal.signal(signal.SIGTERM, tell)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if is_told:
            os.kill(os.getpid(), signal.SIGTERM)
