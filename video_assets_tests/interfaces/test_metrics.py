"""Metrics: what Prometheus reads agrees with the ledger, and names no clip."""

import socket
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from video_assets.interfaces.cli.metrics import metrics_served
from video_assets.interfaces.web.metrics import serving_metrics
from video_assets.settings import Settings, load_settings
from video_assets.slots import Slots
from video_assets.storage import ledger
from video_assets_tests.shelf import Shelf

Scrape = Callable[[], dict[tuple[str, ...], float]]


@pytest.fixture
def scrape(filled: Shelf, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scrape]:
    monkeypatch.setenv("SUPABASE_DB_URL", filled.catalogue.dsn)
    with serving_metrics(load_settings(settings.home)) as url:
        yield lambda: read(url)


def read(url: str) -> dict[tuple[str, ...], float]:
    """Scrape once: by name and values of labels, which come in alphabetical order."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  our own
        text = answer.read().decode()
    assert not any(each in text for each in (".mp4", ".mov", "/", "neighbour"))
    return {
        (sample.name.removeprefix("video_assets_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_all_owners_clips_and_cells_are_counted(scrape: Scrape):
    found = scrape()
    assert found["up",] == 1
    assert found["clips", "failed"] == 3
    assert found["cells", "probe", "done"] == 2
    assert found["cells", "probe", "failed"] == 3
    assert found["cells", "probe", "waiting"] == 3
    assert found["failures", "probe", "UndecodableError", "file"] == 2, "content is counted once"
    assert (found["step_seconds_count", "probe"], found["step_seconds_sum", "probe"]) == (2, 2.5)
    assert found["step_cpu_seconds_sum", "probe"] == 2
    assert found["oldest_waiting_seconds",] > 0
    assert found["source_bytes",] > 0


def test_what_runs_is_read_at_the_moment(scrape: Scrape, filled: Shelf, settings: Settings):
    clips = [filled.checksums["waiting.mp4"]]
    slots = Slots(settings.home / "lanes" / "default", 4, priority=50)
    assert slots.take()
    with ledger.claims(filled.catalogue, "probe", clips):
        ledger.log_starting(filled.catalogue, "probe", clips)
        found = scrape()
    slots.close()
    assert found["cells", "probe", "running"] == 1
    assert (found["lane_slots", "default"], found["lane_slots_in_use", "default"]) == (4, 1)
    after = scrape()
    assert (after["cells", "probe", "running"], after["lane_slots_in_use", "default"]) == (0, 0)


def test_a_database_that_is_gone_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    monkeypatch.setattr("video_assets.storage.postgres.WAIT_S", 1.0)
    with serving_metrics(load_settings(settings.home)) as url:
        assert read(url)["up",] == 0


def test_a_port_that_is_taken_keeps_nobody_from_working(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings.home.mkdir()
        (settings.home / "settings.toml").write_text(f"[metrics]\nport = {port}\n")
        with metrics_served(load_settings(settings.home)):
            pass
    assert f"no metrics: port {port} cannot be had" in capsys.readouterr().err
