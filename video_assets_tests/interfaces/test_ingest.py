"""`video-assets ingest` on files of every kind, as a person runs it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg import connect

from video_assets.automation.here import QUIET
from video_assets.automation.instance import open_instance
from video_assets.presets.model import load_preset
from video_assets.settings import load_settings
from video_assets.storage.artifacts import UNFINISHED
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.commands import at_home, command, environment, run, run_here, start
from video_assets_tests.servers import remove_server

# Loading Dagster's resources warns of what its next release has to replace.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


PICTURES = """
name: pictures
steps:
  - {category: measure, name: probe, queue: metadata}
  - {category: derive, name: thumbnails, queue: ai_pictures, enabled: false, params: {count: 1}}
  - {category: index, name: video_document}
worker_config: {default: 1, metadata: 1, ai_pictures: 1}
"""


@dataclass
class House:
    """A home whose catalogue runs, and clips to put into folders."""

    home: Path
    clip: bytes
    made: int = 0

    def put(self, place: Path | bytes) -> Path | bytes:
        """Write a clip that nobody has seen: the same picture, other bytes."""
        self.made += 1
        number = f"{self.made:08d}".encode()
        box = (8 + len(number)).to_bytes(4, "big") + b"free" + number
        with open(place, "wb") as file:  # noqa: PTH123  a Path has no place for such bytes
            file.write(self.clip + box)
        return place

    def prepare(self, name: str, preset: str) -> None:
        """Write a preset of its own."""
        folder = self.home / "presets"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(preset)

    def ingest(self, *arguments: str | Path, code: int = 0) -> Any:
        """Ingest in this process, and give the document."""
        return json.loads(run_here("ingest", "--json", *arguments, code=code).stdout)

    def runs(self, preset: str) -> list[dict[str, str]]:
        """The tags of every run by a preset."""
        with connect(EmbeddedServer(self.home).admin_url("dagster")) as connection:
            rows = connection.execute(
                "SELECT jsonb_object_agg(key, value) FROM run_tags GROUP BY run_id"
            ).fetchall()
        return [tags for (tags,) in rows if tags.get("video-assets/preset") == preset]

    def begun(self) -> int:
        """How often a step has begun with a clip."""
        with connect(EmbeddedServer(self.home).admin_url()) as connection:
            query = "SELECT count(*) FROM processing_events WHERE status = 'starting'"
            (count,) = connection.execute(query).fetchone() or (0,)
            return count

    def results(self) -> set[tuple[str, str, datetime]]:
        """Every result, and when it was made."""
        with connect(EmbeddedServer(self.home).admin_url()) as connection:
            return set(connection.execute("SELECT file_checksum, asset, measured_at FROM results"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("house")
    clip = make_clip(home / "clip.mp4", Clip(frames=12)).read_bytes()
    house = House(home / "home", clip)
    with at_home(house.home):
        yield house
    remove_server(EmbeddedServer(house.home))


def test_each_bad_file_is_named_and_the_good_ones_are_complete(house: House, tmp_path: Path):
    house.put(tmp_path / "good.mp4")
    shutil.copy(tmp_path / "good.mp4", tmp_path / "the same.mp4")
    house.put(tmp_path / "two\nlines.mp4")
    house.put(tmp_path / "-dash.mp4")
    house.put(os.fsencode(tmp_path) + b"/caf\xe9.mp4")
    house.put(tmp_path / "LOUD.MP4")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "text.mp4").write_text("no video at all")
    (tmp_path / "empty.mp4").touch()
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "nowhere.mp4").symlink_to(tmp_path / "gone")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(tmp_path)  # the address of a socket is short
        listener.bind("socket.mp4")
        os.chdir(here)
        done = run(house.home, "ingest", "--no-recursive", tmp_path)
        again = house.ingest("--no-recursive", tmp_path, code=1)

    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Clips complete │ 5 of 6" in done.stdout
    copies = {"the same.mp4 is a copy of good.mp4", "good.mp4 is a copy of the same.mp4"}
    assert copies & set(done.stdout.splitlines())  # whichever was read first
    assert all(char.isprintable() or char == "\n" for char in done.stdout + done.stderr)
    *laid_out, report = done.stdout.splitlines()
    assert max(map(len, laid_out)) <= 80
    assert report.startswith("Report of run run_")  # a path that can be copied is never folded
    assert Path(report.partition(": ")[2]).is_file()
    assert {each["file"]: (each["step"], each["found"]) for each in again["failures"]} == {
        "text.mp4": ("probe", "expected a video, found text"),
        "empty.mp4": ("read", "the file is empty"),
        "pipe.mp4": ("read", "expected a file, found a named pipe"),
        "socket.mp4": ("read", "expected a file, found a socket"),
        "folder.mp4": ("read", "expected a file, found a folder"),
        "nowhere.mp4": ("read", "a link that leads nowhere"),
    }
    assert all(each["advice"] for each in again["failures"])
    assert (again["new"], again["known"], again["complete"]) == (0, 7, 5)


def test_known_files_are_told_at_once_without_reading_or_dagster(house: House, tmp_path: Path):
    for number in range(3):
        house.put(tmp_path / f"{number}.mp4")
    house.ingest(tmp_path)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command("ingest", tmp_path)[1:]],
        env=environment(house.home),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Nothing to do: all 3 files are known" in done.stdout
    assert "Reading" not in done.stderr
    assert " dagster" not in done.stderr
    steps = len(load_preset("default").steps)
    assert len(done.stdout.splitlines()) < steps + 10


def test_an_ingest_is_a_run_with_a_report(house: House, tmp_path: Path):
    house.put(tmp_path / "a.mp4")
    (tmp_path / "empty.mp4").touch()
    done = house.ingest("--name", "Day 1", tmp_path, code=1)
    assert done["run_id"].startswith("Day-1_")
    page = Path(done["report"])
    assert "a.mp4" in page.read_text("utf-8")
    assert "the file is empty" in page.read_text("utf-8")
    (document,) = (page.parents[1] / "json").iterdir()
    assert document.stat().st_nlink == 2  # it lies in the artifact store
    told = json.loads((page.parents[1] / "run_manifest.json").read_text())
    assert (told["status"], told["videos_processed"]) == ("completed", 1)
    assert (told["files_unreadable"], told["roots"]) == (1, [str(tmp_path)])
    report = json.loads(page.with_suffix(".json").read_text())
    assert {step["made"] for step in report["steps"]} == {1}
    again = house.ingest(tmp_path, code=1)
    assert again["run_id"].startswith("run_")
    assert again["report"] is None  # nothing was made
    listed = json.loads(run_here("runs", "list", "--json").stdout)["runs"]
    assert [run["run_id"] for run in listed[:2]] == [again["run_id"], done["run_id"]]
    text = run_here("quick-process", tmp_path / "a.mp4")
    assert "Report of run run_" in text.stdout


def test_a_run_has_its_clips_written_down_before_they_are_processed(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def be_killed(*_: object, **__: object) -> None:
        told = json.loads(run_here("runs", "list", "--json", "--limit", "1").stdout)["runs"][0]
        raise OSError(f"{told['status']} with {told['clips']} clip")

    house.put(tmp_path / "a.mp4")
    monkeypatch.setattr("video_assets.interfaces.cli.passes.process", be_killed)
    assert "active with 1 clip" in run_here("ingest", tmp_path, code=3).stderr
    told = json.loads(run_here("runs", "show", "--json").stdout)
    assert (told["status"], told["note"]) == ("failed", "OSError: active with 1 clip")


def test_a_file_named_like_an_option_is_a_file(house: House, tmp_path: Path):
    house.put(tmp_path / "--help.mp4")
    done = run(house.home, "ingest", "--json", "--", "--help.mp4", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["complete"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/no/such/folder"], "/no/such/folder: there is no such file or folder"),
        ([".", "--config", "fats"], "there is no preset 'fats'; did you mean fast?"),
        ([".", "--pattern", "*.xyz"], "No video files found"),
        ([".", "--workers", "-1"], "--workers"),
        ([], "PATH"),
    ],
)
def test_wrong_usage_is_told_and_makes_nothing(tmp_path: Path, arguments: list[str], said: str):
    done = run(tmp_path / "home", "ingest", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_is_one_line(tmp_path: Path):
    (tmp_path / "settings.toml").write_text("wach = []")
    done = run(tmp_path, "ingest", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown key wach" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_dry_run_plans_and_makes_nothing(house: House, tmp_path: Path):
    (tmp_path / "footage").mkdir()
    house.put(tmp_path / "footage" / "a.mp4")
    done = run(tmp_path / "home", "ingest", "--dry-run", "--json", tmp_path / "footage")
    plan = json.loads(done.stdout)
    assert plan["read"] == [str(tmp_path / "footage" / "a.mp4")]
    planned = [step["step"] for step in plan["steps"]]
    assert (planned[0], planned[-1]) == ("checksum", "video_document")
    assert set(planned) == {step.name for step in load_preset("default").enabled_steps()}
    assert [each.name for each in tmp_path.iterdir()] == ["footage"]
    text = run_here("ingest", "--dry-run", tmp_path / "footage").stdout
    assert "Would read 1 new file," in text
    assert "✓ Enabled" in text
    house.ingest(tmp_path / "footage")
    done = run_here("ingest", "--dry-run", "--json", tmp_path / "footage")
    assert {step["known_clips"] for step in json.loads(done.stdout)["steps"]} == {0}


def test_without_workers_files_are_registered_and_wait(house: House, tmp_path: Path):
    house.put(tmp_path / "a.mp4")
    done = run_here("ingest", "--workers", "0", tmp_path)
    assert "1 clip waits for `video-assets dev`" in done.stderr
    assert json.loads(run_here("runs", "show", "--json").stdout)["status"] == "active"
    assert house.ingest("--workers", "1", tmp_path)["complete"] == 1
    done = run_here("ingest", "--workers", "0", "--enable-ai", tmp_path, code=2)
    assert "--enable-ai would do nothing" in done.stderr


def test_ai_is_switched_on_for_one_ingest_and_recorded_with_its_run(house: House, tmp_path: Path):
    house.prepare("pictures", PICTURES)
    house.put(tmp_path / "a.mp4")
    assert house.ingest("--config", "pictures", "--enable-ai", tmp_path)["complete"] == 1
    (first,) = house.runs("pictures")
    assert first["video-assets/switched-on"] == "thumbnails"
    made = house.results()

    house.put(tmp_path / "b.mp4")
    assert house.ingest("--config", "pictures", tmp_path)["complete"] == 2
    (second,) = [tags for tags in house.runs("pictures") if tags != first]
    assert "video-assets/switched-on" not in second
    assert made < house.results()
    assert sorted(asset for _, asset, _ in house.results() - made) == [
        *("checksum", "probe", "video_document")
    ]
    done = run_here("ingest", "--config", "fast", "--enable-ai", "--dry-run", tmp_path)
    assert "preset fast has no disabled step of AI" in done.stderr


def test_the_job_of_a_preset_makes_what_the_preset_says(house: House, tmp_path: Path):
    from video_assets.definitions import defs

    house.prepare("pictures", PICTURES)
    house.put(tmp_path / "a.mp4")
    before = house.results()
    house.ingest("--config", "pictures", "--enable-ai", tmp_path)
    ((checksum, *_),) = [row for row in house.results() - before if row[1] == "checksum"]
    before = house.results()
    with open_instance(load_settings()) as instance:
        done = defs.resolve_job_def("fast").execute_in_process(
            instance=instance, partition_key=checksum, run_config=QUIET
        )
    assert done.success
    made = {asset for _, asset, _ in house.results() - before}
    assert made == {"probe", "thumbnails", "video_document"}
    after = json.loads(
        run_here("ingest", "--config", "fast", "--dry-run", "--json", tmp_path).stdout
    )
    assert {step["step"]: step["known_clips"] for step in after["steps"]} == {
        **{"checksum": 0, "probe": 0, "thumbnails": 0, "video_document": 0}
    }


def test_a_stopped_ingest_says_how_to_go_on(house: House, tmp_path: Path):
    answers = ("clips in hand", "stopping now")
    for wishes in ([signal.SIGINT], [signal.SIGTERM, signal.SIGINT]):
        for number in range(12):  # new ones, as all may be done in the moment between two looks
            house.put(tmp_path / f"{len(wishes)}_{number}.mp4")
        before = house.begun()
        process = start(house.home, "ingest", tmp_path)
        assert process.stderr is not None
        while house.begun() == before:  # whoever is asked sooner has no clip in hand yet
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        for wish, answer in zip(wishes, answers, strict=False):
            process.send_signal(wish)
            assert any(answer in line for line in process.stderr), answer
        errors = process.stderr.read()  # `communicate` would lose what was read ahead
        process.communicate(timeout=60)
        assert process.returncode == 130, errors
        assert errors.splitlines()[-1] == "stopped; run the same command to continue"
        assert "Traceback" not in errors
        told = json.loads(run_here("runs", "show", "--json").stdout)
        assert (told["status"], told["note"]) == ("stopped", "stopped by Ctrl-C")
        assert Path(told["report"]).is_file()
    assert house.ingest(tmp_path)["complete"] == 24
    with connect(EmbeddedServer(house.home).admin_url("dagster")) as connection:
        rows = connection.execute("SELECT DISTINCT status FROM runs").fetchall()
    assert {row[0] for row in rows} <= {"SUCCESS", "CANCELED", "FAILURE"}


def test_watching_takes_what_appears_and_ends_cleanly(house: House, tmp_path: Path):
    process = start(house.home, "ingest", "--watch", "--json", tmp_path)
    assert process.stderr is not None
    assert process.stdout is not None
    while "Watching" not in process.stderr.readline():
        assert process.poll() is None
    house.put(tmp_path / "late.mp4")
    document: dict[str, Any] = {}
    while document.get("new") != 1:
        document = json.loads(process.stdout.readline())
    assert (document["complete"], document["failures"]) == (1, [])
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_what_is_ignored_is_not_taken_and_what_is_gone_is_said(house: House, tmp_path: Path):
    for name in ("a.mp4", "b.mp4", "Proxies/a.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        house.put(tmp_path / name)
    found = house.ingest("--workers", "0", "--ignore", "proxies/", tmp_path)
    assert found["new"] == 2
    assert "as in .gitignore" in run_here("ingest", "--ignore", "!", tmp_path, code=2).stderr
    (tmp_path / "b.mp4").unlink()
    told = run_here("ingest", "--workers", "0", tmp_path).stderr
    assert "1 known file gone; the clips stay" in told


def test_one_file_is_processed_quickly_and_shown(house: House, tmp_path: Path):
    house.put(tmp_path / "quick.mp4")
    assert "64x36" in run_here("quick-process", tmp_path / "quick.mp4").stdout
    run_here("quick-process", tmp_path, code=2)


def test_what_no_clip_is_to_blame_for_is_told_with_its_log(house: House, tmp_path: Path):
    house.put(tmp_path / "a.mp4")
    house.ingest("--workers", "0", tmp_path)
    url = EmbeddedServer(house.home).admin_url()
    with connect(url, autocommit=True) as connection:
        connection.execute("REVOKE INSERT ON results FROM service_role")
        try:
            done = run_here("ingest", tmp_path, code=3)
        finally:
            connection.execute("GRANT INSERT ON results TO service_role")
    assert "permission denied for table results" in done.stderr
    log = house.home / "logs" / "video-assets.jsonl"
    assert f"details are in {log}" in done.stderr
    assert "permission denied for table results" in log.read_text()
    assert house.ingest(tmp_path)["complete"] == 1


@pytest.mark.skipif(not IS_ROOT, reason="only root may mount a small disk")
def test_a_full_disk_for_artifacts_fails_the_clips_until_there_is_room(
    house: House, tmp_path: Path
):
    for number in range(8):
        house.put(tmp_path / f"{number}.mp4")
    artifacts = house.home / "artifacts"
    kept = house.home / "kept"
    artifacts.rename(kept)
    artifacts.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", artifacts]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        artifacts.rmdir()
        kept.rename(artifacts)
        pytest.skip("mounting is not allowed here")
    try:
        done = house.ingest(tmp_path, code=1)
        assert {each["error_class"] for each in done["failures"]} == {"DiskFull"}
        assert "the disk for artifacts is full" in done["failures"][0]["found"]
        assert list(artifacts.rglob(f"*{UNFINISHED}")) == []
        more = ["mount", "-o", "remount,size=50m", artifacts]
        subprocess.run(more, check=True)
        assert house.ingest(tmp_path)["failures"] == []
    finally:
        subprocess.run(["umount", artifacts], check=True)  # noqa: S607
        shutil.rmtree(artifacts)
        kept.rename(artifacts)
