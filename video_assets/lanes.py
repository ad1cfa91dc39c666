"""Lanes: worker processes in which analyzers run, so that a crash or a hang harms one clip only.

A lane is a queue of the preset's worker_config with that many processes. A worker that does not
report any progress for the time limit is killed and replaced, and so is one that crashed. A task
goes to a worker only while this process holds a slot of the lane, which it shares with all others
on this machine.
"""

import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from video_assets import stopping
from video_assets.progress import Board, Progress, in_hand
from video_assets.slots import LOOK_S, Slots

# Imported once by the process that workers are forked from.
WORKER_MODULES = ("video_assets.definitions",)
DEFAULT_SLOTS = 4
DEFAULT_PRIORITY = 50
TICK_S = 0.5
AHEAD = 2  # short tasks handed over per worker: one in hand and the next, so that none waits for us
SHORT_S = 1.0
BOARD_SLACK = 4  # runs of one process that may use a lane at the same time
REPLACEMENTS = 3  # of a pool that breaks again before anything was answered
PROCESSES_PER_CORE = 2  # enough to hide reads from a slow disk; more only costs memory
# Steps that wait for a service or own a device: no number of cores limits these lanes.
AI_LANES = ("ai_", "embeddings")


@dataclass(frozen=True)
class Crash:
    """A task whose worker process ended instead of answering."""

    error_class: str
    message: str
    is_timeout: bool = False
    is_killed: bool = False


@dataclass(frozen=True)
class _Given:
    """A task that a pool has, and where its worker reports."""

    task: Any
    future: "Future[Any]"
    board: Board
    slot: int
    given_at: float = field(default_factory=time.monotonic)


class Lanes:
    """The worker processes of this process, one pool a lane, started at first use."""

    def __init__(
        self,
        sizes: dict[str, int],
        folder: Path,
        *,
        workers: int | None = None,
        preload: Sequence[str] = (),
    ) -> None:
        """Take the slots of each lane; processes with the same folder share them.

        workers  the most processes of one lane that this process starts
        preload  modules that every worker will need
        """
        self._sizes = sizes
        self._folder = folder
        self._workers = workers
        self._preload = list(preload)
        self._pools: dict[str, ProcessPool] = {}
        self._boards: dict[str, Board] = {}

    def run(
        self,
        lane: str,
        function: Callable[[Any, Progress], Any],
        tasks: Iterable[tuple[str, Any]],
        *,
        timeout_s: float,
        priority: int = DEFAULT_PRIORITY,
    ) -> Generator[tuple[str, Any] | None, None, None]:
        """Run function(task) for every (key, task), giving (key, answer or Crash) as each ends.

        function   importable by name; called as function(task, progress), and whatever it raises
                   is raised here
        timeout_s  how long a task may go without an answer or a report of progress, from the moment
                   that a worker begins with it
        priority   whose turn it is where processes wait for slots; lower goes first

        Gives None whenever nothing ended for a moment, so that the caller can attend to other
        things. Begins no more tasks once this process is asked to stop, and raises
        KeyboardInterrupt when it is to stop now.
        """
        answers: queue.SimpleQueue[tuple[str, Future[Any]]] = queue.SimpleQueue()
        coming, running = iter(tasks), dict[str, _Given]()
        following = next(coming, None)
        stalled: set[str] = set()
        replaced = 0
        took_s = SHORT_S

        def give(key: str, task: Any) -> None:
            running[key] = self._schedule(lane, function, task)
            running[key].future.add_done_callback(lambda done: answers.put((key, done)))

        slots = Slots(self._folder / lane, self._size(lane), priority=priority)
        try:
            while running or following:
                if stopping.is_now():
                    raise KeyboardInterrupt
                if stopping.is_asked():
                    following = None
                room = self._room(lane, slots, len(running), is_more=following is not None)
                if took_s < SHORT_S and room == self._width(lane):
                    room *= AHEAD
                while following and len(running) < room:
                    give(*following)
                    following = next(coming, None)
                key, future = _next(answers, TICK_S if running else LOOK_S)
                stalled |= _end_stalled(running, timeout_s)
                in_hand[lane] = [given.board.share(given.slot) for given in running.values()]
                if future is None or _is_lost(future):
                    if self._is_broken(lane) and (future is None or _holds(running, key, future)):
                        replaced += 1
                        self._replace(lane, replaced)
                        for lost, given in list(running.items()):
                            give(lost, given.task)
                    yield None
                elif _holds(running, key, future):
                    given = running.pop(key)
                    given.board.give_back(given.slot)
                    replaced = 0
                    took_s = time.monotonic() - given.given_at
                    yield key, _timed_out(timeout_s) if key in stalled else _answer(future)
        finally:
            slots.close()
            in_hand.pop(lane, None)
            for given in running.values():
                given.future.cancel()
                given.board.give_back(given.slot)

    def _room(self, lane: str, slots: Slots, running: int, *, is_more: bool) -> int:
        """Take or give back slots, as is needed and fair, and count those that tasks may use."""
        wanted = self._width(lane) if is_more else 0
        if slots.is_wanted():
            wanted = slots.held - 1
            if running > wanted:  # first a task has to end
                return wanted
        while slots.held > max(running, wanted):
            slots.give_back()
        while slots.held < wanted and slots.take():
            pass
        if slots.held >= wanted:
            slots.leave_queue()
        return slots.held

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
            context = _context(self._preload)
            self._boards[lane] = Board(context, self._width(lane) * AHEAD * BOARD_SLACK)
            self._pools[lane] = ProcessPool(
                max_workers=self._width(lane),
                initializer=_start_worker,
                initargs=(self._boards[lane],),
                context=context,
            )
        return self._pools[lane]

    def _schedule(self, lane: str, function: Callable[..., Any], task: Any) -> _Given:
        pool = self._pool(lane)
        board = self._boards[lane]
        slot = board.take()
        try:
            future = pool.schedule(_work, args=(slot, function, task))
        except RuntimeError:  # the pool has just broken; whoever waits replaces it
            future = Future()
        return _Given(task, future, board, slot)

    def _is_broken(self, lane: str) -> bool:
        """Tell whether a pool gave up: pebble's does when a worker is killed between two tasks."""
        return not self._pool(lane).active

    def _replace(self, lane: str, times: int) -> None:
        if times > REPLACEMENTS:
            raise RuntimeError(f"the workers of lane {lane} end before they begin to work")
        pool = self._pools.pop(lane)
        pool.stop()
        pool.join()

    def _size(self, lane: str) -> int:
        """How many tasks of a lane may be in work on this machine."""
        size = self._sizes.get(lane, DEFAULT_SLOTS)
        is_ai = lane.startswith(AI_LANES)
        return size if is_ai else min(size, PROCESSES_PER_CORE * (os.cpu_count() or 1))

    def _width(self, lane: str) -> int:
        """How many of them this process may have."""
        return min(self._size(lane), self._workers or self._size(lane))


def warm_up() -> None:
    """Begin to load what workers need, while this process is still busy with other things."""
    if sys.platform != "win32":
        _context(list(WORKER_MODULES))
        forkserver.ensure_running()


def _next(
    answers: "queue.SimpleQueue[tuple[str, Future[Any]]]", within_s: float
) -> tuple[str, Any]:
    try:
        return answers.get(timeout=within_s)
    except queue.Empty:
        return "", None


def _holds(running: dict[str, _Given], key: str, future: Any) -> bool:
    """Tell a task's latest try from one in a pool that broke."""
    return key in running and running[key].future is future


def _end_stalled(running: dict[str, _Given], timeout_s: float) -> set[str]:
    """End the workers that have been silent too long, and name their tasks."""
    silent = {k: g for k, g in running.items() if g.board.silence_s(g.slot) > timeout_s}
    return {key for key, given in silent.items() if given.future.cancel()}


def _is_lost(future: "Future[Any]") -> bool:
    return not future.cancelled() and isinstance(future.exception(), BrokenProcessPool)


def _context(preload: list[str]) -> Any:
    """Workers forked from a clean server process: as safe as spawn and as cheap as fork."""
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(preload)
    return context


_board: Board | None = None  # in a worker: where it reports


def _work(slot: int, function: Callable[..., Any], task: Any) -> Any:
    """Do one task in a worker."""
    if _board is not None:
        _board.note(slot, 0.0)
    return function(task, Progress(_board, slot))


def _start_worker(board: Board) -> None:
    """Leave Ctrl-C and standard output to the parent, and never outlive it."""
    global _board
    _board = board
    os.dup2(2, 1)  # what an analyzer or a library prints must not get into a command's JSON
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _timed_out(timeout_s: float) -> Crash:
    return Crash(
        "TimedOut",
        f"no end and no progress for {timeout_s:.0f} s, so its worker was ended; "
        "raise the step's timeout in the preset if the clip is good",
        is_timeout=True,
    )


def _answer(future: Future[Any]) -> Any:
    try:
        return future.result()
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
