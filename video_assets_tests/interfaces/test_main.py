"""The front door: quick to open, exit codes told, no traceback for what a person can mend."""

import gc
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from video_assets.interfaces.cli.commands import COMMANDS, load
from video_assets.interfaces.cli.faults import MACHINE, USAGE, explain
from video_assets.presets.strict import PresetError
from video_assets.settings import SettingsError
from video_assets.storage.migrations import MigrationError
from video_assets.storage.server_file import EmbeddedServerError
from video_assets_tests.commands import environment, run
from video_assets_tests.interfaces.conftest import Shell
from video_assets_tests.shelf import Shelf

HEAVY = {"dagster", "sqlalchemy", "av", "cv2", "numpy", "transformers", "torch", "openai"}


def test_help_teaches_the_exit_codes(tmp_path: Path):
    text = " ".join(run(tmp_path, "--help").stdout.split())
    assert "Exit codes: 0 all went well; 1 some files or clips failed" in text
    assert "130 stopped by Ctrl-C" in text


def imported_by(home: Path, *arguments: str, **variables: str) -> set[str]:
    """Run a command in a fresh interpreter, and give the packages that it has imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "video_assets", *arguments],
        env={**environment(home), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_no_command_is_imported_to_list_them(tmp_path: Path, arguments: list[str]):
    imported = imported_by(tmp_path, *arguments)
    assert "typer" in imported
    assert imported.isdisjoint(HEAVY | {"psycopg", "pydantic_settings", "yaml"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["list"],
        ["info", "complete.mov"],
        ["monitor"],
        ["runs", "list"],
        ["search", "query", "beach"],
        ["search", "stats"],
        ["db", "status"],
    ],
    ids=" ".join,
)
def test_looking_imports_nothing_that_works_on_clips(
    filled: Shelf, admin_url: str, tmp_path: Path, arguments: list[str]
):
    imported = imported_by(tmp_path, *arguments, SUPABASE_DB_URL=admin_url)
    assert "psycopg" in imported
    assert imported & HEAVY == set()


def test_counting_reads_no_preset_while_nothing_runs(filled: Shelf, admin_url: str, tmp_path: Path):
    imported = imported_by(tmp_path, "status", SUPABASE_DB_URL=admin_url)
    assert "psycopg" in imported
    assert imported.isdisjoint({"yaml", "pathspec"})


def test_garbage_is_collected_once_a_command_is_loaded(bare_shell: Shell):
    before = gc.get_threshold()
    gc.disable()  # as `main` has it while commands are imported
    try:
        bare_shell("presets", "list")
        assert gc.isenabled()
    finally:
        gc.enable()
        gc.set_threshold(*before)
        gc.unfreeze()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_it_says_itself(name: str):
    said = load(name).help.partition("\n\n")[0]
    assert " ".join(said.split()) == COMMANDS[name][1]


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
