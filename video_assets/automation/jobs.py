"""The job that processes clips, and how its runs are tagged."""

import dagster as dg

from video_assets.automation.search_check import search_recall
from video_assets.clip_stream import KEEP_SETTINGS, RETRY_PASSING
from video_assets.events import DEFER_EVENTS
from video_assets.partitions import Batch

USUAL_PRIORITY = 50  # of a step that names none, and of runs that are started by hand

process_clips = dg.define_asset_job(
    "process_clips",
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets("checksum") - search_recall,
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
