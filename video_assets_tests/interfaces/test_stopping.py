"""A stop is asked for by signals, which may come while the last one is being answered."""

import os
import signal
import time

import pytest

from video_assets import stopping
from video_assets.interfaces.cli.stopping import BREAKING_OFF, FINISHING, Stop


def test_a_second_wish_that_comes_while_the_first_is_told_is_told_after_it():
    heard: list[str] = []

    def say(text: str) -> None:
        if text == FINISHING:
            signal.raise_signal(signal.SIGINT)
        heard.append(text)

    def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        while not stopping.is_now():
            time.sleep(0.01)

    with Stop() as stop, pytest.raises(KeyboardInterrupt):
        stop.gently(work, say)
    assert heard == [FINISHING, BREAKING_OFF]
