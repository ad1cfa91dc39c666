"""`video-assets dev`: it answers, and whatever ends it ends all that it started."""

import json
import os
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import psutil

from video_assets.settings import Settings
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.commands import run, start
from video_assets_tests.interfaces.dagster_ui import SELECTOR, DagsterUi
from video_assets_tests.servers import quiet_port

START = "mutation ($of: SensorSelector!) { startSensor(sensorSelector: $of) { __typename } }"


def url_of(process: "subprocess.Popen[str]") -> str:
    """Wait until it prints its address."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Dagster UI"):
            return line.split()[-1]
    raise AssertionError(process.communicate())


def family(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    found = psutil.Process(process.pid).children(recursive=True)
    assert len(found) > 3
    return found


def listening(processes: list[psutil.Process]) -> set[str]:
    """The addresses at which they take connections."""
    found = [each for process in processes for each in process.net_connections("inet")]
    return {each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN}


def test_it_answers_and_ctrl_c_stops_all_it_started(settings: Settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        metrics = quiet_port()
        settings.home.mkdir()
        (settings.home / "settings.toml").write_text(f"[metrics]\nport = {metrics}\n")
        process = start(settings.home, "dev", "--read-only", "--port", str(port))
        url = url_of(process)
    assert not url.endswith(f":{port}")
    with urllib.request.urlopen(f"{url}/server_info", timeout=10) as answer:  # noqa: S310  our own
        assert "dagster_version" in json.load(answer)
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10) as answer:
        assert b"video_assets_up 1.0" in answer.read()
    everything = family(process)
    assert listening(everything) == {"127.0.0.1"}
    asked = DagsterUi(url, process.pid).ask(START, of={**SELECTOR, "sensorName": "reconcile"})
    assert asked == {"startSensor": {"__typename": "UnauthorizedError"}}
    second = run(settings.home, "dev")
    assert second.returncode == 2
    assert "runs already" in second.stderr
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert f"port {port} is taken" in errors
    assert psutil.wait_procs(everything, timeout=10)[1] == []
    assert not EmbeddedServer(settings.home).status().running


def test_killed_it_leaves_no_process_but_a_database_it_found(settings: Settings):
    EmbeddedServer(settings.home).start()
    process = start(settings.home, "dev", "--port", "0" if os.name == "nt" else "3917")
    url_of(process)
    everything = family(process)
    process.kill()
    process.communicate()
    assert psutil.wait_procs(everything, timeout=30)[1] == []
    assert EmbeddedServer(settings.home).status().running


def test_the_doctor_finds_what_is_needed_and_makes_nothing(tmp_path: Path):
    done = run(tmp_path / "home", "doctor", "--json")
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert found["Database"]["found"] == "was never made; it starts when it is needed"
    assert {each["state"] for each in found.values()} <= {"good", "note"}
    assert list(tmp_path.iterdir()) == []
    text = run(tmp_path / "home", "doctor").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "exiftool" in text


def test_the_doctor_says_what_an_unreachable_database_costs(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "settings.toml").write_text('db_url = "postgresql://nobody@127.0.0.1:1/none"')
    done = run(tmp_path, "doctor", "--json")
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert done.returncode == 1
    assert found["Database"]["state"] == "missing"
    assert "Connection refused" in found["Database"]["found"]
