"""Resources: the environment in, plain objects out."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import dagster as dg

from video_assets.io_managers import SupabaseIOManager
from video_assets.lanes import WORKER_MODULES, Lanes
from video_assets.logs import open_log
from video_assets.presets.model import PipelineConfiguration, load_preset
from video_assets.run_process import note_process
from video_assets.settings import load_settings
from video_assets.storage.artifact_store import open_store
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.postgres import Postgres

PRESET_TAG = "video-assets/preset"
SWITCHED_ON_TAG = "video-assets/switched-on"  # run tag: steps that the preset has disabled
WORKERS_TAG = "video-assets/workers"  # run tag: the most processes of one lane


class CatalogueResource(dg.ConfigurableResource[Postgres]):
    """The catalogue: the embedded Postgres, started if need be, or the one of SUPABASE_DB_URL."""

    def create_resource(self, context: dg.InitResourceContext) -> Postgres:
        """Connect to the catalogue that the environment names, and open the log beside it."""
        settings = load_settings()
        open_log(settings)
        if context.dagster_run is not None and context.instance is not None:
            note_process(context.instance, context.dagster_run)
        return open_catalogue(settings)


class ArtifactsResource(dg.ConfigurableResource[Path]):
    """The folder of thumbnails and other files made from clips."""

    def create_resource(self, context: dg.InitResourceContext) -> Path:
        """Find the artifact store of VIDEO_ASSETS_HOME."""
        return load_settings().artifacts_dir


class PresetResource(dg.ConfigurableResource[PipelineConfiguration]):
    """What a run's preset says of its steps: settings, lanes, time limits."""

    def create_resource(self, context: dg.InitResourceContext) -> PipelineConfiguration:
        """Read the preset that the run is tagged with, else the one of the settings."""
        tags = context.dagster_run.tags if context.dagster_run else {}
        preset = load_preset(tags.get(PRESET_TAG) or load_settings().preset)
        return preset.switch_on(tags.get(SWITCHED_ON_TAG, "").split())


class LanesResource(dg.ConfigurableResource[Lanes]):
    """The worker processes in which analyzers run, sized by the preset."""

    preset: dg.ResourceDependency[PipelineConfiguration]

    def create_resource(self, context: dg.InitResourceContext) -> Lanes:
        """Find the lanes of this process, which outlive a run; they start when first needed."""
        settings = load_settings()
        most = context.dagster_run.tags.get(WORKERS_TAG) if context.dagster_run else None
        sizes = tuple(sorted(self.preset.worker_config.items()))
        return _lanes(sizes, settings.lanes_dir, int(most) if most else settings.workers)


class SupabaseIOManagerResource(dg.ConfigurableIOManagerFactory[SupabaseIOManager]):
    """Where results go and come from."""

    catalogue: dg.ResourceDependency[Postgres]
    artifacts: dg.ResourceDependency[Path]

    def create_io_manager(self, context: dg.InitResourceContext) -> SupabaseIOManager:
        """Build the IO manager on the run's catalogue and artifact store."""
        store = open_store(load_settings(), self.catalogue)
        return SupabaseIOManager(self.catalogue, self.artifacts, store)


def resources(preset: dg.ConfigurableResource[PipelineConfiguration]) -> Mapping[str, object]:
    """Build the resources of the code location; they look at the environment when a run starts."""
    catalogue, artifacts = CatalogueResource(), ArtifactsResource()
    return {
        "catalogue": catalogue,
        "artifacts": artifacts,
        "preset": preset,
        "lanes": LanesResource(preset=preset),
        "io_manager": SupabaseIOManagerResource(catalogue=catalogue, artifacts=artifacts),
    }


@cache
def _lanes(sizes: tuple[tuple[str, int], ...], folder: Path, workers: int | None) -> Lanes:
    return Lanes(dict(sizes), folder, workers=workers, preload=WORKER_MODULES)
