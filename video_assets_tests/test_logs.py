"""The log: JSON lines of several processes, in files that end, without a secret in any."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from video_assets import logs
from video_assets.settings import Settings, load_settings
from video_assets.storage.history import Event, tell

CLIP = "0123456789abcdef" * 4
TOLD = {"video_assets", "library", "stderr"}
ours = logging.getLogger("video_assets.tests")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.toml").write_text('speech_api_key = "from the file"\n')
    yield logs.open_log(load_settings(home))
    logs.close_log()


def lines(log: Path) -> list[dict[str, Any]]:
    """What was told here; threads that other tests left may have something to say too."""
    told = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    return [line for line in told if line["logger"].split(".")[0] in TOLD]


def test_a_line_about_a_clip_says_which_clip_asset_and_run(log: Path):
    tell(Event("probe", "completed", "run-1", facts={"seconds": 1.25}), [CLIP])
    (line,) = lines(log)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "video_assets.storage.history",
        "message": "probe completed",
        "clip": CLIP[:12],
        "asset": "probe",
        "run": "run-1",
        "event": "completed",
        "seconds": 1.25,
    }


def test_an_exception_is_one_line_and_holds_no_secret(log: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", "sb_secret_from_the_environment")
    logs.open_log(load_settings(log.parents[1]))
    try:
        told = "postgresql://me:hunter22@db/x; from the file; sb_secret_from_the_environment"
        raise ConnectionError(told)
    except ConnectionError:
        ours.exception("broke off", extra={"details": ["password=hunter22"]})
    (line,) = lines(log)
    assert "ConnectionError" in line["exc_info"]
    assert not {"hunter22", "from the"} & set(log.read_text().replace(";", "\n").split())
    assert "from the" not in log.read_text()
    assert "environment" not in log.read_text()


def test_of_libraries_only_what_goes_wrong_is_told(log: Path):
    logging.getLogger("library").info("all is well")
    logging.getLogger("library").warning("something is odd")
    assert [line["message"] for line in lines(log)] == ["something is odd"]


def test_what_is_printed_on_stderr_becomes_lines(log: Path):
    with logs.libraries_aside(load_settings(log.parents[1])):
        print("half a ", end="", file=sys.stderr)
        print("line\n\nand another", file=sys.stderr)
    assert [line["message"] for line in lines(log)] == ["half a line", "and another"]


def test_a_long_log_is_set_aside_and_every_line_is_kept(log: Path, monkeypatch: pytest.MonkeyPatch):
    """Three processes write into one log that is set aside again and again meanwhile."""
    monkeypatch.setattr(logs, "MOST_BYTES", 2_000)
    monkeypatch.setattr(logs, "FILES_KEPT", 1_000)
    program = f"""
import logging, sys
from pathlib import Path
from video_assets import logs
from video_assets.settings import load_settings
logs.MOST_BYTES, logs.FILES_KEPT = 2_000, 1_000
logs.open_log(load_settings(Path({str(log.parents[1])!r})))
for number in range(60):
    logging.getLogger("video_assets.tests").info("%s %s", sys.argv[1], number)
"""
    others = [subprocess.Popen([sys.executable, "-c", program, str(each)]) for each in (1, 2)]
    for number in range(60):
        ours.info("0 %s", number)
    assert [each.wait() for each in others] == [0, 0]
    files = list(log.parent.glob("video-assets*.jsonl"))
    assert len(files) > 3
    assert max(file.stat().st_size for file in files) < 3_000
    found = {line["message"] for file in files for line in lines(file)}
    assert found == {f"{process} {number}" for process in range(3) for number in range(60)}


def test_older_files_are_given_up(log: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logs, "MOST_BYTES", 100)
    for number in range(20):
        ours.info("%s", number)
    assert len(list(log.parent.glob("*.jsonl"))) == logs.FILES_KEPT + 1
    assert lines(log)[-1]["message"] == "19"


def test_a_log_that_cannot_be_written_harms_nothing(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    (settings.home / "logs").mkdir(parents=True)
    logs.file_of(settings).mkdir()
    logs.open_log(settings)
    ours.warning("said to nobody")
    logs.close_log()
    assert capsys.readouterr().err == ""
