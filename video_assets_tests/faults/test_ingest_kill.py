"""kill -9 of an ingest, of its workers, of Postgres, at any moment: the next ingest finishes.

Nothing is missing, nothing that was saved is made again, nothing is left half-written or running,
and Dagster's picture agrees with the ledger.
"""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from video_assets.presets.model import load_preset
from video_assets.storage.artifacts import UNFINISHED
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.commands import at_home, run, run_here, start
from video_assets_tests.servers import remove_server

KILLS = 10
IN_A_ROW = 5  # kills, of which each finds what those before it left, and then an ingest to the end
CLIPS = 10

# Loading Dagster's resources warns of what its next release has to replace.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.timeout(1800),  # each is a dozen ingests; 370 s were seen beside other tests
]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", Clip(frames=12))
    return path.read_bytes()


@dataclass
class Home:
    """A catalogue, a folder that grows, and what was promised of both."""

    home: Path
    footage: Path
    clip: bytes
    dice: random.Random
    preset: str
    made: int = 0
    takes_s: float = 4.0

    def add(self, count: int) -> None:
        """Put more clips into the folder: the same picture, other bytes."""
        for _ in range(count):
            self.made += 1
            number = f"{self.made:08d}".encode()
            box = (8 + len(number)).to_bytes(4, "big") + b"free" + number
            (self.footage / f"clip{self.made:04d}.mp4").write_bytes(self.clip + box)

    def start(self) -> "subprocess.Popen[str]":
        return start(self.home, "ingest", self.footage, "-c", self.preset, "--json")

    def moment(self) -> float:
        """A moment within the time that an ingest takes."""
        return self.dice.uniform(0.1, 1.1 * self.takes_s)

    def finish(self) -> dict[str, Any]:
        """Ingest once more, and give what it says of itself."""
        return json.loads(run_here("ingest", self.footage, "-c", self.preset, "--json").stdout)

    def query(self, text: str, database: str = "video_assets") -> list[tuple[Any, ...]]:
        url = EmbeddedServer(self.home).admin_url(database)
        with psycopg.connect(url) as connection:
            return connection.execute(text.encode()).fetchall()

    def check(self) -> None:
        """Hold the catalogue to the promises."""
        done = self.query("SELECT asset, count(*) FROM results WHERE status = 'done' GROUP BY 1")
        assets = [step.name for step in load_preset(self.preset).enabled_steps()]
        assert dict(done) == dict.fromkeys(assets, self.made)
        # What was made without an optional input is made again when that is there, but not twice
        # from the same.
        twice = self.query(
            "SELECT step_name, video_id, count(*) FROM processing_events "
            "WHERE status = 'completed' GROUP BY 1, 2, metadata ->> 'made_with' "
            "HAVING count(*) > 1"
        )
        assert twice == []
        assert list((self.home / "artifacts").rglob(f"*{UNFINISHED}")) == []
        told = self.query(
            "SELECT asset_key, count(DISTINCT partition) FROM event_logs "
            "WHERE dagster_event_type = 'ASSET_MATERIALIZATION' GROUP BY 1",
            "dagster",
        )
        assert {json.loads(key)[0]: count for key, count in told} == dict(done)
        open_runs = self.query(
            "SELECT status, count(*) FROM runs WHERE status NOT IN ('SUCCESS', 'FAILURE') "
            "GROUP BY 1",
            "dagster",
        )
        assert open_runs == []


@pytest.fixture
def home(tmp_path: Path, clip: bytes, request: pytest.FixtureRequest) -> Iterator[Home]:
    """A home in which one clip is known and the database runs."""
    seed = random.SystemRandom().randrange(10_000)
    print(f"{request.node.name}: seed {seed}")
    dice, preset = random.Random(seed), getattr(request, "param", "default")  # noqa: S311
    made = Home(tmp_path / "home", tmp_path / "footage", clip, dice, preset)
    made.footage.mkdir()
    with at_home(made.home):
        made.add(1)
        made.finish()
        made.add(CLIPS)
        began = time.monotonic()
        assert run(made.home, "ingest", made.footage, "-c", preset).returncode == 0
        made.takes_s = time.monotonic() - began
        yield made
    remove_server(EmbeddedServer(made.home))


def family(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """What a command has started, below it."""
    return children(process, recursive=True)


def children(process: "subprocess.Popen[str]", *, recursive: bool = False) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=recursive)
    except psutil.NoSuchProcess:
        return []


def workers(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The lane workers of an ingest, which its forkserver forked, and the tools below them."""
    direct = {child.pid for child in children(process)}
    return [each for each in family(process) if each.pid not in direct]


def assert_gone(left: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(left, timeout=60)
    assert alive == []


def test_an_ingest_killed_at_any_moment_is_finished_by_the_next(home: Home):
    for number in range(KILLS):
        home.add(CLIPS)
        process = home.start()
        time.sleep(home.moment())
        left = family(process)
        process.kill()
        process.communicate()
        assert_gone(left)
        if (number + 1) % IN_A_ROW:
            continue
        summary = home.finish()
        assert (summary["complete"], summary["failures"]) == (home.made, [])
        home.check()


def test_a_killed_worker_harms_only_its_clip_until_the_next_ingest(home: Home):
    killed = 0
    while killed < KILLS:
        home.add(4 * CLIPS)
        process = home.start()
        while process.poll() is None and killed < KILLS:
            if victims := workers(process):
                try:
                    home.dice.choice(victims).kill()
                    killed += 1
                except psutil.NoSuchProcess:
                    continue
                time.sleep(home.dice.uniform(0.05, 0.4))
            time.sleep(0.02)
        words, errors = process.communicate(timeout=150)
        summary = json.loads(words)
        assert process.returncode == (1 if summary["failures"] else 0), errors
        classes = {each["error_class"] for each in summary["failures"]}
        assert classes <= {"WorkerKilled", "UnreachableError"}
        assert home.finish()["complete"] == home.made
        home.check()


# What a dead database does is the same whatever a clip's steps are, so the quick preset will do.
@pytest.mark.parametrize("home", ["fast"], indirect=True)
def test_an_ingest_whose_postgres_is_killed_says_so_and_is_finished_by_the_next(home: Home):
    for number in range(KILLS):
        home.add(CLIPS)
        process = home.start()
        time.sleep(home.moment())
        server = EmbeddedServer(home.home)
        while (pid := server.status().pid) is None:  # the ingest is about to start it again
            assert process.poll() is None
            time.sleep(0.05)
        left = family(process)
        os.kill(pid, signal.SIGKILL)
        _, errors = process.communicate(timeout=150)
        assert process.returncode in (0, 3), errors
        assert "Traceback" not in errors
        assert_gone(left)
        if (number + 1) % IN_A_ROW:
            continue
        assert home.finish()["complete"] == home.made
        home.check()
