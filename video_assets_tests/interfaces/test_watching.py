"""`ingest --watch` between two passes: what it hands out, and when."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from video_assets.interfaces.cli import watching
from video_assets.interfaces.cli.watching import Watcher
from video_assets.media import at_rest
from video_assets.media.discovery import Rules, discover
from video_assets.settings import LOCAL_OWNER
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registrar

Watch = Callable[..., Watcher]


@pytest.fixture
def watch(catalogue: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Watches a folder after a first pass over what was in it."""
    monkeypatch.setattr(watching, "TICK_S", 0.01)
    monkeypatch.setattr(at_rest, "QUIET_S", 0.0)

    def watch(rules: Rules = Rules()) -> Watcher:  # noqa: B008  frozen
        watcher = Watcher((tmp_path,), rules, catalogue, LOCAL_OWNER)
        register(catalogue, watcher.first(discover([tmp_path], rules)).candidates)
        return watcher

    return watch


def register(catalogue: Postgres, candidates) -> list[str]:
    return [
        f"{file.state} {file.path.name}"
        for file in Registrar(catalogue, LOCAL_OWNER, "blake3").register(candidates)
    ]


def names(watcher: Watcher) -> list[str]:
    return [file.path.name for file in watcher.wait().candidates]


def test_a_file_that_is_being_written_waits_even_in_the_first_pass(
    catalogue: Postgres, watch: Watch, tmp_path: Path
):
    (tmp_path / "there.mp4").write_bytes(b"there from the start")
    with (tmp_path / "recorded.mp4").open("wb") as writer:
        writer.write(b"recorded while we look on")
        writer.flush()
        watcher = watch()
        (tmp_path / "late.mp4").write_bytes(b"late")
        assert names(watcher) == ["late.mp4"]
    assert names(watcher) == ["recorded.mp4"]


def test_the_rules_of_the_first_pass_hold_for_what_comes_later(watch: Watch, tmp_path: Path):
    watcher = watch(Rules(ignore=("Proxies/",)))
    (tmp_path / "Proxies").mkdir()
    (tmp_path / "Proxies" / "small.mp4").write_bytes(b"small")
    (tmp_path / "big.mp4.part").write_bytes(b"big by the rules")
    (tmp_path / "other.mp4").write_bytes(b"other by the rules")
    assert names(watcher) == ["other.mp4"]
    (tmp_path / "big.mp4.part").rename(tmp_path / "big.mp4")
    assert names(watcher) == ["big.mp4"]


def test_what_is_renamed_or_gone_is_noted_and_said(
    catalogue: Postgres, watch: Watch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for name in ("renamed", "deleted", "stays"):
        (tmp_path / f"{name}.mp4").write_bytes(f"{name} while watching".encode())
    watcher = watch()
    (tmp_path / "deleted.mp4").unlink()
    (tmp_path / "renamed.mp4").rename(tmp_path / "new name.mp4")
    ready = watcher.wait().candidates
    assert register(catalogue, ready) == ["moved new name.mp4"]
    said = capsys.readouterr().err
    assert "1 known file gone; the clips stay" in said


def test_a_folder_that_goes_away_is_said_once_and_looked_at_again(
    watch: Watch, tmp_path: Path, capsys: pytest.CaptureFixture[str], replace_here
):
    (tmp_path / "a.mp4").write_bytes(b"on a drive")
    watcher = watch()
    aside = tmp_path.with_name("unplugged")
    tmp_path.rename(aside)
    pauses = iter(range(3))

    def pause(_: float) -> None:
        if next(pauses, None) is None and aside.exists():
            aside.rename(tmp_path)
            (tmp_path / "b.mp4").write_bytes(b"came with the drive")

    replace_here(time, "sleep", pause)
    assert names(watcher) == ["b.mp4"]
    said = capsys.readouterr().err
    assert said.count("nothing was changed") == 1
    assert said.count("back again") == 1
