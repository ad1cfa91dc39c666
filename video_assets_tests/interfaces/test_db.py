"""`video-assets db`: what it says, and with which exit code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from video_assets.interfaces.cli.db import NOT_RUNNING
from video_assets.interfaces.cli.faults import MACHINE, USAGE
from video_assets.interfaces.cli.main import app
from video_assets.settings import Settings
from video_assets.storage.embedded import EmbeddedServer


@pytest.fixture
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(settings.home))
    return settings.home


def db(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["db", *arguments])


def test_a_database_is_started_looked_at_and_stopped(home: Path, capfd: pytest.CaptureFixture[str]):
    assert db("status").exit_code == NOT_RUNNING
    assert db("stop").stdout == "it was not running\n"

    started = db("start", "--json")
    assert started.exit_code == 0
    assert json.loads(started.stdout)["started"]
    assert "already running" in db("start").stdout
    found = json.loads(db("status", "--json").stdout)
    assert (found["running"], found["pending"]) == (True, [])

    assert db("url").stdout.startswith("postgresql://authenticator:")
    assert db("url", "--admin").stdout.startswith("postgresql://postgres:")
    assert db("url", "--dagster").stdout.startswith("postgresql+psycopg2://postgres:")
    assert json.loads(db("migrate", "--json").stdout) == {"applied": []}

    assert db("psql", "-At", "-c", "SELECT current_database()").exit_code == 0
    assert db("psql", "--dagster", "-At", "-c", "SELECT current_database()").exit_code == 0
    assert capfd.readouterr().out.split() == ["video_assets", "dagster"]
    assert db("psql", "-c", "SELECT nonsense").exit_code == 1

    assert db("stop").stdout == "stopped\n"
    assert json.loads(db("status", "--json").stdout)["running"] is False


def test_databases_by_url_are_not_started(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://u:p@127.0.0.1:1/x")
    monkeypatch.setenv("VIDEO_ASSETS_DAGSTER_URL", "postgresql://u:p@127.0.0.1:1/dagster")
    for command in ("start", "stop", "psql"):
        result = db(command)
        assert result.exit_code == USAGE
        assert "there is no embedded one" in result.stderr
    assert db("url", "--dagster").stdout.strip() == "postgresql+psycopg2://u:p@127.0.0.1:1/dagster"
    assert not home.exists()


def test_a_database_by_url_is_migrated(
    embedded_server: EmbeddedServer, admin_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SUPABASE_DB_URL", admin_url)
    assert db("url").stdout.strip() == admin_url
    assert db("migrate").stdout == "nothing to apply\n"
    assert json.loads(db("status", "--json").stdout)["pending"] == []
    assert not home.exists()


def test_a_silent_database_by_url_is_told(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://u:p@127.0.0.1:1/x")
    result = db("status")
    assert result.exit_code == MACHINE
    assert "port 1 failed" in result.stderr


def test_a_fault_in_the_settings_is_one_clear_line(home: Path):
    home.mkdir()
    (home / "settings.toml").write_text("wacth = 1\n")
    result = db("start")
    assert result.exit_code == USAGE
    assert "unknown key wacth" in result.stderr
    assert "Traceback" not in result.stderr
