"""The front door: quick to open, exit codes told, no traceback for what a person can mend."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from video_assets.interfaces.cli.faults import MACHINE, USAGE, explain
from video_assets.presets.strict import PresetError
from video_assets.settings import SettingsError
from video_assets.storage.migrations import MigrationError
from video_assets.storage.server_file import EmbeddedServerError
from video_assets_tests.commands import environment, run


def test_help_teaches_the_exit_codes(tmp_path: Path):
    text = " ".join(run(tmp_path, "--help").stdout.split())
    assert "Exit codes: 0 all went well; 1 some files or clips failed" in text
    assert "130 stopped by Ctrl-C" in text


@pytest.mark.parametrize("arguments", [["--help"], ["status"], ["list"], ["db", "status"]])
def test_commands_that_need_no_dagster_do_not_load_it(tmp_path: Path, arguments: list[str]):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "video_assets", *arguments],
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert " dagster" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PresetError("there is no preset 'x'"), USAGE),
        (SettingsError("unknown key x"), USAGE),
        (EmbeddedServerError("the server does not start"), MACHINE),
        (MigrationError("the database lacks x"), MACHINE),
        (psycopg.OperationalError("connection refused\nIs it running?"), MACHINE),
        (OSError(28, "No space left on device"), MACHINE),
    ],
)
def test_what_a_person_can_mend_has_words_and_a_code(error: Exception, code: int):
    told = explain(error)
    assert told is not None
    assert told[0] == code
    assert str(error).partition("\n")[0] in told[1]


def test_an_error_behind_another_is_found():
    try:
        try:
            raise psycopg.OperationalError("server closed the connection")
        except psycopg.OperationalError as cause:
            raise RuntimeError("a step broke") from cause
    except RuntimeError as error:
        told = explain(error)
    assert told is not None
    assert "server closed the connection" in told[1]


def test_a_bug_has_no_words():
    assert explain(ZeroDivisionError()) is None
