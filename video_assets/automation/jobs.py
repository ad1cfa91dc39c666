"""The jobs: process clips, and register the files of a folder."""

from pathlib import Path
from uuid import UUID

import dagster as dg

from video_assets.automation.plan import plan_of
from video_assets.automation.reporting import report_results
from video_assets.clip_stream import KEEP_SETTINGS, RETRY_PASSING
from video_assets.events import DEFER_EVENTS
from video_assets.media.discovery import discover
from video_assets.partitions import Batch
from video_assets.settings import LOCAL_OWNER, load_settings
from video_assets.storage import ledger
from video_assets.storage.locations import display
from video_assets.storage.registration import Registrar

LOCAL = "local"
USUAL_PRIORITY = 50  # of a step that names none, and of runs that are started by hand

process_clips = dg.define_asset_job(
    "process_clips",
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets("checksum"),
    description="Everything that is known of a clip, except the checksum that registration made.",
)


def batch_tags(
    batch: Batch, *, retries_passing: bool = False, keeps_settings: bool = False
) -> dict[str, str]:
    """Tag a run over a batch of clips whose good clips go on when others fail."""
    wishes = {RETRY_PASSING: retries_passing, KEEP_SETTINGS: keeps_settings, DEFER_EVENTS: True}
    return batch.tags | {name: "true" for name, is_wished in wishes.items() if is_wished}


def priority_tag(priority: int) -> dict[str, str]:
    """Tag a run with a step's priority: lower goes first there, higher with Dagster."""
    return {"dagster/priority": str(USUAL_PRIORITY - priority)}


class FolderToRegister(dg.Config):
    """A folder whose files become clips."""

    path: str
    owner: str = LOCAL
    pattern: str | None = None
    recursive: bool = True


def owner_id(owner: str) -> UUID:
    """Find an owner by id; `local` is the one owner of the embedded catalogue."""
    return LOCAL_OWNER if owner == LOCAL else UUID(owner)


@dg.op(required_resource_keys={"catalogue", "preset"})
def register_files(context: dg.OpExecutionContext, config: FolderToRegister) -> None:
    """Hash what is new in a folder and make clips of it."""
    catalogue = context.resources.catalogue
    listing = discover([Path(config.path)], config.pattern, recursive=config.recursive)
    registrar = Registrar(catalogue, owner_id(config.owner), load_settings().checksum_algorithm)
    counts: dict[str, int] = {}
    made: list[str] = []
    for file in registrar.register(listing.candidates):
        counts[file.state] = counts.get(file.state, 0) + 1
        if file.state == "new" and file.checksum:
            made.append(file.checksum)
        if file.reason:
            context.log.warning(f"{display(file.path)}: {file.reason}")
    for reject in listing.rejects:
        registrar.refuse(reject.path, reject.reason)
        context.log.warning(f"{display(reject.path)}: {reject.reason}")
    for reject in listing.unreachable:
        context.log.warning(f"{display(reject.path)}: {reject.reason}; nothing was changed")
    preset = context.resources.preset
    ledger.plan_clips(catalogue, made, preset.name, [asset.asset for asset in plan_of(preset)])
    reported = report_results(context.instance, catalogue)
    context.log.info(f"{reported} clips are new to Dagster")
    context.add_output_metadata({"path": dg.MetadataValue.path(config.path), **counts})


@dg.job(description="Find new files in a folder and make clips of them.")
def register_folder() -> None:
    """Register the files of one folder."""
    register_files()
