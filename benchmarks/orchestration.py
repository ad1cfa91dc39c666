"""What it costs to run an analyzer over a clip, beside the analyzer itself.

    python benchmarks/orchestration.py [--clips 300]

Trivial analyzers over small text files, batches of 100, embedded Postgres, workers warm. Raced in
one run against the naive way, a Dagster run for every clip, and held against the bound, which is
committing the same results in a bare loop.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from video_assets.assets.ingest.checksum import checksum
from video_assets.automation.here import QUIET, process_here
from video_assets.automation.instance import open_instance
from video_assets.automation.reporting import report_results
from video_assets.media.discovery import discover
from video_assets.presets.model import PipelineConfiguration, StepConfiguration
from video_assets.resources import PresetResource, resources
from video_assets.settings import LOCAL_OWNER, load_settings
from video_assets.storage import ledger
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registrar
from video_assets_tests.analyzers import ASSETS
from video_assets_tests.servers import remove_server

WANTED_MS = 30.0
NAIVE_CLIPS = 5
STEPS = ("words", "loud", "report")
PRESET = PipelineConfiguration(
    name="trivial",
    steps=tuple(StepConfiguration(category="trivial", name=name) for name in STEPS),
    worker_config={"default": 2},
)


class TrivialPreset(PresetResource):
    """The preset of the trivial analyzers."""

    def create_resource(self, context: dg.InitResourceContext) -> PipelineConfiguration:
        """Give it, whatever the run is tagged with."""
        return PRESET


def build_job() -> dg.JobDefinition:
    """A job of the trivial analyzers on the real resources."""
    definitions = dg.Definitions(
        assets=[checksum, *ASSETS],
        jobs=[dg.define_asset_job("trivial", selection=dg.AssetSelection.assets(*STEPS))],
        resources=resources(TrivialPreset()),
        executor=dg.in_process_executor,
    )
    return definitions.resolve_job_def("trivial")


def register(
    catalogue: Postgres, instance: dg.DagsterInstance, folder: Path, count: int
) -> list[str]:
    """Make clips of as many small files, and tell Dagster of them."""
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.mp4").write_text(f"clip {folder.name} {number}")
    registrar = Registrar(catalogue, LOCAL_OWNER, "blake3")
    found = list(registrar.register(discover([folder]).candidates))
    report_results(instance, catalogue)
    return [file.checksum or "" for file in found]


def commit_again(catalogue: Postgres, checksums: list[str]) -> None:
    """Commit the results once more in a bare loop: the bound."""
    for step in STEPS:
        found = ledger.documents(catalogue, step, checksums)
        for checksum_, document in found.items():
            ledger.save_done(
                catalogue,
                asset=step,
                checksum=checksum_,
                made=ledger.Made("1", "", ""),
                document=document.body,
                problems={},
                seconds=0,
                cpu_seconds=0,
                run_id="bound",
            )


def race(folder: Path, count: int) -> dict[str, float]:
    """Time each way, in milliseconds of wall time per clip and analyzer."""
    os.environ["VIDEO_ASSETS_HOME"] = str(folder / "home")
    settings, job = load_settings(), build_job()
    catalogue = open_catalogue(settings)
    with open_instance(settings) as instance:

        def batches(checksums: list[str]) -> None:
            process_here(instance, catalogue, job, PRESET, checksums)

        def one_run_a_clip(checksums: list[str]) -> None:
            for checksum_ in checksums:
                job.execute_in_process(instance=instance, partition_key=checksum_, run_config=QUIET)

        def timed(way: Callable[[list[str]], None], checksums: list[str]) -> float:
            start = time.perf_counter()
            way(checksums)
            return (time.perf_counter() - start) * 1000 / len(checksums) / len(STEPS)

        batches(register(catalogue, instance, folder / "warm", 2))
        clips = register(catalogue, instance, folder / "batches", count)
        naive = register(catalogue, instance, folder / "naive", NAIVE_CLIPS)
        return {
            "batches of 100": timed(batches, clips),
            "a run for every clip": timed(one_run_a_clip, naive),
            "bare commits (bound)": timed(lambda keys: commit_again(catalogue, keys), clips),
        }


def main() -> None:
    """Print each way's time and its ratio to batches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=300)
    count = parser.parse_args().clips
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = race(Path(folder), count)
        finally:
            remove_server(EmbeddedServer(load_settings().home))
    ours = found["batches of 100"]
    for way, milliseconds in found.items():
        print(f"{way:22s} {milliseconds:8.1f} ms per clip and analyzer  x{milliseconds / ours:.2f}")
    print(f"{'ok' if ours <= WANTED_MS else 'TOO SLOW'}: at most {WANTED_MS:.0f} ms were wanted")


if __name__ == "__main__":  # workers import this module again
    main()
