"""Lanes: worker processes in which analyzers run, so that a crash or a hang harms one clip only.

A lane is a queue of the preset's worker_config with that many processes. Every task has a time
limit; a worker past it is killed and replaced, and so is one that crashed.
"""

import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, TimeoutError
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from typing import Any

from pebble import ProcessExpired, ProcessPool

DEFAULT_SLOTS = 4
TICK_S = 0.5
AHEAD = 2  # tasks handed over per worker: one in hand and the next, so that none waits for us
PROCESSES_PER_CORE = 2  # enough to hide reads from a slow disk; more only costs memory


@dataclass(frozen=True)
class Crash:
    """A task whose worker process ended instead of answering."""

    error_class: str
    message: str
    is_timeout: bool = False
    is_killed: bool = False


class Lanes:
    """The worker processes of this process, one pool a lane, started at first use."""

    def __init__(self, slots: dict[str, int], preload: Sequence[str] = ()) -> None:
        """Take the slots of each lane and the modules that every worker will need."""
        self._slots = slots
        self._preload = list(preload)
        self._pools: dict[str, ProcessPool] = {}

    def run(
        self,
        lane: str,
        function: Callable[[Any], Any],
        tasks: Iterable[tuple[str, Any]],
        *,
        timeout_s: float,
    ) -> Iterator[tuple[str, Any] | None]:
        """Run function(task) for every (key, task), giving (key, answer or Crash) as each ends.

        function  importable by name; whatever it raises is raised here

        Gives None whenever nothing ended for TICK_S, so that the caller can attend to other things.
        """
        pool, waiting = self._pool(lane), iter(tasks)
        answers: queue.SimpleQueue[tuple[str, Future[Any]]] = queue.SimpleQueue()
        running: dict[str, Future[Any]] = {}

        def feed(count: int) -> None:
            for key, task in islice(waiting, count):
                running[key] = pool.schedule(function, args=(task,), timeout=timeout_s)
                running[key].add_done_callback(lambda done, key=key: answers.put((key, done)))

        feed(self._width(lane) * AHEAD)
        try:
            while running:
                try:
                    key, future = answers.get(timeout=TICK_S)
                except queue.Empty:
                    yield None
                    continue
                del running[key]
                feed(1)
                yield key, _answer(future, timeout_s)
        finally:
            for future in running.values():
                future.cancel()

    def close(self) -> None:
        """End every worker now, with whatever it is doing."""
        for pool in self._pools.values():
            pool.stop()
        for pool in self._pools.values():
            pool.join()
        self._pools.clear()

    def _pool(self, lane: str) -> ProcessPool:
        if lane not in self._pools:
            if not self._pools:
                # Before a process that multiprocessing started waits for its children to end.
                Finalize(None, self.close, exitpriority=1)
            self._pools[lane] = ProcessPool(
                max_workers=self._width(lane),
                initializer=_start_worker,
                context=_context(self._preload),
            )
        return self._pools[lane]

    def _width(self, lane: str) -> int:
        slots = self._slots.get(lane, DEFAULT_SLOTS)
        return max(1, min(slots, PROCESSES_PER_CORE * (os.cpu_count() or 1)))


def _context(preload: list[str]) -> Any:
    """Workers forked from a clean server process: as safe as spawn and as cheap as fork."""
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(preload)
    return context


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and never outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _answer(future: Future[Any], timeout_s: float) -> Any:
    try:
        return future.result()
    except TimeoutError:
        return Crash(
            "TimedOut",
            f"not finished after {timeout_s:.0f} s, so its worker was ended; "
            "raise the step's timeout in the preset if the clip is good",
            is_timeout=True,
        )
    except CancelledError:
        return Crash("Cancelled", "cancelled before it ran", is_killed=True)
    except ProcessExpired as crash:
        return _crash(crash.exitcode)


def _crash(exitcode: int | None) -> Crash:
    code = exitcode or 0
    if code == -signal.SIGKILL:
        return Crash(
            "WorkerKilled",
            "the worker was killed from outside, as the system does when memory runs out; "
            "run the same command again, with fewer workers if this comes back",
            is_killed=True,
        )
    ended = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return Crash("WorkerCrashed", f"the worker ended {ended} while working on this clip")
