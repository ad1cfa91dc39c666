"""`video-assets worker`: it serves some lanes, tells whether it works, and ends as is asked."""

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
import yaml

from video_assets.interfaces.cli import leash, services
from video_assets.interfaces.cli.faults import MACHINE, explain
from video_assets.settings import DAGSTER_URL, Settings
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postgres import DatabaseUnreachableError
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.commands import ROOT, run, start
from video_assets_tests.servers import quiet_port

WITHIN_S = 150.0  # Dagster itself gives up a run without a process only after 180 s


def wait_for(
    condition: Callable[[], object], process: "subprocess.Popen[str]", look_s: float = 0.3
) -> None:
    until = time.monotonic() + WITHIN_S
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(look_s)


def words_of(process: psutil.Process) -> list[str]:
    """Its command line; nothing of one that has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def done(settings: Settings) -> dict[str, int]:
    """How many results each step has."""
    with psycopg.connect(EmbeddedServer(settings.home).admin_url()) as connection:
        rows = connection.execute(
            "SELECT asset, count(*) FROM results WHERE status = 'done' GROUP BY 1"
        ).fetchall()
    return dict(rows)


def is_starting(settings: Settings) -> bool:
    """Whether Dagster says that a run starts; before that it has no process."""
    with psycopg.connect(EmbeddedServer(settings.home).admin_url("dagster")) as connection:
        found = connection.execute("SELECT FROM runs WHERE status = 'STARTING'").fetchone()
    return found is not None


def test_it_makes_cells_of_its_lanes_alone_and_restarts_what_dies(settings: Settings, tmp_path):
    (tmp_path / "footage").mkdir()
    make_clip(tmp_path / "footage" / "clip.mp4", Clip(frames=6))
    registered = run(settings.home, "ingest", tmp_path / "footage", "-c", "fast", "--workers", "0")
    assert registered.returncode == 0, registered.stderr
    unhealthy = run(settings.home, "worker", "--check", "--json")
    assert unhealthy.returncode == 3
    assert "no worker runs" in json.loads(unhealthy.stdout)["faults"][0]

    process = start(settings.home, "worker", "-q", "metadata,thumbnails", "-w", "1", "-c", "fast")
    try:
        wait_for(lambda: is_starting(settings), process, look_s=0.02)
        daemon = next(
            each for each in leash.marked(settings.home) if "dagster._daemon" in words_of(each)
        )
        daemon.kill()  # before its run has a process, which nobody else would start
        wait_for(lambda: run(settings.home, "worker", "--check").returncode == 0, process)
        second = run(settings.home, "dev")
        assert second.returncode == 2
        assert "runs already" in second.stderr
        wait_for(lambda: done(settings).get("thumbnails"), process)
        assert done(settings) == {"checksum": 1, "probe": 1, "thumbnails": 1}
        process.send_signal(signal.SIGTERM)
        words, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, errors
    assert "queues: metadata 1, thumbnails 1" in words
    assert "clips in hand" in errors
    assert leash.marked(settings.home) == []


def test_killed_with_its_leash_it_leaves_what_the_next_one_ends(settings: Settings):
    process = start(settings.home, "worker")
    log = settings.home / "logs" / "dev.log"
    wait_for(lambda: log.exists() and "Started Dagster code server" in log.read_text(), process)
    (keeper,) = [
        each
        for each in psutil.Process(process.pid).children()
        if leash.__name__ in " ".join(words_of(each))
    ]
    left = leash.marked(settings.home)
    keeper.kill()
    process.kill()
    process.communicate()
    assert any(each.is_running() for each in left)
    following = start(settings.home, "worker")
    wait_for(lambda: not any(each.is_running() for each in left), following)
    following.send_signal(signal.SIGTERM)
    following.communicate(timeout=60)
    assert leash.marked(settings.home) == []


def test_a_database_elsewhere_that_is_down_at_the_end_is_told_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    port = quiet_port()
    monkeypatch.setenv(DAGSTER_URL, f"postgresql+psycopg2://nobody@127.0.0.1:{port}/dagster")
    elsewhere = settings.model_copy(update={"db_url": f"postgresql://nobody@127.0.0.1:{port}/x"})
    began = time.monotonic()
    with pytest.raises(DatabaseUnreachableError) as raised:
        services._end_runs(elsewhere)
    assert time.monotonic() - began < 10  # Dagster's own client takes 20 s to give up
    told = explain(raised.value)
    assert told is not None
    code, words = told
    assert code == MACHINE
    assert "the database does not answer any more" in words
    assert "what was finished is saved" in words


def test_a_queue_that_is_not_there_is_told(tmp_path: Path):
    wrong = run(tmp_path, "worker", "--queue", "metadata,thumbnail")
    assert wrong.returncode == 2
    assert "did you mean thumbnails?" in wrong.stderr


def test_the_unit_file_is_one(tmp_path: Path):
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("no systemd here")
    text = (ROOT / "deploy" / "video-assets.service").read_text()
    found = re.search(r"^ExecStart=(\S+) worker$", text, re.MULTILINE)
    assert found is not None
    unit = tmp_path / "video-assets.service"
    unit.write_text(text.replace(found[1], "/bin/true"))
    checked = subprocess.run([verify, "verify", unit], capture_output=True, text=True, check=False)
    assert checked.stderr == ""


def test_compose_lets_only_this_machine_reach_the_ui():
    folder = ROOT / "deploy"
    written = yaml.safe_load((folder / "compose.yaml").read_text())
    services = written["services"]
    assert set(services) == {"database", "migrate", "worker", "ui"}
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    for service in services.values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (folder / source).exists()
            else:
                assert source in {*written["volumes"], "${FOOTAGE"}
        assert set(service.get("depends_on", ())) <= set(services)
