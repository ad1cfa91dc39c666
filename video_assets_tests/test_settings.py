"""Settings: where they come from, which wins, and what is refused."""

import re
from pathlib import Path

import pytest

from video_assets.settings import LOCAL_OWNER, Settings, SettingsError, WatchFolder, load_settings

SQL = Path(__file__).parents[1] / "sql"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def write(home: Path, text: str) -> None:
    (home / "settings.toml").write_text(text)


def test_loading_makes_nothing(tmp_path: Path):
    settings = load_settings(tmp_path / "never")
    assert settings.home == tmp_path / "never"
    assert list(tmp_path.iterdir()) == []


def test_folders_lie_in_the_home(home: Path):
    settings = load_settings(home)
    assert settings.artifacts_dir == home / "artifacts"
    assert settings.dagster_home == home / "dagster"


def test_the_default_is_the_embedded_database(home: Path):
    settings = load_settings(home)
    assert settings.is_embedded
    assert settings.checksum_algorithm == "blake3"


def test_the_file_is_found_through_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch):
    write(home, 'checksum_algorithm = "md5"\n[[watch]]\npath = "/cards"\npattern = "*.mov"\n')
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(home))
    settings = load_settings()
    assert settings.checksum_algorithm == "md5"
    assert settings.watch == (WatchFolder(path=Path("/cards"), pattern="*.mov"),)


def test_the_environment_wins_over_the_file(home: Path, monkeypatch: pytest.MonkeyPatch):
    write(home, 'checksum_algorithm = "md5"\ndb_url = "postgresql://file"\n')
    monkeypatch.setenv("VIDEO_ASSETS_CHECKSUM_ALGORITHM", "blake3")
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://environment")
    settings = load_settings(home)
    assert settings.checksum_algorithm == "blake3"
    assert settings.db_url == "postgresql://environment"


def test_an_empty_variable_is_not_set(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUPABASE_DB_URL", "")
    assert load_settings(home).is_embedded


def test_the_variable_of_another_program_is_not_read(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DB_URL", "postgresql://theirs")
    assert load_settings(home).is_embedded


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("wacth = 1", "unknown key wacth; known are supabase_url", id="unknown key"),
        pytest.param('home = "/x"', "set VIDEO_ASSETS_HOME", id="home in its own file"),
        pytest.param('checksum_algorithm = "sha1"', "'blake3' or 'md5'", id="unknown algorithm"),
        pytest.param('[[watch]]\npath = "cards"', "cards is relative", id="relative folder"),
        pytest.param(
            '[[watch]]\npath = "/c"\nrec = 1', "watch.0.rec", id="unknown key of a folder"
        ),
        pytest.param("a = [", "settings.toml", id="no TOML"),
    ],
)
def test_a_fault_names_the_file_and_the_key(home: Path, text: str, said: str):
    write(home, text)
    with pytest.raises(SettingsError, match=r"settings\.toml") as caught:
        load_settings(home)
    assert said in str(caught.value)


def test_the_local_owner_is_the_one_that_the_database_makes():
    assert f"'{LOCAL_OWNER}'" in (SQL / "embedded" / "90_local_owner.sql").read_text()


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Settings(home=Path("/x")).home = Path("/y")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param('[[watch]]\npth = "/a"\n', "known are path, owner, preset", id="a typo"),
        pytest.param('[watch]\npath = "/a"\n', "write [[watch]]", id="one bracket"),
    ],
)
def test_a_fault_of_a_watched_folder_is_told_with_its_mend(tmp_path, text, told):
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(SettingsError, match=re.escape(told)):
        load_settings(tmp_path)


def test_a_table_is_read_and_a_slip_in_it_is_told_without_the_secret(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    write(home, "[notify]\nmin_interval_s = 60\n[metrics]\nport = 9464\n")
    monkeypatch.setenv("VIDEO_ASSETS_NOTIFY__WEBHOOK", "https://hooks.example.org/s3cr3t")
    settings = load_settings(home)
    assert (settings.notify.min_interval_s, settings.metrics.port) == (60, 9464)
    assert settings.notify.is_wanted
    assert "https://hooks.example.org/s3cr3t" in settings.secrets
    assert "s3cr3t" not in repr(settings)
    monkeypatch.setenv("VIDEO_ASSETS_NOTIFY__WEBHOOK", "ftp://s3cr3t")
    with pytest.raises(SettingsError, match=r"notify\.webhook: .*must begin with https") as told:
        load_settings(home)
    assert "s3cr3t" not in str(told.value)
    monkeypatch.delenv("VIDEO_ASSETS_NOTIFY__WEBHOOK")
    write(home, '[notify]\nwebhok = "https://x"\n')
    with pytest.raises(SettingsError, match=r"unknown key notify\.webhok; known are webhook, comm"):
        load_settings(home)


def test_the_password_of_the_database_is_a_secret(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://me:hunter22@db/x")
    assert load_settings(home).secrets == ("hunter22",)
