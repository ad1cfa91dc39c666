"""Clips arrive while a worker's processes are killed one after the other: all become complete.

Nothing is computed twice but what was in hand when something was killed, and nothing is left:
no process, no slot, no half-written file. With VIDEO_ASSETS_LONG_TESTS=1 it goes on for two minutes
and 200 clips; else it is cut to what a run of all tests can bear.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from video_assets.interfaces.cli import leash
from video_assets.slots import in_use
from video_assets.storage.artifacts import UNFINISHED
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.server_file import EmbeddedServerError
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.commands import ROOT, at_home, command, environment, run_here
from video_assets_tests.servers import remove_server

IS_LONG = os.environ.get("VIDEO_ASSETS_LONG_TESTS") == "1"
CLIPS, KILLING_S = (200, 120.0) if IS_LONG else (30, 0.0)
TAKES_S = 0.5 if IS_LONG else 1.0  # a cell, so that there is something in hand to be killed
BOUND_S = 600.0  # 147 s were seen for everything, beside other tests
PORTION = 20 if IS_LONG else CLIPS
IN_WORK_WITHIN_S = 180.0  # from the death of everything to a clip in work again
USUAL, RARE = ("run", "lane worker", "daemon", "database"), ("code server", "leash", "worker")
ASSETS = ("checksum", "probe", "thumbnails", "video_document")  # of the preset `fast`
NOTICED_S = 10.0  # within which whoever worked for a killed process has noticed

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.timeout(KILLING_S + BOUND_S + 240),
]

# Python reads it at every start: whatever computes a cell says so first, in a file.
WITNESS = textwrap.dedent(
    """
    import functools, importlib.abc, importlib.util, os, sys, time

    class Witness(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name != "video_assets.clip_worker":
                return None
            sys.meta_path.remove(self)
            spec = importlib.util.find_spec(name)
            load = spec.loader.exec_module

            def load_and_watch(module):
                load(module)
                perform = module.perform

                @functools.wraps(perform)
                def told(task, progress):
                    with open(os.environ["WITNESS"], "a") as file:
                        file.write(f"{time.time():.3f} {task.name} {task.checksum}\\n")
                    time.sleep(float(os.environ["TAKES_S"]))
                    return perform(task, progress)

                module.perform = told

            spec.loader.exec_module = load_and_watch
            return spec

    sys.meta_path.insert(0, Witness())
    """
)


@dataclass
class House:
    """A home with a worker on it, that somebody starts again whenever it ends."""

    home: Path
    footage: Path
    clip: bytes
    dice: random.Random
    made: int = 0
    worker: "subprocess.Popen[bytes] | None" = None
    kills: list[tuple[float, str]] = field(default_factory=list)

    def keep(self) -> None:
        """Do what a service manager does."""
        if self.worker is None or self.worker.poll() is not None:
            self.worker = self.start("worker", "-c", "fast")

    def start(self, *arguments: str | Path) -> "subprocess.Popen[bytes]":
        """Start a command whose computing is witnessed."""
        folder = self.home.parent
        paths = f"{folder / 'witness'}{os.pathsep}{ROOT}"
        told = {"WITNESS": str(folder / "begun"), "TAKES_S": str(TAKES_S), "PYTHONPATH": paths}
        with (folder / "said").open("ab") as said:
            return subprocess.Popen(
                command(*arguments),
                env={**environment(self.home), **told},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def add(self, count: int) -> None:
        """Put more clips into the folder: the same picture, other bytes."""
        for _ in range(count):
            self.made += 1
            number = f"{self.made:08d}".encode()
            box = (8 + len(number)).to_bytes(4, "big") + b"free" + number
            (self.footage / f"clip{self.made:04d}.mp4").write_bytes(self.clip + box)

    def register(self) -> None:
        """Make clips of the files, again if the database was just killed."""
        options = ("--config", "fast", "--workers", "0")
        with at_home(self.home):
            while True:
                with contextlib.suppress(AssertionError, psycopg.OperationalError):
                    run_here("ingest", self.footage, *options)
                    return

    def find(self, kind: str) -> list[psutil.Process]:
        """Find the processes of a kind."""
        if kind == "database":
            pid = EmbeddedServer(self.home).status().pid
            return [psutil.Process(pid)] if pid else []
        if kind in ("worker", "leash"):
            process = psutil.Process(self.worker.pid) if self.worker else None
            found = [process, *process.children()] if process else []
            return found[:1] if kind == "worker" else found[1:]
        word, parent = {
            "run": ("spawn_main", "dagster api grpc"),
            "lane worker": ("forkserver", "forkserver"),
            "daemon": ("dagster._daemon", ""),
            "code server": ("dagster api grpc", ""),
        }[kind]
        every = [each for each in leash.marked(self.home) if word in _line(each)]
        return [each for each in every if parent in _line(each.parent())]

    def kill_one(self, kind: str) -> None:
        """Kill one of a kind as soon as clips are in work, and note what and when."""
        until = time.monotonic() + IN_WORK_WITHIN_S
        while time.monotonic() < until and not (self.made == CLIPS and self.is_complete()):
            self.keep()
            with contextlib.suppress(psutil.NoSuchProcess):
                if self.is_working() and (found := self.find(kind)):
                    time.sleep(self.dice.uniform(0.0, 2.0))
                    self.dice.choice(found).kill()
                    self.kills.append((time.time(), kind))
                    return
            time.sleep(0.1)

    def is_working(self) -> bool:
        return any(use.held for use in in_use(self.home / "lanes").values())

    def query(self, text: str, database: str = "video_assets") -> list[tuple[Any, ...]]:
        url = EmbeddedServer(self.home).admin_url(database)
        with psycopg.connect(url, connect_timeout=5) as connection:
            return connection.execute(text.encode()).fetchall()

    def is_complete(self) -> bool:
        try:
            done = self.query("SELECT asset, count(*) FROM results WHERE status='done' GROUP BY 1")
        except (psycopg.OperationalError, EmbeddedServerError):
            return False
        return dict(done) == dict.fromkeys(ASSETS, CLIPS)

    def told(self) -> dict[str, int]:
        """Tell what Dagster knows: how many clips of each asset."""
        rows = self.query(
            "SELECT asset_key, count(DISTINCT partition) FROM event_logs "
            "WHERE dagster_event_type = 'ASSET_MATERIALIZATION' GROUP BY 1",
            "dagster",
        )
        return {json.loads(key)[0]: count for key, count in rows}

    def state(self) -> list[Any]:
        """Tell what is not complete."""
        cells = self.query("SELECT asset, status, fault, count(*) FROM results GROUP BY 1, 2, 3")
        return [*cells, *self.query("SELECT status, count(*) FROM runs GROUP BY 1", "dagster")]

    def stop(self) -> None:
        """Ask the worker to stop, as a service manager does."""
        if self.worker is not None and self.worker.poll() is None:
            self.worker.send_signal(signal.SIGTERM)
            self.worker.wait(90)


def _line(process: psutil.Process | None) -> str:
    return " ".join(process.cmdline()) if process else ""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10_000)))
    print(f"seed {seed}; SEED={seed} repeats what is killed, if not when")
    clip = make_clip(tmp_path / "clip.mp4", Clip(frames=12)).read_bytes()
    dice = random.Random(seed)  # noqa: S311  no secret is made of it
    made = House(tmp_path / "home", tmp_path / "footage", clip, dice)
    for folder in (made.footage, tmp_path / "witness"):
        folder.mkdir()
    (tmp_path / "begun").touch()
    (tmp_path / "witness" / "sitecustomize.py").write_text(WITNESS)
    try:
        yield made
    finally:
        if made.worker is not None:
            made.worker.kill()
            made.worker.wait()
        for process in leash.marked(made.home):
            process.kill()
        remove_server(EmbeddedServer(made.home))


def test_clips_become_complete_whatever_is_killed(house: House, tmp_path: Path):
    began, turns = time.monotonic(), list(USUAL)
    house.dice.shuffle(turns)
    while turns or time.monotonic() - began < KILLING_S or house.made < CLIPS:
        if house.made < CLIPS:
            house.add(PORTION)
            house.register()
        house.kill_one(turns.pop() if turns else house.dice.choice(USUAL * 2 + RARE))
    killing_s, ended_at = time.monotonic() - began, time.monotonic()
    what = Counter(kind for _, kind in house.kills)
    print(f"in {killing_s:.0f} s {len(house.kills)} killed: {dict(what)}")

    if not IS_LONG:  # the daemon pauses before it tries again what was killed; a person does not
        house.keep()
        assert house.start("ingest", house.footage, "-c", "fast").wait(BOUND_S) == 0
    while not house.is_complete():
        assert time.monotonic() - ended_at < BOUND_S, house.state()
        house.keep()
        time.sleep(1)
    print(f"complete {time.monotonic() - ended_at:.0f} s after the last was killed")
    while house.told() != dict.fromkeys(ASSETS, CLIPS):  # the daemon tells what a dead run did not
        assert time.monotonic() - ended_at < BOUND_S, house.told()
        house.keep()
        time.sleep(1)
    house.stop()
    check_nothing_was_made_twice(house, tmp_path / "begun")
    check_nothing_is_left(house)


def check_nothing_was_made_twice(house: House, begun: Path) -> None:
    twice = house.query(
        "SELECT step_name, video_id, count(*) FROM processing_events WHERE status = 'completed' "
        "GROUP BY 1, 2, metadata ->> 'made_with' HAVING count(*) > 1"
    )
    assert twice == []
    cells: dict[tuple[str, str], list[float]] = {}
    for line in begun.read_text().splitlines():
        moment, asset, checksum = line.split()
        cells.setdefault((asset, checksum), []).append(float(moment))
    more = sum(len(moments) for moments in cells.values()) - (len(ASSETS) - 1) * CLIPS
    print(f"{more} cells of {(len(ASSETS) - 1) * CLIPS} were computed once more")
    moments, anew = [moment for moment, _ in house.kills], made_anew(house)
    for cell, times in cells.items():
        gaps = pairwise(times)
        idle = [gap for gap in gaps if not any(gap[0] - NOTICED_S <= t <= gap[1] for t in moments)]
        assert len(idle) <= anew[cell], f"{cell} was begun {times}, and nothing was killed between"


def made_anew(house: House) -> Counter[tuple[str, str]]:
    """Count how often a cell was made from more than before: a document, before its stills came."""
    rows = house.query(
        "SELECT step_name, file_checksum, count(DISTINCT metadata ->> 'made_with') - 1 "
        "FROM processing_events JOIN clips ON clips.id = video_id "
        "WHERE status = 'completed' GROUP BY 1, 2"
    )
    return Counter({(asset, checksum): count for asset, checksum, count in rows})


def check_nothing_is_left(house: House) -> None:
    assert leash.marked(house.home) == []
    assert {use.held + use.waiting for use in in_use(house.home / "lanes").values()} <= {0}
    assert house.query(
        "SELECT count(*) FROM concurrency_slots WHERE NOT deleted AND run_id IS NOT NULL", "dagster"
    ) == [(0,)]
    assert list((house.home / "artifacts").rglob(f"*{UNFINISHED}")) == []
    assert house.told() == dict.fromkeys(ASSETS, CLIPS)
