"""`artifacts status`, `move` and `link` on a catalogue, and what other commands fetch."""

import shutil
import uuid
from pathlib import Path

import pytest

from video_assets.interfaces.cli.services import only_one
from video_assets.settings import Settings, load_settings
from video_assets.storage.postgres import Postgres
from video_assets_tests.interfaces.conftest import Shell
from video_assets_tests.storage.kept import Kept


@pytest.fixture
def kept(catalogue: Postgres, settings: Settings, tmp_path: Path) -> Kept:
    """A clip with a file, in the home of the settings."""
    kept = Kept(catalogue, settings.artifacts_dir, tmp_path / "footage")
    kept.rows("DELETE FROM clips")
    kept.rows("DELETE FROM results")
    kept.rows("DELETE FROM private.artifact_copies")
    checksum = kept.clip(uuid.uuid4().hex)
    kept.rows(
        """INSERT INTO artifacts (video_id, user_id, step_name, artifact_type, file_path)
           SELECT id, user_id, 'loud', 'sound', %s FROM clips""",
        f"{checksum[:2]}/{checksum}/loud/a.txt",
    )
    return kept


@pytest.fixture
def shelf(tmp_path: Path) -> str:
    return f"file://{tmp_path}/shelf"


def only_file(folder: Path) -> Path:
    (path,) = folder.rglob("*a.txt")
    return path


def test_files_move_and_are_fetched_when_they_are_asked_for(shell: Shell, kept, settings, shelf):
    assert f" {settings.artifacts_dir}." in shell("artifacts", "status", columns=40)
    told = shell("artifacts", "move", "--to", shelf, "--dry-run")
    assert "1 file (5B) would be copied" in " ".join(told.split())
    assert not Path(shelf.removeprefix("file://")).exists()
    assert load_settings(settings.home).artifacts.url is None

    shell("artifacts", "move", "--to", shelf, "--forget")
    assert load_settings(settings.home).artifacts.url == shelf
    assert list(settings.artifacts_dir.rglob("*a.txt")) == []
    state = shell.json("artifacts", "status")
    assert (state["name"], state["files"], state["elsewhere"], state["unknown"]) == (shelf, 1, 0, 0)

    (clip,) = kept.rows("SELECT id FROM clips")
    (file,) = shell.json("info", str(clip["id"]))["artifacts"]
    assert Path(file["path"]).read_bytes() == b"a.txt"
    assert shelf in shell("artifacts", "link", str(clip["id"]), "--kind", "sound")

    only_file(settings.artifacts_dir).unlink()
    shell("artifacts", "move", "--to", "home", "--forget")
    assert load_settings(settings.home).artifacts.url is None
    assert only_file(settings.artifacts_dir).read_bytes() == b"a.txt"
    assert list(Path(shelf.removeprefix("file://")).rglob("*.txt")) == []


def test_what_is_gone_is_named_and_nothing_is_switched(shell: Shell, kept, settings, shelf):
    shutil.rmtree(settings.artifacts_dir)
    said = shell.error("artifacts", "move", "--to", shelf, code=1)
    assert "loud/a.txt: it is not there" in said
    assert load_settings(settings.home).artifacts.url is None
    shell("artifacts", "move", "--to", shelf, "--despite-absent")
    assert load_settings(settings.home).artifacts.url == shelf


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("supabase://artifacts", "SUPABASE_SECRET_KEY"),
        ("supabase://other", "write supabase://artifacts"),
        ("s3://key:secret@bucket/x", "leave keys out"),
        ("ftp://x/y", "write supabase://artifacts, s3://"),
        ("file://x", "write file:///"),
    ],
)
def test_a_place_that_cannot_be_says_why(shell: Shell, kept, settings, url, said):
    assert said in shell.error("artifacts", "move", "--to", url)
    assert load_settings(settings.home).artifacts.url is None


def test_a_variable_that_wins_is_named(shell: Shell, kept, shelf, monkeypatch):
    monkeypatch.setenv("VIDEO_ASSETS_ARTIFACTS__CACHE_GB", "3")
    assert "VIDEO_ASSETS_ARTIFACTS__CACHE_GB" in shell.error("artifacts", "move", "--to", shelf)


def test_nothing_moves_while_dev_runs(shell: Shell, kept, settings, shelf):
    with only_one(settings):
        assert "stop it first" in shell.error("artifacts", "move", "--to", shelf)


def test_a_store_that_does_not_answer_is_said(shell: Shell, kept, settings, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    shell.error("artifacts", "move", "--to", f"file://{tmp_path}/file/below", code=3)
    assert load_settings(settings.home).artifacts.url is None
