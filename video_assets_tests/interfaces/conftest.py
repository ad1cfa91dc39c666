"""The command line on a catalogue of two owners."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from video_assets.interfaces.cli.main import app
from video_assets.settings import Settings
from video_assets.storage.postgres import Postgres
from video_assets_tests import shelf
from video_assets_tests.shelf import Shelf


class Shell:
    """Runs a command, and holds its output to what every command promises."""

    def __call__(self, *arguments: str, code: int = 0, columns: int = 80) -> str:
        """Run, and give what was printed."""
        return self._run(arguments, code, columns).stdout

    def error(self, *arguments: str, code: int = 2) -> str:
        """Run, and give what was said on the error stream, on one line."""
        return " ".join(self._run(arguments, code, 80).stderr.split())

    def json(self, *arguments: str) -> Any:
        """Run with --json, and give the document."""
        return json.loads(self._run((*arguments, "--json"), 0, 80).stdout)

    def _run(self, arguments: tuple[str, ...], code: int, columns: int) -> Result:
        result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": str(columns)})
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        printed = result.stdout + result.stderr
        assert all(char.isprintable() or char == "\n" for char in printed)
        return result


@pytest.fixture(scope="module")
def filled(catalogue: Postgres, admin_url: str, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return shelf.fill(catalogue, admin_url, tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def shell(
    filled: Shelf,
    admin_url: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    """The command line on the filled catalogue, as the local owner."""
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(settings.home))
    monkeypatch.setenv("SUPABASE_DB_URL", admin_url)
    return Shell()


@pytest.fixture
def bare_shell(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command line on a home in which nothing was ever made."""
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(settings.home))
    return Shell()


@pytest.fixture
def pauses(replace_here) -> Callable[..., list[float]]:
    """Make following go through its pauses at once, each doing what the test says."""

    def during(*deeds: Callable[[], object]) -> list[float]:
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) > len(deeds):
                raise KeyboardInterrupt
            deeds[len(slept) - 1]()

        replace_here(time, "sleep", sleep)
        return slept

    return during
