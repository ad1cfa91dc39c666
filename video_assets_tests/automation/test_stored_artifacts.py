"""Artifacts in an object store: put there before a result, fetched by what reads it."""

import shutil
from pathlib import Path

import pytest

from video_assets.automation.maintenance import Home
from video_assets.settings import LOCAL_OWNER, load_settings
from video_assets.storage import erasure
from video_assets.storage.browse import Browser
from video_assets_tests.automation.conftest import Pipeline, preset
from video_assets_tests.rereading import reread


@pytest.fixture
def stored(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A pipeline with a store in the folder `shelf`."""
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(tmp_path))
    monkeypatch.setenv("VIDEO_ASSETS_ARTIFACTS__URL", f"file://{tmp_path}/shelf")
    pipeline.preset, pipeline.more = preset(reread={}), (reread,)
    return pipeline


@pytest.fixture
def home(stored: Pipeline) -> Home:
    return Home(stored.instance, stored.catalogue, load_settings(), by="test")


def objects_in(folder: Path) -> list[str]:
    return sorted(path.read_text() for path in folder.rglob("*") if path.is_file())


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
    assert objects_in(tmp_path / "shelf") == ["HELLO!"]
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


@pytest.mark.parametrize("by", ["themselves", "the next clean-up"])
def test_what_an_owner_forgets_goes_from_the_store_at_once(stored, home, tmp_path, by):
    clips = stored.register(f"forget {by}", f"leave {by}")
    stored.process(clips)
    assert objects_in(tmp_path / "shelf") == ["FORGET!", "LEAVE!"]
    (clip,) = Browser(stored.catalogue, LOCAL_OWNER).find(clips[f"forget {by}"])
    plan = erasure.plan(stored.catalogue, home.store, LOCAL_OWNER, clip.id)
    assert plan.files == 2, "one here, one in the store"
    erasure.forget_clip(stored.catalogue, LOCAL_OWNER, clip.id)
    if by == "themselves":
        home.finish_forgotten()
    else:
        (would,) = home.clean(["orphans"], {"orphans": 900_000.0}, dry_run=True)
        assert objects_in(tmp_path / "shelf") == ["FORGET!", "LEAVE!"]
        (told,) = home.clean(["orphans"], {"orphans": 900_000.0})
        assert (would.removed, told.removed, told.removed_bytes) == (2, 2, 14)
    assert objects_in(tmp_path / "shelf") == ["LEAVE!"]


def test_a_clean_up_removes_what_an_older_result_left_in_the_store(stored, home, tmp_path):
    clips = stored.register("again and again")
    stored.process(clips)
    stored.preset = preset(reread={}, loud={"marks": 2})
    stored.process(clips)
    assert objects_in(tmp_path / "shelf") == ["AGAIN!", "AGAIN!!"]
    ages = {"stored": 0.0}
    (told,) = home.clean(["stored"], ages, dry_run=True)
    assert (told.removed, told.removed_bytes) == (1, 6)
    home.clean(["stored"], ages)
    assert objects_in(tmp_path / "shelf") == ["AGAIN!!"]


def test_a_store_that_does_not_answer_keeps_no_clean_up_from_the_rest(stored, home, tmp_path):
    clips = stored.register("once and again")
    stored.process(clips)
    stored.preset = preset(reread={}, loud={"marks": 2})
    stored.process(clips)
    (tmp_path / "shelf").rename(tmp_path / "away")
    (tmp_path / "shelf").write_text("no folder")
    told = {each.kind: each for each in home.clean(["stored", "logs"], {"stored": 0.0})}
    assert "left out" in (told["stored"].note or "")
    assert told["stored"].removed == 0
    (tmp_path / "shelf").unlink()
    (tmp_path / "away").rename(tmp_path / "shelf")
    assert home.clean(["stored"], {"stored": 0.0})[0].removed == 1
