"""Slots: a lane's size holds over processes, turns are fair, and the dead hold nothing."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psutil
import pytest

from video_assets import slots
from video_assets.lanes import Lanes
from video_assets.progress import Progress
from video_assets.slots import Slots, Use, in_use

# Works through tasks in a lane, and writes down when each was begun and ended.
WORKER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from video_assets.lanes import Lanes
    from video_assets_tests.test_slots import note
    if __name__ == "__main__":
        folder, name, size, count, seconds, priority = sys.argv[1:]
        here = ["video_assets_tests.test_slots"]
        lanes = Lanes({"default": int(size)}, Path(folder) / "lanes", preload=here)
        tasks = [(str(n), (folder, name, float(seconds))) for n in range(int(count))]
        list(lanes.run("default", note, tasks, timeout_s=9, priority=int(priority)))
        lanes.close()
    """
)


def note(task: tuple[str, str, float], progress: Progress) -> None:
    """Take some time, and tell when."""
    folder, name, seconds = task
    began = time.monotonic()
    time.sleep(seconds)
    with Path(folder, "notes").open("a") as notes:
        notes.write(f"{name} {began} {time.monotonic()}\n")


def start(
    folder: Path, name: str, *, size: int, count: int, seconds: float, priority: int = 50
) -> "subprocess.Popen[bytes]":
    arguments = [folder, name, size, count, seconds, priority]
    return subprocess.Popen([sys.executable, "-c", WORKER, *map(str, arguments)])


def noted(folder: Path) -> list[tuple[str, float, float]]:
    file = folder / "notes"
    rows = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
    return [(name, float(began), float(ended)) for name, began, ended in rows]


def most_at_once(rows: list[tuple[str, float, float]]) -> int:
    return max(sum(began <= moment < ended for _, began, ended in rows) for _, moment, _ in rows)


def wait_for(condition: object, within_s: float = 60) -> None:
    assert callable(condition)
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


@contextmanager
def two(folder: Path, *sizes: int, priorities: tuple[int, int] = (50, 50)) -> Iterator[list[Slots]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(Slots(folder, size, priority=priority)))
            for size, priority in zip(sizes, priorities, strict=True)
        ]


def test_processes_together_never_exceed_a_lane_and_share_it(tmp_path: Path):
    one = start(tmp_path, "one", size=2, count=3000, seconds=0.2)
    wait_for(lambda: noted(tmp_path))
    # Long enough for several turns: one may have given back both slots before the other looked.
    other = start(tmp_path, "other", size=2, count=20, seconds=0.2)
    assert other.wait(120) == 0
    assert one.poll() is None  # the one that came later did not have to wait for its end
    one.kill()
    one.wait()
    rows = noted(tmp_path)
    assert most_at_once(rows) == 2
    began = min(start for name, start, _ in rows if name == "other")
    assert any(name == "one" for name, start, _ in rows if start > began)
    wait_for(lambda: in_use(tmp_path / "lanes") == {"default": Use(held=0, waiting=0)})


def test_whoever_is_killed_holds_nothing(tmp_path: Path):
    killed = start(tmp_path, "killed", size=1, count=1000, seconds=0.2)
    wait_for(lambda: noted(tmp_path))
    # By their numbers these two would get no turn for minutes, however late the test looks.
    waits = start(tmp_path, "waits", size=1, count=1, seconds=0.1, priority=1000)
    wait_for(lambda: in_use(tmp_path / "lanes")["default"].waiting)
    heir = start(tmp_path, "heir", size=1, count=1, seconds=0.1, priority=2000)
    waits.kill()
    killed.kill()
    assert heir.wait(120) == 0
    assert noted(tmp_path)[-1][0] == "heir"
    for process in (killed, waits):
        process.wait()


def test_the_larger_of_two_sizes_holds(tmp_path: Path):
    with two(tmp_path, 3, 1) as (large, small):
        assert large.take()
        assert large.take()
        assert small.take()  # the large one left it the slot that both know
        assert not large.take()
        small.give_back()
        wait_for(large.take)
        assert not small.take()


def test_who_waits_for_a_slot_that_is_not_free_stops_nobody_who_can_use_another(tmp_path: Path):
    with two(tmp_path, 1, 2) as (small, large), closing(Slots(tmp_path, 1, priority=1)) as first:
        assert first.take()
        assert not small.take()
        assert large.take()


def test_a_step_of_lower_priority_number_goes_first(tmp_path: Path):
    holder = Slots(tmp_path, 1, priority=50)
    assert holder.take()
    with two(tmp_path, 1, 1, priorities=(60, 20)) as (late, early):
        assert not late.take()
        assert not early.take()
        holder.close()
        assert not late.take()
        wait_for(early.take)
        early.give_back()
        wait_for(late.take)


def test_nobody_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slots, "POINT_S", 0.01)
    holder = Slots(tmp_path, 1, priority=50)
    assert holder.take()
    with two(tmp_path, 1, 1, priorities=(100, 1)) as (late, early):
        assert not late.take()
        time.sleep(100 * slots.POINT_S)
        assert not early.take()  # 99 points better, but it came a second later
        holder.close()
        assert not early.take()
        wait_for(late.take)


def test_a_slot_is_kept_while_nobody_waits_and_given_up_to_who_has_fewer(tmp_path: Path):
    with two(tmp_path, 2, 2) as (one, other):
        assert one.take()
        assert one.take()
        time.sleep(slots.TURN_S)
        assert not one.is_wanted()
        assert not other.take()
        assert one.is_wanted()
        one.give_back()
        wait_for(other.take)
        assert not other.take()
        assert not one.is_wanted()  # both have as many


def test_who_is_suspended_in_the_queue_is_passed_over(tmp_path: Path):
    holder = Slots(tmp_path, 1, priority=50)
    assert holder.take()
    with two(tmp_path, 1, 1) as (suspended, awake):
        assert not suspended.take()
        (ticket,) = tmp_path.glob(f"{slots.WAITING}*")
        holder.close()
        assert not awake.take()
        looked_at = time.time() - slots.LAPSED_S
        os.utime(ticket, (looked_at, looked_at))
        wait_for(awake.take)


def test_who_has_nothing_more_to_do_leaves_the_queue(tmp_path: Path):
    with two(tmp_path / "lane", 2, 2) as (one, other):
        assert one.take()
        assert one.take()
        assert not other.take()
        other.leave_queue()
        one.give_back()
        assert one.take()
        assert in_use(tmp_path) == {"lane": Use(held=2, waiting=0)}


def test_waiting_for_a_slot_is_no_hang_and_costs_little(tmp_path: Path):
    lanes = Lanes({"default": 1}, tmp_path)
    holder = Slots(tmp_path / "default", 1, priority=1)
    assert holder.take()
    task = (str(tmp_path), "waited", 0.0)
    stream = lanes.run("default", note, [("key", task)], timeout_s=1)
    cpu_s, until = time.process_time(), time.monotonic() + 2
    while time.monotonic() < until:
        assert next(stream) is None
    assert time.process_time() - cpu_s < 0.2
    holder.close()
    assert [answer for answer in stream if answer] == [("key", None)]
    lanes.close()


def test_a_lane_of_calls_to_a_service_is_not_limited_by_cores(tmp_path: Path):
    many = (psutil.cpu_count() or 1) * 2 + 1
    lanes = Lanes({"ai_gemini": many, "default": many}, tmp_path)
    for lane, at_once in (("ai_gemini", many), ("default", many - 1)):
        tasks = [(str(n), (str(tmp_path), lane, 1.0)) for n in range(2 * many)]
        stream = lanes.run(lane, note, tasks, timeout_s=9)
        next(stream)
        assert in_use(tmp_path)[lane].held == at_once
        stream.close()
    lanes.close()
