"""The job that makes clips of the files of a folder."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from uuid import UUID

import dagster as dg
from pydantic import Field

from video_assets.automation.plan import plan_of
from video_assets.automation.reporting import report_results
from video_assets.media.at_rest import wait_for_rest
from video_assets.media.discovery import Candidate, Listing, Rules, discover
from video_assets.presets.model import PipelineConfiguration
from video_assets.settings import LOCAL, LOCAL_OWNER, load_settings
from video_assets.storage import locations, owners, runs
from video_assets.storage.artifact_store import share
from video_assets.storage.locations import display
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registrar
from video_assets.storage.survey import forget_mended


class FolderToRegister(dg.Config):
    """A folder whose files become clips; they get the steps of the preset in the run's tag."""

    path: str
    owner: str = LOCAL
    pattern: str | None = None
    recursive: bool = True
    ignore: list[str] = Field(default=[])

    def rules(self) -> Rules:
        """What of the folder is taken: never our own files."""
        home = load_settings().home
        return Rules(self.pattern, self.recursive, tuple(self.ignore), apart=(home,))


@dg.op(required_resource_keys={"catalogue", "preset"})
def register_files(context: dg.OpExecutionContext, config: FolderToRegister) -> None:
    """Hash what is new in a folder and at rest, and make clips of it."""
    catalogue, preset = context.resources.catalogue, context.resources.preset
    began, made = datetime.now(timezone.utc), list[str]()
    owner = LOCAL_OWNER if config.owner == LOCAL else UUID(config.owner)
    owners.require(catalogue, owner)
    registrar = Registrar(
        catalogue,
        owner,
        load_settings().checksum_algorithm,
        preset=preset.name,
        steps=tuple(asset.asset for asset in plan_of(preset)),
    )
    listing = discover([Path(config.path)], config.rules())
    in_work = _in_work(catalogue, registrar.owner, listing)
    counts = Counter[str](still_written=len(in_work))
    for file in registrar.register([each for each in listing.candidates if each not in in_work]):
        counts[file.state] += 1
        if file.checksum is not None and file.state == "new":
            made.append(file.checksum)
        if file.reason:
            context.log.warning(f"{display(file.path)}: {file.reason}")
    for reject in listing.rejects:
        registrar.refuse(reject.path, reject.reason)
        context.log.warning(f"{display(reject.path)}: {reject.reason}")
    for reject in listing.unreachable:
        context.log.warning(f"{display(reject.path)}: {reject.reason}; nothing was changed")
    if made:
        _write_run(registrar, preset, config, began, made)
    share(load_settings(), catalogue, made)
    forget_mended(catalogue, registrar.owner, Path(config.path), listing)
    reported = report_results(context.instance, catalogue)
    context.log.info(f"{reported} clips are new to Dagster")
    context.add_output_metadata({"path": dg.MetadataValue.path(config.path), **counts})


def _write_run(
    registrar: Registrar,
    preset: PipelineConfiguration,
    config: FolderToRegister,
    began: datetime,
    made: Iterable[str],
) -> None:
    """Write down which clips came together; the run ends when the last of them is processed."""
    run = runs.begin(
        registrar.catalogue,
        registrar.owner,
        "watch",
        preset=preset.name,
        preset_document=preset.model_dump(mode="json"),
        name=display(Path(Path(config.path).name)),
        roots=[display(Path(config.path))],
        started_at=began,
    )
    for checksum in made:
        run.take_in(checksum, "new")
    run.leave_to_daemon()


def _in_work(catalogue: Postgres, owner: UUID, listing: Listing) -> set[Candidate]:
    """Find the new files that are still being written."""
    new = locations.recognise(catalogue, owner, listing.candidates).unknown
    return set(new) - set(wait_for_rest(new))


@dg.job(description="Find new files in a folder and make clips of them.")
def register_folder() -> None:
    """Register the files of one folder."""
    register_files()
