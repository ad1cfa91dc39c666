"""Output runs: what is written down of them, how they end, and what is told of their clips."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from video_assets.redaction import HIDDEN
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger, run_folder, runs
from video_assets.storage.artifact_cache import Cache
from video_assets.storage.processes import is_alive, this_process
from video_assets.storage.run_facts import RunFacts
from video_assets.storage.run_folder import RunFolder
from video_assets.storage.run_report import document_name
from video_assets.storage.runs import Run, RunRecord
from video_assets_tests import shelf
from video_assets_tests.analyses import analysis
from video_assets_tests.shelf import LONG, MARKUP, Shelf

PRESET = {"name": "default", "steps": []}


@pytest.fixture(scope="module")
def filled(catalogue, admin_url, tmp_path_factory) -> Shelf:
    return shelf.fill(catalogue, admin_url, tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def record(filled: Shelf) -> Iterator[RunRecord]:
    record = runs.begin(
        filled.catalogue, LOCAL_OWNER, "ingest", preset="default", preset_document=PRESET, name="x"
    )
    yield record
    with filled.catalogue.transaction() as connection:
        connection.execute("DELETE FROM runs WHERE run_id = %s", (record.run_id,))


def found(record: RunRecord) -> Run:
    (run,), _ = runs.list_runs(record.catalogue, record.owner, named=record.run_id, at_most=1)
    return run


def take(record: RunRecord, filled: Shelf, *names: str) -> None:
    for name in names:
        record.take_in(filled.checksums[name], "new")
    record.flush()


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        (None, "run"),
        ("Day 3, harbour", "Day-3-harbour"),
        ("../../etc/passwd", "etc-passwd"),
        ("日本", "日本"),
        ("...", "run"),
        ("x" * 300, "x" * 40),
    ],
)
def test_an_id_is_a_name_a_time_and_six_digits(name: str | None, stem: str):
    at = datetime(2026, 3, 1, 12, 30, 5, tzinfo=timezone.utc).astimezone()
    made = runs.new_id(name, at)
    assert re.fullmatch(rf"{re.escape(stem)}_{at:%Y%m%d_%H%M%S}_[0-9a-f]{{6}}", made)
    assert runs.new_id(name, at) != made


def test_numbers_come_from_the_ledger_and_not_from_the_run(filled: Shelf, record: RunRecord):
    take(record, filled, "complete.mov", MARKUP, LONG, "waiting.mp4")
    record.note_unreadable("/x/empty.mp4", "the file is empty; copy it again")
    record.flush()
    run = found(record)
    assert (run.clips, run.complete, run.failed, run.new, run.unreadable) == (4, 1, 1, 4, 1)
    assert run.duration_s == pytest.approx(2 * 1.6016, abs=0.01)  # length, not frame rate
    totals = RunFacts(filled.catalogue, LOCAL_OWNER, record.run_id).totals()
    assert (totals.complete, totals.failed, totals.processing, totals.waiting) == (1, 1, 1, 1)


def test_a_copy_is_no_second_clip_of_a_run(filled: Shelf, record: RunRecord):
    record.take_in(filled.checksums["twin.mp4"], "new")
    record.take_in(filled.checksums["twin.mp4"], "duplicate")
    record.flush()
    assert RunFacts(filled.catalogue, LOCAL_OWNER, record.run_id).totals().new == 1


def test_what_is_taken_in_is_written_before_the_run_ends(filled: Shelf, record: RunRecord):
    for _ in range(runs.ROWS_AT_ONCE):
        record.note_unreadable("/x/y.mp4", "torn")
    assert found(record).unreadable == runs.ROWS_AT_ONCE


def test_a_run_of_another_is_not_found(filled: Shelf, record: RunRecord):
    assert runs.list_runs(filled.catalogue, filled.neighbour, named=record.run_id) == ([], 0)
    take(record, filled, "neighbour.mp4")  # a clip of somebody else is no clip of this run
    assert found(record).clips == 0
    assert not runs.delete(filled.catalogue, filled.neighbour, record.run_id)


def test_a_run_ends_once_and_says_why(record: RunRecord):
    assert (found(record).status, found(record).ended_at) == ("active", None)
    record.end("stopped", "stopped by Ctrl-C")
    record.end("completed")
    run = found(record)
    assert (run.status, run.note) == ("stopped", "stopped by Ctrl-C")
    assert run.ended_at is not None


def test_the_run_of_a_killed_process_is_closed_by_the_next(filled: Shelf, record: RunRecord):
    take(record, filled, "complete.mov")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        seen = f"{child.pid} {this_process().partition(' ')[2]}"  # a number that is used again
    with filled.catalogue.transaction() as connection:
        connection.execute("UPDATE runs SET process = %s WHERE run_id = %s", (seen, record.run_id))
    assert runs.settle(filled.catalogue, LOCAL_OWNER) == [record.run_id]
    assert (found(record).status, found(record).note) == ("stopped", runs.KILLED)
    assert runs.settle(filled.catalogue, LOCAL_OWNER) == []


def test_a_living_run_is_left_alone(filled: Shelf, record: RunRecord):
    assert is_alive(this_process())
    assert runs.settle(filled.catalogue, LOCAL_OWNER) == []
    assert found(record).status == "active"


def test_a_run_in_the_background_ends_with_its_last_clip(
    filled: Shelf, record: RunRecord, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(runs, "QUIET_S", 0.0)
    take(record, filled, "complete.mov", MARKUP, "waiting.mp4")
    record.leave_to_daemon()
    assert runs.settle(filled.catalogue, LOCAL_OWNER) == []
    with filled.catalogue.transaction() as connection:
        connection.execute(
            """DELETE FROM run_clips USING clips
                WHERE clips.id = clip_id AND run_id = %s AND file_name = 'waiting.mp4'""",
            (record.run_id,),
        )
    assert runs.settle(filled.catalogue, LOCAL_OWNER) == [record.run_id]
    assert found(record).status == "completed"


def test_no_secret_is_written_down():
    document = {
        "steps": [{"params": {"api_key": "sk-1", "base_url": "https://me:pw@host/v1", "key": ""}}],
        "max_tokens": 5,
        "keyframes": "all",
        "access_token": "t",
    }
    kept = runs.without_secrets(document)
    assert kept == {
        "steps": [{"params": {"api_key": HIDDEN, "base_url": "https://***@host/v1", "key": ""}}],
        "max_tokens": 5,
        "keyframes": "all",
        "access_token": HIDDEN,
    }


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("A001_C003.mov", "A001_C003_0123456789ab.json"),
        ("../../x/<script>.mp4", "_script__0123456789ab.json"),
        ('two\\nlines: "a"?.mp4', "two_nlines_ _a___0123456789ab.json"),
        (".mp4", "mp4_0123456789ab.json"),
        ("日本語" * 60 + ".mp4", "日本語" * 16 + "日本_0123456789ab.json"),
    ],
)
def test_a_document_is_named_so_that_every_file_system_takes_it(name: str, wanted: str):
    made = document_name(name, "0123456789abcdef")
    assert made == wanted
    assert len(made.encode()) <= 255


def done(filled: Shelf, name: str, document: str, content: dict[str, object]) -> None:
    shelf.done(filled, name, "video_document", {"document": document, "content": content})


@pytest.fixture
def written(filled: Shelf, record: RunRecord, tmp_path: Path) -> RunFolder:
    """A run with a clip in every state, written into a home."""
    store = tmp_path / "artifacts"
    (store / "ab").mkdir(parents=True)
    (store / "ab" / "d.json").write_text('{"video": 1}')
    content = {"video": {"container": "mov"}, "analysis": {"long": True}, "camera": None}
    done(filled, "complete.mov", "ab/d.json", content)
    take(record, filled, "complete.mov", MARKUP, LONG, "waiting.mp4")
    record.note_unreadable("/x/empty.mp4", "the file is empty; copy it again")
    record.end("completed")
    return write(filled, record, tmp_path)


def write(filled: Shelf, record: RunRecord, home: Path) -> RunFolder:
    folder = RunFolder.of(home, record.run_id)
    facts = RunFacts(filled.catalogue, LOCAL_OWNER, record.run_id)
    run_folder.write(folder, found(record), facts, Cache(home / "artifacts"))
    return folder


def test_the_manifest_is_final(written: RunFolder):
    told = json.loads(written.manifest.read_text())
    assert told["status"] == "completed"
    assert (told["videos_processed"], told["videos_failed"], told["files_unreadable"]) == (1, 1, 1)
    assert told["total_duration_seconds"] == pytest.approx(3.2, abs=0.01)
    assert told["pipeline_config"] == PRESET
    stats = told["processing_stats"]
    assert stats["total_processing_time"] >= 0
    began, ended = (datetime.fromisoformat(stats[f"{n}_at"]) for n in ("started", "completed"))
    assert began.tzinfo
    assert began <= ended <= datetime.fromisoformat(told["last_updated"])
    assert json.loads((written.path / "pipeline_config.json").read_text()) == PRESET


def test_all_videos_are_told_with_what_is_their_owners(written: RunFolder, filled: Shelf):
    told = json.loads(written.all_videos.read_text())
    info = told["run_info"]
    assert [info[f"{n}_videos"] for n in ("total", "successful", "failed")] == [4, 1, 1]
    videos = {each["file_info"]["file_name"]: each for each in told["videos"]}
    assert {name: each["processing_status"] for name, each in videos.items()} == {
        "complete.mov": "completed",
        MARKUP: "failed",
        LONG: "processing",
        "waiting.mp4": "queued",
    }
    complete = videos["complete.mov"]
    assert complete["video"] == {"container": "mov"}
    assert complete["file_info"]["file_path"] == str(filled.folder / "ours" / "complete.mov")
    assert "analysis" not in complete  # which may be long, and lies in the clip's own file
    assert json.loads((written.path / complete["document"]).read_text()) == {"video": 1}
    assert "no \x1b[31mframe decodes" in videos[MARKUP]["error_details"]["probe"]["error"]


def test_documents_are_stored_once_and_renewed(
    written: RunFolder, filled: Shelf, record: RunRecord, tmp_path: Path
):
    (document,) = (written.path / "json").iterdir()
    source = tmp_path / "artifacts" / "ab" / "d.json"
    assert document.samefile(source)
    source.unlink()
    source.write_text("{}")  # the step ran again
    (written.path / "json" / "of a clip that is forgotten.json").touch()
    write(filled, record, tmp_path)
    (document,) = (written.path / "json").iterdir()
    assert document.samefile(source)
    run_folder.remove(written)
    assert source.read_text() == "{}"
    assert not written.path.exists()


def test_what_analyzers_say_stands_beside_the_documents(
    written: RunFolder, filled: Shelf, record: RunRecord, tmp_path: Path
):
    (tmp_path / "artifacts" / "ab" / "a.json").write_text("{}")
    shelf.done(filled, "complete.mov", "claude_analysis", analysis(file="ab/a.json"))
    shelf.done(filled, "complete.mov", "gemini_analysis", analysis(file="ab/is not there.json"))
    (written.path / "ai_analysis" / "of a clip that is forgotten.json").touch()
    write(filled, record, tmp_path)
    (found,) = (written.path / "ai_analysis").iterdir()
    assert found.samefile(tmp_path / "artifacts" / "ab" / "a.json")
    short = filled.checksums["complete.mov"][:12]
    assert found.name == f"complete_{short}_claude_AI_analysis.json"


def test_documents_are_copied_where_no_file_has_two_names(
    written: RunFolder, filled: Shelf, record: RunRecord, tmp_path: Path, replace_here
):
    def refuse(*_: object) -> None:
        raise OSError(1, "no hard links here")

    (document,) = (written.path / "json").iterdir()
    document.unlink()
    replace_here(os, "link", refuse)
    write(filled, record, tmp_path)
    assert document.read_text() == '{"video": 1}'
    assert document.stat().st_nlink == 1


def test_the_report_is_safe_of_what_is_not_known(written: RunFolder):
    told = json.loads(written.report.read_text())
    assert told["video_statistics"]["total_videos"] == 4
    assert told["video_statistics"]["resolution_distribution"] == {"36x64": 2}
    assert told["quality_analysis"]["average_technical_quality"] is None
    assert told["technical_summary"]["processing_completion_rate"] == 0.25
    times = told["processing_timeline"]
    assert [each["processing_status"] for each in times].count("completed") == 1
    assert times[-1]["processed_at"] is None
    causes = {(c["step"], c["fault"]): c["clips"] for c in told["failures"]["by_cause"]}
    assert causes == {("probe", "file"): 1, ("read", "file"): 1}
    assert told["failures"]["total"] == 2
    assert [len(each["faults"]) for each in told["failures"]["first"]] == [1, 1]


def test_an_empty_run_has_a_report_too(filled: Shelf, record: RunRecord, tmp_path: Path):
    folder = write(filled, record, tmp_path)
    told = json.loads(folder.report.read_text())
    assert told["technical_summary"]["average_file_size_mb"] is None
    assert told["processing_timeline"] == []
    assert json.loads(folder.manifest.read_text())["status"] == "active"


@pytest.mark.parametrize(
    ("width", "height", "is_4k"),
    [(3840, 1608, True), (2160, 3840, True), (2880, 2160, True), (1920, 1080, False)],
)
def test_4k_is_told_by_the_longer_or_the_shorter_side(
    filled: Shelf, record: RunRecord, width: int, height: int, is_4k: bool
):
    take(record, filled, "twin.mp4")
    with filled.catalogue.transaction() as connection:
        connection.execute(
            "UPDATE clips SET width = %s, height = %s WHERE file_checksum = %s",
            (width, height, filled.checksums["twin.mp4"]),
        )
    facts = RunFacts(filled.catalogue, LOCAL_OWNER, record.run_id)
    assert facts.totals().is_4k == is_4k


def test_steps_of_the_run_are_told_from_those_made_before(filled: Shelf, record: RunRecord):
    take(record, filled, "waiting.mp4", LONG)
    shelf.done(filled, "waiting.mp4", "thumbnails", {"thumbnails": [], "contact_sheet": None})
    facts = RunFacts(filled.catalogue, LOCAL_OWNER, record.run_id)
    steps = {step.step: step for step in facts.steps()}
    assert (steps["thumbnails"].made, steps["thumbnails"].slowest_file) == (1, "waiting.mp4")
    assert (steps["thumbnails"].total_s, steps["thumbnails"].median_s) == (1.25, 1.25)
    assert (steps["probe"].done, steps["probe"].made) == (1, 0)
    assert [clip.file for clip in facts.slowest(at_most=5)] == ["waiting.mp4"]
    (first, *_) = activity = facts.activity(slots=10)
    assert {each.step for each in activity} == {"thumbnails"}
    assert [each.slot for each in activity] == list(range(10))
    assert first.since == pytest.approx(time.time() - 1.25, abs=60)
    with filled.catalogue.transaction() as connection:
        connection.execute(
            "DELETE FROM results WHERE asset = 'thumbnails' AND file_checksum = %s",
            (filled.checksums["waiting.mp4"],),
        )
        ledger.projection.project_progress(connection, [filled.checksums["waiting.mp4"]])
