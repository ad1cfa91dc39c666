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
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from typing import Any

from pebble import ProcessExpired, ProcessPool

# Imported once by the process that workers are forked from.
WORKER_MODULES = ("video_assets.definitions",)
DEFAULT_SLOTS = 4
TICK_S = 0.5
AHEAD = 2  # tasks handed over per worker: one in hand and the next, so that none waits for us
REPLACEMENTS = 3  # of a pool that breaks again before anything was answered
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
        answers: queue.SimpleQueue[tuple[str, Future[Any]]] = queue.SimpleQueue()
        waiting, running = iter(tasks), dict[str, tuple[Any, Future[Any]]]()
        replaced = 0

        def give(key: str, task: Any) -> None:
            future: Future[Any] = self._schedule(lane, function, task, timeout_s)
            running[key] = (task, future)
            future.add_done_callback(lambda done: answers.put((key, done)))

        for key, task in islice(waiting, self._width(lane) * AHEAD):
            give(key, task)
        try:
            while running:
                key, future = _next(answers)
                if future is None or _is_lost(future):
                    if self._is_broken(lane) and (future is None or _holds(running, key, future)):
                        replaced += 1
                        self._replace(lane, replaced)
                        for lost, (task, _) in list(running.items()):
                            give(lost, task)
                    yield None
                elif _holds(running, key, future):
                    del running[key]
                    replaced = 0
                    for following, task in islice(waiting, 1):
                        give(following, task)
                    yield key, _answer(future, timeout_s)
        finally:
            for _, future in running.values():
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

    def _schedule(
        self, lane: str, function: Callable[[Any], Any], task: Any, timeout_s: float
    ) -> "Future[Any]":
        try:
            return self._pool(lane).schedule(function, args=(task,), timeout=timeout_s)
        except RuntimeError:  # the pool has just broken; whoever waits replaces it
            return Future()

    def _is_broken(self, lane: str) -> bool:
        """Tell whether a pool gave up: pebble's does when a worker is killed between two tasks."""
        return not self._pool(lane).active

    def _replace(self, lane: str, times: int) -> None:
        if times > REPLACEMENTS:
            raise RuntimeError(f"the workers of lane {lane} end before they begin to work")
        pool = self._pools.pop(lane)
        pool.stop()
        pool.join()

    def _width(self, lane: str) -> int:
        slots = self._slots.get(lane, DEFAULT_SLOTS)
        return max(1, min(slots, PROCESSES_PER_CORE * (os.cpu_count() or 1)))


def warm_up() -> None:
    """Begin to load what workers need, while this process is still busy with other things."""
    if sys.platform != "win32":
        _context(list(WORKER_MODULES))
        forkserver.ensure_running()


def _next(answers: "queue.SimpleQueue[tuple[str, Future[Any]]]") -> tuple[str, Any]:
    try:
        return answers.get(timeout=TICK_S)
    except queue.Empty:
        return "", None


def _holds(running: dict[str, tuple[Any, "Future[Any]"]], key: str, future: Any) -> bool:
    """Tell a task's latest try from one in a pool that broke."""
    return key in running and running[key][1] is future


def _is_lost(future: "Future[Any]") -> bool:
    return not future.cancelled() and isinstance(future.exception(), BrokenProcessPool)


def _context(preload: list[str]) -> Any:
    """Workers forked from a clean server process: as safe as spawn and as cheap as fork."""
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(preload)
    return context


def _start_worker() -> None:
    """Leave Ctrl-C and standard output to the parent, and never outlive it."""
    os.dup2(2, 1)  # what an analyzer or a library prints must not get into a command's JSON
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
