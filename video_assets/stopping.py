"""Stopping: the wish that this process ends, as whatever it has in work sees it.

Somebody who asks once has the clips in hand finished and no others begun; who asks again has them
broken off. Processes that `video-assets worker` started are asked through a file.
"""

import os
import threading
from pathlib import Path

STOP_FILE = "VIDEO_ASSETS_STOP_FILE"  # environment of what `worker` started: a file asks to stop

_asked = threading.Event()
_now = threading.Event()


def ask(*, now: bool = False) -> None:
    """Ask this process to finish what is in hand, or to break it off."""
    _asked.set()
    if now:
        _now.set()


def withdraw() -> None:
    """Begin anew: what was asked to stop has stopped."""
    _asked.clear()
    _now.clear()


def is_asked() -> bool:
    """Tell whether nothing new is to be begun."""
    place = os.environ.get(STOP_FILE)
    return _asked.is_set() or (place is not None and Path(place).exists())


def is_now() -> bool:
    """Tell whether what is in hand is to be broken off."""
    return _now.is_set()
