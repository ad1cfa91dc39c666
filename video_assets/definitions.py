"""The whole pipeline on one page.

Every module below `assets/` is loaded: a new analyzer is one new file there, and nothing else.
"""

import dagster as dg

from video_assets import assets
from video_assets.automation.backfills import backfill_cells, request_backfill
from video_assets.automation.jobs import process_clips
from video_assets.automation.maintenance import cleanup_artifacts, cleanup_daily
from video_assets.automation.notifications import tell_of_failed_run, tell_of_failures
from video_assets.automation.preset_jobs import preset_jobs
from video_assets.automation.reconcile import reconcile
from video_assets.automation.register_folder import register_folder
from video_assets.automation.search_check import check_search, check_search_daily
from video_assets.automation.watch_folders import watch_folders
from video_assets.resources import PresetResource, resources

defs = dg.Definitions(
    assets=dg.load_assets_from_package_module(assets),
    asset_checks=dg.load_asset_checks_from_package_module(assets),
    jobs=[
        process_clips,
        *preset_jobs,
        register_folder,
        backfill_cells,
        cleanup_artifacts,
        check_search,
    ],
    schedules=[cleanup_daily, check_search_daily],
    sensors=[watch_folders, reconcile, request_backfill, tell_of_failures, tell_of_failed_run],
    resources=resources(PresetResource()),
    # Parallelism is in the lanes; one process a run costs a tenth of one process a step.
    executor=dg.in_process_executor,
)
