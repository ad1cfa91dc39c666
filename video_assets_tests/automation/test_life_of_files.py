"""What becomes of clips when their files are renamed, moved, unplugged, replaced, copied, deleted.

Each case has two watched disks of its own. The files of all are registered and processed; then each
has its deed done to it, the sensor looks again, and every run that it asks for is run.
"""

import math
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest
from blake3 import blake3

from video_assets.automation import watch_folders as sensor
from video_assets.automation.register_folder import register_folder
from video_assets.events import BATCH_SIZE
from video_assets.lanes import Lanes
from video_assets.media import at_rest
from video_assets.settings import LOCAL_OWNER
from video_assets.storage.browse import Browser
from video_assets.storage.postgres import Postgres
from video_assets_tests.automation.conftest import Pipeline, preset

ANALYZERS = 3  # of the small pipeline, beside the checksum
TICKS = 3  # to see a file twice, and then that nothing is left to do


class Disks:
    """Two watched disks; the first can be pulled out, for real where root may mount."""

    def __init__(self, folder: Path) -> None:
        self.disk, self.other, self.aside = (folder / name for name in ("disk", "other", "aside"))
        self.disk.mkdir(parents=True)
        self.other.mkdir()
        self.is_mounted = _run("mount", "-t", "tmpfs", "tmpfs", self.disk)

    def pull_out(self, to: Path | None = None) -> None:
        """Take the disk away, or to another place."""
        goal = to or self.aside
        if not self.is_mounted:
            shutil.rmtree(goal, ignore_errors=True)
            self.disk.rename(goal)
            return
        goal.mkdir(exist_ok=True)
        assert _run("mount", "--bind", self.disk, goal)
        assert _run("umount", self.disk)

    def put_in(self) -> None:
        """Bring the disk back."""
        if self.is_mounted:
            assert _run("mount", "--bind", self.aside, self.disk)
        else:
            self.aside.rename(self.disk)

    def close(self) -> None:
        """Leave nothing mounted."""
        for place in (self.disk, self.other, self.aside):
            while place.is_mount():
                assert _run("umount", place)


def _run(*arguments: str | Path) -> bool:
    try:
        return not subprocess.run(arguments, capture_output=True, check=False).returncode
    except OSError:
        return False


def copy_and_delete(disks: Disks) -> None:
    shutil.copy2(disks.disk / "one.mp4", disks.other / "one.mp4")
    (disks.disk / "one.mp4").unlink()


def move_below(disks: Disks) -> None:
    (disks.disk / "day 1").mkdir()
    (disks.disk / "one.mp4").rename(disks.disk / "day 1" / "uno.mp4")


def unplug_and_plug_in(disks: Disks) -> None:
    disks.pull_out()
    disks.put_in()


def empty(disks: Disks) -> None:
    disks.aside.mkdir()
    for file in disks.disk.iterdir():
        shutil.move(file, disks.aside / file.name)


def rename_folder(disks: Disks) -> None:
    (disks.disk / "deep").rename(disks.disk / "deeper")


def grow(disks: Disks) -> None:
    with (disks.disk / "one.mp4").open("a") as file:
        file.write(" and more")


@dataclass(frozen=True)
class Case:
    """A deed, and what it leads to.

    places  of the first clip's files, and whether each is missing
    runs    that the sensor requested
    new     contents that are clips now and were none before
    """

    deed: Callable[[Disks], object]
    places: dict[str, bool]
    runs: int = 0
    new: tuple[str, ...] = ()
    says: str = ""


STAYS = {"disk/one.mp4": False}
CASES = {
    "renamed": Case(
        lambda it: (it.disk / "one.mp4").rename(it.disk / "uno.mp4"), {"disk/uno.mp4": False}, 1
    ),
    "renamed in case alone": Case(
        lambda it: (it.disk / "one.mp4").rename(it.disk / "ONE.MP4"), {"disk/ONE.MP4": False}, 1
    ),
    "moved within its disk": Case(move_below, {"disk/day 1/uno.mp4": False}, 1),
    "moved to another disk": Case(
        copy_and_delete, {"disk/one.mp4": True, "other/one.mp4": False}, 1
    ),
    "remounted elsewhere": Case(lambda it: it.pull_out(it.other), {"other/one.mp4": False}, 1),
    "unplugged": Case(lambda it: it.pull_out(), STAYS, says="nothing was changed"),
    "unplugged and back": Case(unplug_and_plug_in, STAYS),
    "emptied": Case(empty, STAYS, says="it is empty, but 3 known files were there"),
    "replaced": Case(
        lambda it: (it.disk / "one.mp4").write_text("replaced by another"),
        {},
        1,
        new=("replaced by another",),
    ),
    "copied": Case(
        lambda it: shutil.copy(it.disk / "one.mp4", it.disk / "copy.mp4"),
        {"disk/one.mp4": False, "disk/copy.mp4": False},
        1,
    ),
    "linked": Case(
        lambda it: (it.disk / "link.mp4").hardlink_to(it.disk / "one.mp4"),
        {"disk/one.mp4": False, "disk/link.mp4": False},
        1,
    ),
    "deleted": Case(lambda it: (it.disk / "one.mp4").unlink(), {"disk/one.mp4": True}),
    "grown": Case(grow, {}, 1, new=("one of grown and more",)),
    "untouched": Case(lambda _: None, STAYS),
    "beside a deleted folder": Case(lambda it: shutil.rmtree(it.disk / "deep"), STAYS),
    "beside a renamed folder": Case(rename_folder, STAYS, 1),
}


@dataclass
class Life:
    """What happened to the files of every case."""

    pipeline: Pipeline
    folder: Path
    disks: dict[str, Disks]
    runs: Counter[str] = field(default_factory=Counter)
    says: dict[str, str] = field(default_factory=dict)
    cursor: str | None = None
    asked: set[str | None] = field(default_factory=set)

    def look(self) -> None:
        """Let the sensor look some times, and run what it asks for."""
        for _ in range(TICKS):
            context = dg.build_sensor_context(
                instance=self.pipeline.instance,
                cursor=self.cursor,
                resources={"catalogue": self.pipeline.catalogue},
            )
            tick = sensor.watch_folders.evaluate_tick(context)
            self.cursor = tick.cursor
            for said in (tick.skip_message or "").split("; /"):
                if self.folder.name in said:
                    case = said.partition(f"{self.folder.name}/")[2].partition("/")[0]
                    self.says[case] = f"{self.says.get(case, '')} {said}"
            for request in tick.run_requests or []:
                self.run(request)

    def run(self, request: dg.RunRequest) -> None:
        """Run what was requested, unless it was before."""
        if request.run_key in self.asked:
            return
        self.asked.add(request.run_key)
        path = Path(request.run_config["ops"]["register_files"]["config"]["path"])
        self.runs[path.relative_to(self.folder).parts[0]] += 1
        fixed = dg.ResourceDefinition.hardcoded_resource
        result = register_folder.execute_in_process(
            instance=self.pipeline.instance,
            run_config=dict(request.run_config),
            resources={
                "catalogue": fixed(self.pipeline.catalogue),
                "preset": fixed(self.pipeline.preset),
            },
        )
        assert result.success

    def process(self) -> None:
        """Make what any clip lacks."""
        with self.pipeline.catalogue.transaction() as connection:
            rows = connection.execute("SELECT DISTINCT file_checksum FROM clips").fetchall()
        self.pipeline.process({row["file_checksum"]: row["file_checksum"] for row in rows})

    def attempts(self) -> dict[str, int]:
        """How often analyzers ran on each content."""
        with self.pipeline.catalogue.transaction() as connection:
            rows = connection.execute(
                "SELECT file_checksum, sum(attempts)::int AS n FROM results"
                " WHERE asset <> 'checksum' GROUP BY 1"
            ).fetchall()
        return {row["file_checksum"]: row["n"] for row in rows}

    def places(self, case: str, text: str) -> dict[str, bool]:
        """Where a content lies in a case's folder, and whether it is missing there."""
        with self.pipeline.catalogue.transaction(LOCAL_OWNER) as connection:
            rows = connection.execute(
                "SELECT l.path, l.missing_at IS NOT NULL AS gone FROM clip_locations l"
                "  JOIN clips c ON c.id = l.clip_id WHERE c.file_checksum = %s",
                (checksum_of(text),),
            ).fetchall()
        below = self.folder / case
        return {str(Path(row["path"]).relative_to(below)): row["gone"] for row in rows}


def checksum_of(text: str) -> str:
    return blake3(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def life(
    catalogue: Postgres, dagster_home: Path, lanes: Lanes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Life]:
    """Everything that happened, to all cases at once: a batch costs little more than a clip."""
    folder, home = tmp_path_factory.mktemp("life"), tmp_path_factory.mktemp("home")
    disks = {case: Disks(folder / case) for case in CASES}
    watched = [place for each in disks.values() for place in (each.disk, each.other)]
    written = "".join(f'[[watch]]\npath = "{place}"\n' for place in watched)
    (home / "settings.toml").write_text(written)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BATCH_SIZE, "500")
        patch.setenv("VIDEO_ASSETS_HOME", os.fspath(home))
        patch.setattr(at_rest, "QUIET_S", 0.0)
        patch.setattr(sensor, "BUSY_FRACTION", math.inf)  # a slow look puts off no other here
        try:
            with dg.DagsterInstance.from_config(os.fspath(dagster_home)) as instance:
                pipeline = Pipeline(catalogue, instance, lanes, folder, preset())
                yield _live(Life(pipeline, folder, disks))
        finally:
            for each in disks.values():
                each.close()


def _live(life: Life) -> Life:
    for case, disks in life.disks.items():
        (disks.disk / "deep").mkdir()
        for name, place in (("one", "one"), ("two", "two"), ("three", "deep/three")):
            (disks.disk / f"{place}.mp4").write_text(f"{name} of {case}")
    life.look()
    life.process()
    assert life.runs == Counter(CASES.keys()), "each case's disk was registered by one run"
    life.runs.clear()
    life.says.clear()
    for case, disks in life.disks.items():
        CASES[case].deed(disks)
    life.look()
    life.process()
    return life


@pytest.mark.parametrize("case", CASES)
def test_a_file_is_followed(life: Life, case: str) -> None:
    wanted = CASES[case]
    assert life.runs[case] == wanted.runs
    assert life.places(case, f"one of {case}") == wanted.places
    assert wanted.says in life.says.get(case, "")


@pytest.mark.parametrize("case", CASES)
def test_no_analyzer_runs_but_on_new_content(life: Life, case: str) -> None:
    attempts = life.attempts()
    for text in (f"one of {case}", f"two of {case}", f"three of {case}", *CASES[case].new):
        assert attempts[checksum_of(text)] == ANALYZERS, text


def test_only_new_content_makes_a_clip(life: Life) -> None:
    new = sum(len(case.new) for case in CASES.values())
    assert len(life.attempts()) == 3 * len(CASES) + new


@pytest.mark.parametrize("case", CASES)
def test_a_clip_is_found_wherever_its_file_is(life: Life, case: str) -> None:
    browser = Browser(life.pipeline.catalogue, LOCAL_OWNER)
    (found,) = browser.find(checksum_of(f"one of {case}"))
    there = [place for place, gone in CASES[case].places.items() if not gone]
    if there:
        assert found.file_path in {str(life.folder / case / place) for place in there}
        assert found.id in {each.id for each in browser.find(found.file_name)}


def test_what_was_missing_is_there_again(life: Life) -> None:
    folders = life.places("beside a deleted folder", "three of beside a deleted folder")
    assert folders == {"disk/deep/three.mp4": True}
    disk = life.disks["deleted"].disk
    (disk / "one.mp4").write_text("one of deleted")
    life.runs.clear()
    life.look()
    assert life.places("deleted", "one of deleted") == STAYS
    assert life.runs == {"deleted": 1}, "the file is another, so it is read; its content is not"
    assert life.attempts()[checksum_of("one of deleted")] == ANALYZERS
