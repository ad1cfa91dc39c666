"""A whole pipeline of small analyzers, on a real Dagster instance and a real catalogue."""

import json
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from psycopg import sql

from video_assets.assets.ingest.checksum import checksum
from video_assets.automation.here import process_here
from video_assets.automation.instance import IN_THIS_PROCESS
from video_assets.automation.jobs import batch_tags
from video_assets.automation.plan import plan_of
from video_assets.automation.reporting import report_results
from video_assets.events import BATCH_SIZE
from video_assets.io_managers import SupabaseIOManager
from video_assets.lanes import Lanes
from video_assets.media.discovery import discover
from video_assets.partitions import CLIPS, RANGE_END, RANGE_START, Batch, clips
from video_assets.presets.model import PipelineConfiguration, StepConfiguration
from video_assets.run_process import keep_connections
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger
from video_assets.storage.ai_calls import Payer
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registrar
from video_assets_tests.analyzers import ASSETS, BEGUN, DOOR, words_are_few
from video_assets_tests.conftest import run_sql

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
PATIENCE_S = 60  # a worker of a busy machine has not hung
NAMES = {"checksum", "words", "loud", "report"}


def preset(
    *disabled: str, timeout_s: int = PATIENCE_S, **params: dict[str, object]
) -> PipelineConfiguration:
    """A preset of the small analyzers; `loud={"marks": 2}` sets what they are set by."""
    steps = [
        StepConfiguration(
            category="test",
            name=name,
            enabled=name not in disabled,
            timeout=timeout_s,
            params=params.get(name, {}),
        )
        for name in ("checksum", "words", "loud", "report", *(set(params) - NAMES))
    ]
    return PipelineConfiguration(name="test", steps=tuple(steps), worker_config={"default": 2})


@dataclass
class Pipeline:
    """The small analyzers over one folder of text files."""

    catalogue: Postgres
    instance: dg.DagsterInstance
    lanes: Lanes
    folder: Path
    preset: PipelineConfiguration
    more: Sequence[dg.AssetsDefinition] = ()

    def job(self) -> dg.JobDefinition:
        """The job of all assets but the checksum."""
        return self.definitions().resolve_job_def("process_clips")

    def definitions(self) -> dg.Definitions:
        """A code location of the small analyzers."""
        artifacts = self.folder / "artifacts"
        fixed = dg.ResourceDefinition.hardcoded_resource
        manager = SupabaseIOManager(self.catalogue, artifacts)
        return dg.Definitions(
            assets=[checksum, *ASSETS, *self.more],
            asset_checks=[words_are_few],
            jobs=[
                dg.define_asset_job(
                    "process_clips",
                    selection=dg.AssetSelection.all() - dg.AssetSelection.assets("checksum"),
                )
            ],
            resources={
                "catalogue": fixed(self.catalogue),
                "artifacts": fixed(artifacts),
                "lanes": fixed(self.lanes),
                "preset": fixed(self.preset),
                "io_manager": dg.IOManagerDefinition.hardcoded_io_manager(manager),
            },
            executor=dg.in_process_executor,
        )

    def register(self, *texts: str) -> dict[str, str]:
        """Make clips of texts, and give their checksums."""
        for text in texts:
            (self.folder / f"{text.replace(' ', '_')[:40]}.mp4").write_text(text)
        registrar = Registrar(self.catalogue, LOCAL_OWNER, "blake3")
        listing = discover([self.folder])
        found = {
            file.path.read_text(): file.checksum or ""
            for file in registrar.register(listing.candidates)
        }
        report_results(self.instance, self.catalogue)
        return {text: found[text] for text in texts}

    def let_go(self, *, one: bool = False) -> None:
        """Let workers go on with gated clips: with all, or with one that a worker has in hand."""
        deadline = time.monotonic() + PATIENCE_S
        while one and not list(self.folder.glob(f"*{BEGUN}")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        waiting = sorted(self.folder.glob(f"*{BEGUN}"))[:1] if one else self.folder.glob("*.mp4")
        for path in waiting:
            path.with_suffix(DOOR).touch()

    def run(
        self,
        *,
        first: str | None = None,
        last: str | None = None,
        key: str | None = None,
        is_deferred: bool = True,
        keeps_settings: bool = False,
        select: list[str] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Run the job over a range, or over one clip."""
        span = Batch((), {RANGE_START: first, RANGE_END: last} if first and last else {})
        tags = batch_tags(span, keeps_settings=keeps_settings) if first else {}
        if not is_deferred:
            tags = {name: value for name, value in tags.items() if "range" in name}
        return self.job().execute_in_process(
            instance=self.instance,
            tags=tags,
            partition_key=key,
            asset_selection=[dg.AssetKey(name) for name in select] if select else None,
            run_config=QUIET,
            raise_on_error=False,
        )

    def process(self, checksums: dict[str, str], payer: Payer | None = None) -> int:
        """Do what `ingest` does, and give the number of runs it took."""
        runs: list[str] = []
        process_here(
            self.instance,
            self.catalogue,
            self.job(),
            self.preset,
            list(checksums.values()),
            payer=payer,
            on_run=lambda run: runs.append(str(run)),
        )
        return len(runs)

    def status(self, asset: str, checksums: dict[str, str]) -> dict[str, str]:
        """What Dagster's UI shows of an asset's partitions: MATERIALIZED, FAILED, or nothing."""
        keys = list(checksums.values())
        found = self.instance.get_status_by_partition(dg.AssetKey(asset), keys, clips) or {}
        return {
            text: status.value
            for text, key in checksums.items()
            if (status := found.get(key)) is not None
        }

    def cells(self, checksums: dict[str, str]) -> list[ledger.Cell]:
        """What the ledger says of every cell."""
        return ledger.cells(self.catalogue, plan_of(self.preset), list(checksums.values()))

    def states(self, checksums: dict[str, str]) -> dict[tuple[str, str], str]:
        """The state of every cell, by text and asset."""
        texts = {checksum: text for text, checksum in checksums.items()}
        return {(texts[cell.checksum], cell.asset): cell.state for cell in self.cells(checksums)}

    def span(self, checksums: dict[str, str]) -> tuple[str, str]:
        """The first and last of these partitions in the order they were added."""
        keys = set(checksums.values())
        ordered = [key for key in self.instance.get_dynamic_partitions(CLIPS) if key in keys]
        return ordered[0], ordered[-1]


@pytest.fixture(scope="package")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lanes]:
    """Worker processes for all tests here: starting them takes longer than a test."""
    folder = tmp_path_factory.mktemp("lanes")
    sizes = {"default": 2, "metadata": 2}
    lanes = Lanes(sizes, folder, preload=["video_assets_tests.analyzers"])
    yield lanes
    lanes.close()


@pytest.fixture(scope="package")
def dagster_home(
    embedded_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A Dagster home with a Postgres database of its own."""
    name = f"dagster_{uuid.uuid4().hex[:12]}"
    admin = embedded_server.admin_url("postgres")
    run_sql(admin, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = embedded_server.admin_url(name).replace("postgresql://", "postgresql+psycopg2://")
    home = tmp_path_factory.mktemp("dagster")
    configured = {
        **IN_THIS_PROCESS,
        "storage": {"postgres": {"postgres_url": url}},
        "telemetry": {"enabled": False},
    }
    (home / "dagster.yaml").write_text(json.dumps(configured))
    yield home
    run_sql(admin, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def pipeline(
    catalogue: Postgres,
    dagster_home: Path,
    lanes: Lanes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Pipeline]:
    """A pipeline over an empty folder."""
    monkeypatch.setenv(BATCH_SIZE, "500")
    monkeypatch.setenv("VIDEO_ASSETS_HOME", os.fspath(tmp_path / "home"))
    with dg.DagsterInstance.from_config(os.fspath(dagster_home)) as instance:
        keep_connections(instance)
        yield Pipeline(catalogue, instance, lanes, tmp_path, preset())
