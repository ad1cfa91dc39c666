"""Notifications: who is told what, how often, and that a deaf listener harms nothing."""

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from video_assets.automation.notifications import tell, tell_of_failed_run, tell_of_failures
from video_assets.automation.work import LASTING_ATTEMPTS
from video_assets.settings import Settings, load_settings
from video_assets.storage import ledger
from video_assets.storage.postgres import Postgres
from video_assets_tests import shelf
from video_assets_tests.shelf import MARKUP, Shelf

ADDRESS = "/services/T0/B0/s3cr3t"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Listener:
    """A web server on this machine that writes down what it is told."""

    heard: list[dict[str, Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == ADDRESS
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.heard.append(json.loads(body))
            self.send_response(listener.answers.pop(0) if listener.answers else 200)
            self.end_headers()

        def log_message(self, format: str, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.url = f"http://127.0.0.1:{server.server_port}{ADDRESS}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield listener
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def filled(catalogue: Postgres, admin_url: str, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return shelf.fill(catalogue, admin_url, tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def ago(filled: Shelf, admin_url: str) -> Any:
    """Makes the last message older; at first none was sent, and nothing failed lately."""

    def ago(seconds: float) -> None:
        run_sql(
            "UPDATE private.messages SET sent_at = sent_at - make_interval(secs => %s)", seconds
        )

    def run_sql(statement: str, *values: object) -> None:
        with psycopg.connect(admin_url) as connection:
            connection.execute(statement.encode(), values)

    run_sql("DELETE FROM private.messages")
    run_sql("UPDATE results SET measured_at = now() - interval '1 day'")
    return ago


@pytest.fixture
def told(listener: Listener, tmp_path: Path) -> Settings:
    (tmp_path / "settings.toml").write_text(
        f'[notify]\nwebhook = "{listener.url}"\nmin_interval_s = 600\n'
    )
    return load_settings(tmp_path)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def fail(filled: Shelf, name: str, *, times: int = LASTING_ATTEMPTS, asset: str = "probe") -> None:
    made = ledger.Made("1", str(times), name)
    for _ in range(times):
        ledger.save_failed(
            filled.catalogue,
            asset=asset,
            checksum=filled.checksums[name],
            made=made,
            error_class="UndecodableError",
            error="/media/card/a.mov: password=hunter22 does not decode\nand more",
            fault="file",
            seconds=0.1,
            run_id="run",
        )


def test_one_message_tells_of_all_that_failed_for_good(
    filled: Shelf, ago: Any, told: Settings, listener: Listener, instance: dg.DagsterInstance
):
    fail(filled, MARKUP)
    fail(filled, "neighbour.mp4")
    fail(filled, "waiting.mp4", times=1)  # will be tried once more
    assert tell(instance, filled.catalogue, told) == "the message was sent"
    (heard,) = listener.heard
    (failure,) = heard["failures"]
    assert (failure["asset"], failure["clips"], failure["fault"]) == ("probe", 2, "file")
    stranger = f"clip {filled.checksums['neighbour.mp4'][:12]}"
    assert sorted(failure["examples"]) == sorted([MARKUP, stranger])
    assert failure["error"] == "a.mov: password=*** does not decode"
    assert MARKUP in heard["text"]
    assert failure["look"] in heard["text"]
    said = json.dumps(heard)
    assert not any(each in said for each in ("hunter22", "/media", "waiting.mp4", str(told.home)))


def test_between_two_messages_is_an_interval(
    filled: Shelf, ago: Any, told: Settings, listener: Listener, instance: dg.DagsterInstance
):
    fail(filled, MARKUP)
    tell(instance, filled.catalogue, told)
    fail(filled, "waiting.mp4")
    assert "less than 600 s ago" in tell(instance, filled.catalogue, told)
    ago(700)
    tell(instance, filled.catalogue, told)
    assert [each["failures"][0]["examples"] for each in listener.heard] == [
        [MARKUP],
        ["waiting.mp4"],
    ]
    ago(700)
    assert "nothing failed" in tell(instance, filled.catalogue, told)


def test_a_message_that_nobody_took_is_sent_with_the_next(
    filled: Shelf,
    ago: Any,
    told: Settings,
    listener: Listener,
    instance: dg.DagsterInstance,
    caplog: pytest.LogCaptureFixture,
):
    listener.answers = [503, 503]
    fail(filled, MARKUP)
    assert "nobody took" in tell(instance, filled.catalogue, told)
    assert len(listener.heard) == 2, "it is tried once more at once"
    assert "127.0.0.1" in caplog.text
    assert "s3cr3t" not in caplog.text
    ago(700)
    listener.answers = [503]
    assert tell(instance, filled.catalogue, told) == "the message was sent"
    assert listener.heard[-1]["failures"][0]["examples"] == [MARKUP]


@pytest.mark.parametrize(
    "notify",
    [
        'webhook = "http://127.0.0.1:1/x"',
        f"command = [{json.dumps(sys.executable)}, '-c', 'raise SystemExit(3)']",
        "command = ['/no/such/program']",
    ],
)
def test_a_listener_that_is_not_there_harms_nothing(
    filled: Shelf, ago: Any, tmp_path: Path, instance: dg.DagsterInstance, notify: str
):
    (tmp_path / "settings.toml").write_text(f"[notify]\n{notify}\n")
    fail(filled, MARKUP)
    assert "nobody took" in tell(instance, filled.catalogue, load_settings(tmp_path))


def test_a_program_gets_the_message_as_text(
    filled: Shelf, ago: Any, tmp_path: Path, instance: dg.DagsterInstance
):
    program = f"import sys; open({str(tmp_path / 'said')!r}, 'w').write(sys.stdin.read())"
    command = json.dumps([sys.executable, "-c", program])
    (tmp_path / "settings.toml").write_text(f"[notify]\ncommand = {command}\n")
    fail(filled, MARKUP)
    tell(instance, filled.catalogue, load_settings(tmp_path))
    said = (tmp_path / "said").read_text().splitlines()
    assert "1 step failed for good" in said[0]
    assert said[1] == f"1 of probe, UndecodableError (the file is at fault): {MARKUP}"
    assert said[3] == "    video-assets failures --asset probe"


def test_a_run_that_broke_off_is_told_and_one_whose_clip_failed_is_not(
    filled: Shelf, ago: Any, told: Settings, listener: Listener, instance: dg.DagsterInstance
):
    @dg.op(config_schema={"clip": bool})
    def work(context: dg.OpExecutionContext) -> None:
        if context.op_config["clip"]:
            raise dg.Failure("probe of a.mov: no frame decodes")
        raise RuntimeError("/usr/lib/x.py: no such host: postgresql://me:hunter22@db/x")

    @dg.job
    def job() -> None:
        work()

    for clip in (True, False):
        config = {**QUIET, "ops": {"work": {"config": {"clip": clip}}}}
        job.execute_in_process(config, instance=instance, raise_on_error=False)
    assert tell(instance, filled.catalogue, told) == "the message was sent"
    (run,) = listener.heard[0]["runs"]
    assert run["job"] == "job"
    assert run["error"].startswith("work: ")
    assert "x.py: no such host" in run["error"]
    assert "hunter22" not in json.dumps(listener.heard)


def test_by_default_nobody_is_told(filled: Shelf, settings: Settings, instance: dg.DagsterInstance):
    fail(filled, MARKUP)
    assert "has no [notify]" in tell(instance, filled.catalogue, settings)


# Loading Dagster's resources warns of what its next release has to replace.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_both_sensors_run_and_the_ledger_s_requests_no_run(
    filled: Shelf, settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
):
    from video_assets.definitions import defs

    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(settings.home))
    context = dg.build_sensor_context(instance=instance, resources={"catalogue": filled.catalogue})
    assert isinstance(tell_of_failures(context), dg.SkipReason)
    assert {tell_of_failures, tell_of_failed_run} <= set(defs.sensors or [])
    assert tell_of_failed_run.default_status == dg.DefaultSensorStatus.RUNNING
