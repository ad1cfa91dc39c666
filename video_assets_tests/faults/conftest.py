"""The pipeline of small analyzers, for faults of it."""

from video_assets_tests.automation.conftest import dagster_home, lanes, pipeline

__all__ = ["dagster_home", "lanes", "pipeline"]
