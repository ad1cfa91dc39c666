"""`watch add`, `list` and `remove`: they change the settings file, and the rest of it stays."""

from pathlib import Path

import pytest

from video_assets.settings import Settings, load_settings
from video_assets_tests.interfaces.conftest import Shell

MINE = '# mine\nchecksum_algorithm = "blake3"  # never mixed\n'


@pytest.fixture
def place(tmp_path: Path, settings: Settings) -> Path:
    """A folder to watch, and a settings file with comments."""
    settings.home.mkdir()
    settings.settings_file.write_text(MINE)
    (tmp_path / "card" / "deep").mkdir(parents=True)
    return tmp_path / "card"


def test_a_folder_is_added_and_taken_out_again(bare_shell: Shell, settings: Settings, place: Path):
    options = ("--preset", "fast", "--ignore", "Proxies/**", "--ignore", "*.tmp", "--no-recursive")
    bare_shell("watch", "add", str(place), "--pattern", "*.mov", *options)
    (watched,) = load_settings(settings.home).watch
    assert (watched.path, watched.preset, watched.pattern) == (place, "fast", "*.mov")
    assert (watched.ignore, watched.recursive) == (("Proxies/**", "*.tmp"), False)
    assert settings.settings_file.read_text().startswith(MINE)

    bare_shell("watch", "remove", str(place))
    assert settings.settings_file.read_text() == MINE


def test_a_list_written_by_hand_goes_on_in_its_own_way(
    bare_shell: Shell, settings: Settings, place: Path, tmp_path: Path
):
    inline = f'watch = [{{path = "{place}"}}]  # by hand\n'
    settings.settings_file.write_text(inline)
    (tmp_path / "other").mkdir()
    bare_shell("watch", "add", str(tmp_path / "other"))
    assert [each.path for each in load_settings(settings.home).watch] == [place, tmp_path / "other"]
    assert "# by hand" in settings.settings_file.read_text()
    bare_shell("watch", "remove", str(tmp_path / "other"))
    bare_shell("watch", "remove", str(place))
    assert load_settings(settings.home).watch == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("deep",), "lies in", id="inside a watched one"),
        pytest.param((".",), "is watched already", id="the same"),
        pytest.param((".", "..")[1:], "in it is watched already", id="around a watched one"),
        pytest.param(("nowhere",), "there is no such folder", id="not there"),
        pytest.param(("../home",), "keeps its own files", id="our home"),
        pytest.param(("../other", "--preset", "fats"), "did you mean fast?", id="no preset"),
        pytest.param(("../other", "--owner", "ben"), "neither local nor the id", id="nobody"),
        pytest.param(("../other", "--ignore", "!"), "as in .gitignore", id="no rule"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_written(
    bare_shell: Shell, settings: Settings, place: Path, arguments: tuple[str, ...], said: str
):
    (place.parent / "other").mkdir()
    bare_shell("watch", "add", str(place))
    before = settings.settings_file.read_text()
    folder, *options = arguments
    assert said in bare_shell.error("watch", "add", str(place / folder), *options)
    assert settings.settings_file.read_text() == before


def test_a_variable_that_wins_over_the_file_is_named(
    bare_shell: Shell, settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VIDEO_ASSETS_WATCH", "[]")
    assert "VIDEO_ASSETS_WATCH" in bare_shell.error("watch", "add", str(place))
    assert settings.settings_file.read_text() == MINE


def test_what_is_not_watched_cannot_be_taken_out(bare_shell: Shell, place: Path):
    assert "watched are: none" in bare_shell.error("watch", "remove", str(place))


def test_watched_folders_are_listed_with_what_is_known_of_them(
    shell: Shell, filled, settings: Settings
):
    ours = filled.folder / "ours"
    settings.home.mkdir()
    assert "no folder is watched" in shell("watch", "list")
    shell("watch", "add", str(ours))
    with settings.settings_file.open("a") as file:
        file.write('[[watch]]\npath = "/not there"\npreset = "fast"\n')
    first, second = shell.json("watch", "list")["watch"]
    assert (first["path"], first["state"], first["missing_files"]) == (str(ours), "there", 0)
    assert first["known_files"] == 6
    assert (second["known_files"], second["preset"]) == (0, "fast")
    printed = shell("watch", "list", columns=200)
    assert "not there; is its drive connected?" in printed
    assert "preset fast" in printed
