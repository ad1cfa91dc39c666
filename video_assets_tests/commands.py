"""Runs `video-assets` as a person does: a process of its own, on a home of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from video_assets.events import BATCH_SIZE
from video_assets.interfaces.cli.main import app

ROOT = Path(__file__).parents[1]


def environment(home: Path) -> dict[str, str]:
    """What a command sees: its home, this source, and nothing of the developer's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VIDEO_ASSETS_", "SUPABASE_", "PG", "DAGSTER", "PYTHONWARNINGS"))
    }
    return {
        **kept,
        "VIDEO_ASSETS_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }


def command(*arguments: str | bytes | Path) -> list[str | bytes | Path]:
    """The command line of a command."""
    return [sys.executable, "-m", "video_assets", *arguments]


def run(
    home: Path, *arguments: str | bytes | Path, cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments),
        env=environment(home),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def start(home: Path, *arguments: str | Path) -> "subprocess.Popen[str]":
    """Start a command; its words are read when it has ended."""
    return subprocess.Popen(
        command(*arguments),
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def at_home(home: Path) -> Iterator[None]:
    """Let this process run commands on a home; what they set in the environment is put back."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAGSTER_HOME", "VIDEO_ASSETS_DAGSTER_URL", BATCH_SIZE, "PYTHONWARNINGS"):
            patch.setenv(name, "")
            patch.delenv(name)
        patch.setenv("VIDEO_ASSETS_HOME", str(home))
        yield


def run_here(*arguments: str | Path, code: int = 0) -> Result:
    """Run a command in this process, which has everything loaded: seconds faster than `run`."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, (result.stdout, result.stderr)
    return result
