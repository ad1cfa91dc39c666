"""Artifacts in an object store: put there before a result, fetched by what reads it."""

import shutil
from pathlib import Path

import pytest

from video_assets_tests.automation.conftest import Pipeline, preset
from video_assets_tests.rereading import reread


@pytest.fixture
def stored(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A pipeline with a store in the folder `shelf`."""
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(tmp_path))
    monkeypatch.setenv("VIDEO_ASSETS_ARTIFACTS__URL", f"file://{tmp_path}/shelf")
    pipeline.preset, pipeline.more = preset(reread={}), (reread,)
    return pipeline


def read_again(pipeline: Pipeline, checksum: str) -> str:
    with pipeline.catalogue.transaction() as connection:
        row = connection.execute(
            "SELECT result ->> 'first' AS text FROM results WHERE asset = 'reread' "
            "AND file_checksum = %s",
            (checksum,),
        ).fetchone()
    return row["text"] if row else ""


def test_a_later_step_on_an_empty_machine_fetches_what_an_earlier_one_made(stored, tmp_path):
    clips = stored.register("hello there")
    (checksum,) = clips.values()
    stored.run(key=checksum, select=["words", "loud"])
    (kept,) = (path for path in (tmp_path / "shelf").rglob("*") if path.is_file())
    assert kept.read_text() == "HELLO!"
    shutil.rmtree(tmp_path / "artifacts")
    stored.run(key=checksum, select=["reread"])
    assert read_again(stored, checksum) == "HELLO!"


def test_a_store_that_does_not_answer_saves_nothing_and_is_tried_again(stored, tmp_path):
    (tmp_path / "shelf").write_text("no folder")
    clips = stored.register("hello again")
    stored.run(key=clips["hello again"], select=["words", "loud"])
    (loud,) = (cell for cell in stored.cells(clips) if cell.asset == "loud")
    assert (loud.state, loud.fault, loud.error_class) == ("failed", "unreachable", "StoreError")
    (tmp_path / "shelf").unlink()
    stored.process(clips)
    assert stored.states(clips)["hello again", "loud"] == "done"
    assert read_again(stored, clips["hello again"]) == "HELLO!"
