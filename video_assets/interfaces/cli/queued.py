"""What Dagster has in hand or in its queue, where its database runs."""

from video_assets.interfaces.cli.planned import quiet_dagster
from video_assets.settings import Settings
from video_assets.storage import run_queue


def queued_cells(settings: Settings) -> set[tuple[str, str]]:
    """Find the cells, by checksum and asset, that runs have in hand or in their queue."""
    is_used = (settings.dagster_home / "dagster.yaml").exists()
    if not is_used or not run_queue.answers(settings):
        return set()
    quiet_dagster()
    from video_assets.automation.in_progress import cells_in_progress
    from video_assets.automation.instance import open_instance

    with open_instance(settings) as dagster:
        return cells_in_progress(dagster)
