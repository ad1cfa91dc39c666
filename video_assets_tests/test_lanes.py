"""Worker processes: a task that crashes, hangs or raises harms itself alone."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from video_assets.lanes import Lanes
from video_assets.progress import Progress, in_hand


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lanes]:
    """Two workers."""
    lanes = Lanes({"default": 2}, tmp_path_factory.mktemp("lanes"))
    yield lanes
    lanes.close()


def work(task: tuple[str, float], progress: Progress) -> Any:
    """Do what a task says."""
    word, number = task
    if word == "report":
        for step in range(20):
            progress(step / 20)
            time.sleep(number / 20)
    if word == "die":
        os.kill(os.getpid(), int(number))
    if word == "sleep":
        time.sleep(number)
    if word == "raise":
        raise ArithmeticError("no clip can raise what perform does not catch")
    return number * 2 if word == "double" else os.getpid()


def answers(lanes: Lanes, tasks: Mapping[str, tuple[str, float]], timeout_s: float = 5) -> dict:
    """What came of each task."""
    stream = lanes.run("default", work, tasks.items(), timeout_s=timeout_s)
    return dict(answer for answer in stream if answer is not None)


def test_every_task_is_answered(lanes):
    tasks = {str(number): ("double", number) for number in range(50)}
    assert answers(lanes, tasks) == {str(number): number * 2 for number in range(50)}


def test_a_crash_says_by_which_signal_and_leaves_the_others_alone(lanes):
    found = answers(lanes, {"bad": ("die", signal.SIGSEGV), "good": ("double", 4)})
    assert found["good"] == 8
    assert found["bad"].error_class == "WorkerCrashed"
    assert "SIGSEGV" in found["bad"].message


def test_a_worker_killed_from_outside_is_not_the_clip_s_fault(lanes):
    found = answers(lanes, {"victim": ("die", signal.SIGKILL)})
    assert found["victim"].is_killed


def test_a_hang_ends_at_the_time_limit(lanes):
    started = time.monotonic()
    found = answers(lanes, {"slow": ("sleep", 60), "good": ("double", 1)}, timeout_s=2)
    assert found["slow"].is_timeout
    assert "for 2 s" in found["slow"].message
    assert found["good"] == 2
    assert time.monotonic() - started < 30


def test_a_task_that_reports_progress_may_take_longer_than_the_limit(lanes):
    found = answers(lanes, {"long": ("report", 4)}, timeout_s=2)
    assert isinstance(found["long"], int)  # its worker's number, and no Crash


def test_how_much_of_a_long_task_is_done_can_be_seen_meanwhile(lanes):
    seen = []
    for answer in lanes.run("default", work, [("long", ("report", 3))], timeout_s=5):
        seen += in_hand.get("default", []) if answer is None else []
    assert seen == sorted(seen)
    assert seen[-1] < 1
    assert len({share for share in seen if share > 0}) > 1
    assert "default" not in in_hand


def test_the_caller_hears_something_while_nothing_ends(lanes):
    stream = lanes.run("default", work, [("slow", ("sleep", 1.5))], timeout_s=5)
    assert next(stream) is None
    assert next(answer for answer in stream if answer is not None)[0] == "slow"


def test_what_a_task_raises_beyond_its_clip_is_raised_here(lanes):
    with pytest.raises(ArithmeticError):
        answers(lanes, {"bug": ("raise", 0)})


def test_leaving_early_cancels_what_has_not_begun(lanes):
    tasks = {str(number): ("sleep", 0.3) for number in range(200)}
    stream = lanes.run("default", work, tasks.items(), timeout_s=5)
    next(stream)
    stream.close()
    started = time.monotonic()
    assert answers(lanes, {"next": ("double", 2)}) == {"next": 4}
    assert time.monotonic() - started < 10


def test_a_lane_has_as_many_workers_as_its_slots(lanes):
    tasks = {str(number): ("pid", 0) for number in range(40)}
    assert len(set(answers(lanes, tasks).values())) <= 2


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path):
    script = textwrap.dedent(
        f"""
        from pathlib import Path
        from video_assets.lanes import Lanes
        from video_assets_tests.test_lanes import work
        if __name__ == "__main__":
            lanes = Lanes({{"default": 2}}, Path({str(tmp_path)!r}))
            pids = [a[1] for a in lanes.run("default", work, [("a", ("pid", 0))], timeout_s=9) if a]
            print(pids[0], flush=True)
            list(lanes.run("default", work, [("b", ("sleep", 60)), ("c", ("sleep", 60))],
                           timeout_s=90))
        """
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        children = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
    _, alive = psutil.wait_procs([worker, *children], timeout=10)
    assert not alive


def test_workers_killed_while_they_wait_for_a_task_are_replaced(lanes):
    for _ in range(3):
        idle = {os.getpid()}
        while len(idle) < 3:
            idle.update(answers(lanes, {str(n): ("pid", 0) for n in range(8)}).values())
        for pid in idle - {os.getpid()}:
            os.kill(pid, signal.SIGKILL)
        tasks = {str(number): ("double", number) for number in range(50)}
        assert answers(lanes, tasks) == {str(number): number * 2 for number in range(50)}


def test_what_a_worker_prints_is_no_part_of_a_command_s_answer(tmp_path: Path):
    script = f"""
        from pathlib import Path
        from video_assets.lanes import Lanes
        if __name__ == "__main__":
            lanes = Lanes({{"default": 1}}, Path({str(tmp_path)!r}))
            list(lanes.run("default", print, [("key", "noise")], timeout_s=5))
            lanes.close()
            print("answer")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == "answer\n"
    assert "noise" in done.stderr
