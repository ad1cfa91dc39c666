"""Metrics for Prometheus, on this machine alone: what the catalogue says at the moment it is asked.

No label holds the name, path or checksum of a clip.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from video_assets.presets.model import DEFAULT_PRESET, load_preset
from video_assets.settings import Settings
from video_assets.slots import Use, in_use
from video_assets.storage import metrics, run_queue
from video_assets.storage.catalogue import open_running

HOST = "127.0.0.1"
PREFIX = "video_assets"


@contextmanager
def serving_metrics(settings: Settings) -> Iterator[str]:
    """Answer `GET /metrics` at the port of the settings while the block runs; give the address.

    Raises OSError when the port is taken.
    """
    registry = CollectorRegistry()
    registry.register(CatalogueCollector(settings))
    server, thread = start_http_server(settings.metrics.port or 0, addr=HOST, registry=registry)
    try:
        yield f"http://{HOST}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True, eq=False)  # a registry keeps collectors by what they are
class CatalogueCollector(Collector):
    """Reads everything anew whenever it is asked."""

    settings: Settings

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: that would ask the database when the server starts."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give every metric, or that the database is not there."""
        try:
            read = self._read()
        except psycopg.Error:
            read = None
        up = 0 if read is None else 1
        yield _gauge("up", "Whether the catalogue's database answers", {(): up})
        if read is not None:
            yield from _of_catalogue(read)
        queue = run_queue.look(self.settings)
        runs = {(status,): count for status, count in queue.counts.items()}
        yield _gauge("dagster_runs", "Runs not over, and those of the last day", runs, "status")
        yield from _of_lanes(in_use(self.settings.lanes_dir))

    def _read(self) -> metrics.Metrics | None:
        catalogue = open_running(self.settings)
        return None if catalogue is None else metrics.read(catalogue)


def _of_catalogue(read: metrics.Metrics) -> Iterator[Metric]:
    yield _gauge("clips", "Clips by state", {(k,): v for k, v in read.clips.items()}, "state")
    yield _gauge("source_bytes", "Size of all clips' files", {(): read.source_bytes})
    yield _gauge("source_seconds", "Length of all clips", {(): read.source_seconds})
    yield _gauge("cells", "Clips by step and state", read.cells, "asset", "state")
    yield _gauge(
        "failures", "Failed steps by cause", read.failures, "asset", "fault", "error_class"
    )
    yield _gauge(
        "oldest_waiting_seconds",
        "How long the clip has been known that waits longest for a step",
        {(): read.oldest_waiting_s},
    )
    seconds = SummaryMetricFamily(
        f"{PREFIX}_step_seconds", "Time of the results there are, by step", labels=["asset"]
    )
    cpu = SummaryMetricFamily(
        f"{PREFIX}_step_cpu_seconds", "CPU time of the results there are", labels=["asset"]
    )
    for asset, time in read.times.items():
        seconds.add_metric([asset], count_value=time.results, sum_value=time.seconds)
        cpu.add_metric([asset], count_value=time.results, sum_value=time.cpu_seconds)
    yield from (seconds, cpu)


def _of_lanes(used: Mapping[str, Use]) -> Iterator[Metric]:
    sizes = load_preset(DEFAULT_PRESET).worker_config
    yield _gauge("lane_slots", "Slots of a lane", {(k,): v for k, v in sizes.items()}, "lane")
    held = {(lane,): use.held for lane, use in used.items()}
    yield _gauge("lane_slots_in_use", "Slots in which a clip is in work", held, "lane")
    waiting = {(lane,): use.waiting for lane, use in used.items()}
    yield _gauge("lane_waiting", "Runs that wait for a slot", waiting, "lane")


def _gauge(
    name: str, told: str, values: Mapping[tuple[str, ...], float], *labels: str
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", told, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family
