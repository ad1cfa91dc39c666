"""Patience: a network mount whose server is gone can hold whoever asks it, for ever."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTimeError
from threading import Thread
from typing import TypeVar

Answer = TypeVar("Answer")

_asked: dict[str, Thread] = {}


def within(seconds: float, name: str, question: Callable[[], Answer]) -> Answer | None:
    """Answer a question in time; None when it takes longer.

    What hangs cannot be ended. It is left alone, and until it comes back the same name is answered
    with None at once, so that a dead mount costs one thread and no more.
    """
    if name in _asked and _asked[name].is_alive():
        return None
    answer: Future[Answer] = Future()
    _asked[name] = Thread(target=_settle, args=(answer, question), name=name, daemon=True)
    _asked[name].start()
    try:
        return answer.result(seconds)
    except OutOfTimeError:
        if answer.done():  # the question itself ran out of time
            raise
        return None


def _settle(answer: "Future[Answer]", question: Callable[[], Answer]) -> None:
    try:
        answer.set_result(question())
    except BaseException as error:  # noqa: BLE001  the one who asked answers for it
        answer.set_exception(error)
