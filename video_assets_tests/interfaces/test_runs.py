"""`runs` and `export` as a person uses them, and what `ingest` leaves for them."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from video_assets.interfaces.cli import export as exporting
from video_assets.settings import LOCAL_OWNER, Settings
from video_assets.storage import runs
from video_assets.storage.export_files import MissingLibraryError
from video_assets.storage.run_folder import RunFolder
from video_assets.storage.runs import RunRecord
from video_assets_tests.interfaces.conftest import Shell
from video_assets_tests.shelf import MARKUP, Shelf


@pytest.fixture
def ended(filled: Shelf) -> Iterator[list[RunRecord]]:
    """Three runs that ended, the newest last, and one that goes on."""
    made: list[RunRecord] = []
    for name in ("first", "second", "second", None):
        record = runs.begin(
            filled.catalogue, LOCAL_OWNER, "ingest", preset="default", preset_document={}, name=name
        )
        record.take_in(filled.checksums["complete.mov"], "new")
        record.take_in(filled.checksums[MARKUP], "known")
        record.flush()
        made.append(record)
    for record in made[:3]:
        record.end("completed")
    yield made[:3]
    with filled.catalogue.transaction() as connection:
        connection.execute("DELETE FROM runs")


def test_runs_are_listed_newest_first(shell: Shell, ended: list[RunRecord], filled: Shelf):
    told = shell.json("runs", "list")
    assert [run["status"] for run in told["runs"]] == ["active", *["completed"] * 3]
    assert [run["run_id"] for run in told["runs"][1:]] == [r.run_id for r in reversed(ended)]
    assert (told["runs"][1]["complete"], told["runs"][1]["failed"]) == (1, 1)
    assert told["runs"][1]["report"] is None
    lines = shell("runs", "list", "--limit", "3").splitlines()
    assert ended[-1].run_id in lines[2]
    assert lines[-1] == "3 of 4; --limit 4 shows all"


def test_a_run_goes_by_its_id_its_beginning_its_name_or_as_the_latest(
    shell: Shell, ended: list[RunRecord]
):
    first = ended[0].run_id
    for name in (first, first[:-3], "first"):
        assert shell.json("runs", "show", name)["run_id"] == first
    assert shell.json("runs", "show")["status"] == "active"
    assert shell.json("runs", "show", "second")["run_id"] == ended[2].run_id
    assert "second_ is 2 runs: second_" in shell.error("runs", "show", "second_")
    assert "there is no run called nine" in shell.error("runs", "show", "nine")


def test_a_run_is_shown_in_words_and_its_folder_is_made(
    shell: Shell, ended: list[RunRecord], settings: Settings
):
    printed = " ".join(shell("runs", "show", "first").split())
    for fact in ("Status completed", "What ingest, preset default", "1 complete, 1 failed"):
        assert fact in printed
    assert "probe: 1 failed UndecodableError" in printed
    folder = RunFolder.of(settings.home, ended[0].run_id)
    assert folder.is_whole()
    assert folder.table.read_text().count("\n") == 3


def test_a_broken_folder_breaks_nothing_and_is_mended(
    shell: Shell, ended: list[RunRecord], settings: Settings
):
    folder = RunFolder.of(settings.home, ended[0].run_id)
    shell("runs", "report", "first")
    folder.manifest.write_text("{ half")
    folder.page.unlink()
    (settings.home / "runs" / "not a run").mkdir()
    assert len(shell.json("runs", "list")["runs"]) == 4
    assert shell("runs", "report", "first").strip() == str(folder.page)
    assert json.loads(folder.manifest.read_text())["status"] == "completed"
    assert (settings.home / "runs" / "not a run").is_dir()


def test_a_report_is_written_for_people_and_programs(
    shell: Shell, ended: list[RunRecord], monkeypatch: pytest.MonkeyPatch
):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    page = Path(shell("runs", "report", "first", "--open").strip())
    assert opened == [page.as_uri()]
    assert page.name == f"processing_report_{ended[0].run_id}.html"
    document = Path(shell("runs", "report", "first", "--format", "json").strip())
    assert json.loads(document.read_text())["run_summary"]["run_id"] == ended[0].run_id
    told = shell.json("runs", "report", "first")
    assert told == {"run_id": ended[0].run_id, "report": str(page)}


def test_pruning_keeps_the_newest_and_what_goes_on(
    shell: Shell, ended: list[RunRecord], settings: Settings, filled: Shelf
):
    for record in ended:
        shell("runs", "report", record.run_id)
    folders = [RunFolder.of(settings.home, record.run_id).path for record in ended]
    before = shell.json("runs", "prune", "--keep", "1", "--dry-run")
    assert [each["run_id"] for each in before["removed"]] == [ended[1].run_id, ended[0].run_id]
    assert all(folder.is_dir() for folder in folders)
    assert "would remove" in shell("runs", "prune", "--keep", "1", "--dry-run")
    shell("runs", "prune", "--keep", "1")
    assert [folder.is_dir() for folder in folders] == [False, False, True]
    shell("runs", "prune", "--keep", "0")
    assert [run["status"] for run in shell.json("runs", "list")["runs"]] == ["active"]
    assert "nothing to remove" in shell("runs", "prune")
    assert shell.json("list")["total"] == 6  # every clip stays


def test_a_link_in_place_of_a_folder_is_not_followed(
    shell: Shell, ended: list[RunRecord], settings: Settings, tmp_path: Path
):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "clip.mov").touch()
    folder = RunFolder.of(settings.home, ended[0].run_id).path
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tmp_path / "mine")
    shell("runs", "prune", "--keep", "0")
    assert not folder.is_symlink()
    assert (tmp_path / "mine" / "clip.mov").exists()


def test_without_a_catalogue_there_is_no_run(bare_shell: Shell, settings: Settings):
    assert "no catalogue yet" in bare_shell("runs", "list")
    assert bare_shell.json("runs", "list") == {"total": 0, "shown": 0, "runs": []}
    assert "no catalogue yet" in bare_shell.error("runs", "show")
    assert "no catalogue yet" in bare_shell.error("export")
    assert bare_shell.json("runs", "prune")["removed"] == []
    assert not settings.home.exists()


def test_without_a_run_that_is_said(shell: Shell):
    assert "no run yet" in shell("runs", "list")
    assert "no run yet" in shell.error("runs", "report")


def test_a_table_is_written_whole_in_the_form_of_its_name(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("clips.csv", "clips.json", "clips.parquet"):
        shell("export", "--output", str(tmp_path / name))
    assert (tmp_path / "clips.parquet").read_bytes()[:4] == b"PAR1"
    assert len(json.loads((tmp_path / "clips.json").read_text())) == 6
    with (tmp_path / "clips.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 6
    assert shell("export", "--where", "codec=h264").count("\n") == 3
    umask = os.umask(0o022)
    os.umask(umask)
    assert (tmp_path / "clips.csv").stat().st_mode & 0o777 == 0o666 & ~umask

    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(exporting.WRITERS, "csv", fail)
    shell.error("export", "--output", str(tmp_path / "clips.csv"), code=3)
    assert len(list(tmp_path.iterdir())) == 3
    assert (tmp_path / "clips.csv").stat().st_size > 0


def test_parquet_without_its_library_says_what_to_do(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    said = shell.error("export", "--output", str(tmp_path / "x.parquet"))
    assert "pip install -e '.[export]'" in said
    assert list(tmp_path.iterdir()) == []
    assert issubclass(MissingLibraryError, RuntimeError)


def test_parquet_is_not_for_a_terminal(shell: Shell):
    assert "name a file with --output" in shell.error("export", "--format", "parquet")
    assert "clips have no fact 'nme'" in shell.error("export", "--where", "nme=1")
