"""What a large catalogue costs while nothing happens, and when a little does.

    python benchmarks/scale.py [--clips 10000]

One clip is ingested for real and copied with its full ledger, partition and events. CPU is that of
this process and of the database's; walls depend on what else the machine does. `docs/scale.md` has
figures. Linux only.
"""

import argparse
import contextlib
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
from scale_fill import Library

from video_assets.automation.instance import open_instance
from video_assets.automation.reconcile import reconcile
from video_assets.interfaces.cli.planned import quiet_dagster
from video_assets.presets.model import load_preset
from video_assets.settings import LOCAL_OWNER, load_settings
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.counts import Counts, count
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.clips import Clip, make_clip
from video_assets_tests.interfaces.dagster_ui import serve
from video_assets_tests.servers import remove_server

TICK_CPU_S, STATUS_S, PAGE_S = 1.0, 0.5, 3.0
CHANGED = 100
SETTLING_TICKS = 200  # at most: a tick looks at some thousand clips that nobody has looked at
ASSET = "proxy"
KEY = {"path": [ASSET]}

LOSE = """DELETE FROM results WHERE asset = 'scenes' AND file_checksum IN (
    SELECT file_checksum FROM clips ORDER BY md5(file_checksum) LIMIT %(changed)s)"""
FAIL = """UPDATE results SET status = 'failed', result = NULL, result_digest = NULL,
       fault = 'file', error_class = 'UndecodableError', error = 'found no frame', attempts = 2
 WHERE asset = 'exposure' AND file_checksum IN (
       SELECT file_checksum FROM clips ORDER BY md5(file_checksum) DESC LIMIT %(changed)s)"""

# What the pages of the Dagster UI ask, as its own source has it.
PARTITIONS_TAB = """query PartitionHealthQuery($assetKey: AssetKeyInput!) {
  assetNodeOrError(assetKey: $assetKey) { ... on AssetNode { id
    partitionKeysByDimension { name type partitionKeys }
    assetPartitionStatuses { ... on DefaultPartitionStatuses {
      materializedPartitions materializingPartitions failedPartitions } } } } }"""
EVENT = """runId partition timestamp stepKey label description tags { key value }
  runOrError { ... on PipelineRun { id mode status pipelineName } }
  metadataEntries { label description ... on TextMetadataEntry { text }
    ... on MarkdownMetadataEntry { mdStr } ... on IntMetadataEntry { intValue } }"""
PARTITION_DETAIL = f"""query AssetPartitionDetailQuery($assetKey: AssetKeyInput!, $clip: String!) {{
  assetOrError(assetKey: $assetKey) {{ ... on Asset {{ id
    definition {{ id opNames latestRunForPartition(partition: $clip) {{ id status endTime }} }}
    assetEventHistory(partitions: [$clip], limit: 1000,
      eventTypeSelectors: [MATERIALIZATION, OBSERVATION, FAILED_TO_MATERIALIZE]) {{
      results {{ ... on MaterializationEvent {{ {EVENT} }} }} }} }} }} }}"""
PARTITION_STALE = """query AssetPartitionStaleQuery($assetKey: AssetKeyInput!, $clip: String!) {
  assetNodeOrError(assetKey: $assetKey) { ... on AssetNode { id staleStatus(partition: $clip)
    staleCauses(partition: $clip) { key { path } reason category } } } }"""


class Bench:
    """Measures on one library."""

    def __init__(self, library: Library, server: EmbeddedServer) -> None:
        """Take the library, and the server whose CPU counts."""
        self.library = library
        self.catalogue = open_catalogue(load_settings())
        self._cursor: str | None = None
        pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
        self._postmaster = psutil.Process(pid)

    def cpu_s(self) -> float:
        """CPU of this process and its ended children, and of the database's."""
        own = psutil.Process().cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for each in (self._postmaster, *self._postmaster.children()):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def tick(self) -> int:
        """Let the sensor tick once, and give the number of runs that it asks for."""
        context = dg.build_sensor_context(
            instance=self.library.instance,
            cursor=self._cursor,
            resources={"catalogue": self.catalogue, "preset": load_preset("default")},
        )
        asked: Any = reconcile(context)
        count = sum(isinstance(each, dg.RunRequest) for each in asked)
        self._cursor = context.cursor
        return count

    def count(self) -> Counts:
        """Count what `status` shows of clips and steps."""
        with self.catalogue.transaction(LOCAL_OWNER) as connection:
            return count(connection)

    def tick_as_at_first(self) -> int:
        """Tick as it is done once an hour, when everything is looked at."""
        self._cursor = None
        return self.tick()

    def measure(
        self,
        what: str,
        deed: Callable[[], Any],
        *,
        cpu_s: float = math.inf,
        wall_s: float = math.inf,
    ) -> Any:
        """Do something, and print what it cost beside what was wanted."""
        wall, cpu = time.perf_counter(), self.cpu_s()
        answer = deed()
        took, used = time.perf_counter() - wall, self.cpu_s() - cpu
        is_over = took > wall_s or used > cpu_s
        wanted = min(cpu_s, wall_s)
        verdict = f"{'OVER' if is_over else 'ok, within'} {wanted} s" if wanted < math.inf else ""
        runs = f"{answer} runs requested" if isinstance(answer, int) else ""
        print(f"{what:36} {took:7.2f} s {used:7.2f} s CPU  {verdict}  {runs}", flush=True)
        return answer


def measure_all(bench: Bench) -> None:
    """Measure ticks, commands and pages."""
    library, clips = bench.library, bench.library.size
    results = library.one("SELECT count(*) FROM results")
    print(f"{clips:,} clips, {results:,} results")
    bench.measure("first tick, of clips nobody knows", bench.tick)
    while int(library.one("SELECT count(*) FROM private.settled_clips")) < clips:
        bench.tick()
    measure_pages(bench)
    bench.measure("tick, nothing to do", bench.tick, cpu_s=TICK_CPU_S)
    bench.measure("tick, as once an hour", bench.tick_as_at_first)
    library.change(LOSE, changed=CHANGED)
    bench.measure(f"tick, {CHANGED} clips lack a result", bench.tick, cpu_s=TICK_CPU_S)
    library.change(FAIL, changed=CHANGED)
    bench.measure(f"tick, {CHANGED} more failed for good", bench.tick, cpu_s=TICK_CPU_S)
    bench.measure("counting for `status`", bench.count)
    bench.measure("video-assets status", lambda: run("status"), wall_s=STATUS_S)
    for words in ("--version", "search query clip", "stale", "failures", "backfill --dry-run"):
        bench.measure(f"video-assets {words}", lambda words=words: run(*words.split()))


def measure_pages(bench: Bench) -> None:
    """Ask what the pages of one asset ask, twice: Dagster keeps what it has found."""
    clip = {"assetKey": KEY, "clip": bench.library.clip}
    with serve(load_settings().home) as ui:
        for round_ in ("first", "again"):
            for name, query, asked in (
                ("partitions tab", PARTITIONS_TAB, {"assetKey": KEY}),
                ("one partition", PARTITION_DETAIL, clip),
                ("one partition, is it stale", PARTITION_STALE, clip),
            ):
                page = partial(ui.ask, query, **asked)
                bench.measure(f"{name}, {round_}", page, wall_s=PAGE_S)


def run(*arguments: str) -> None:
    """Run a command to its end."""
    command = [sys.executable, "-m", "video_assets", *arguments]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def main() -> None:
    """Make the library, measure, and remove it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--home", type=Path, help="keep the library there, for another time")
    arguments = parser.parse_args()
    quiet_dagster()
    with tempfile.TemporaryDirectory() as temporary:
        home = arguments.home or Path(temporary) / "home"
        os.environ["VIDEO_ASSETS_HOME"] = str(home)
        server = EmbeddedServer(load_settings().home)
        try:
            if not (home / "dagster").exists():
                make_clip(Path(temporary) / "clip.mp4", Clip(audio_tracks=1))
                run("ingest", temporary)
            server.start()
            with open_instance(load_settings()) as instance:
                library = Library(server, instance)
                began = time.monotonic()
                library.grow(arguments.clips)
                print(f"made in {time.monotonic() - began:.0f} s")
                measure_all(Bench(library, server))
        finally:
            if not arguments.home:
                remove_server(server)


if __name__ == "__main__":
    main()
