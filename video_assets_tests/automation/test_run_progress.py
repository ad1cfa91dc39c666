"""One run of Dagster, as `monitor --run` and `status` see it without loading Dagster."""

from pathlib import Path

import dagster as dg
import pytest
import yaml

from video_assets.settings import DAGSTER_URL, LOCAL_OWNER, Settings, load_settings
from video_assets.storage import run_progress, run_queue
from video_assets_tests.automation.conftest import Pipeline


@pytest.fixture
def watched(
    pipeline: Pipeline, dagster_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings that name the catalogue and Dagster's database of the pipeline."""
    storage = yaml.safe_load((dagster_home / "dagster.yaml").read_text())["storage"]
    monkeypatch.setenv(DAGSTER_URL, storage["postgres"]["postgres_url"])
    monkeypatch.setenv("SUPABASE_DB_URL", pipeline.catalogue.dsn)
    return load_settings(tmp_path / "home")


def test_a_run_tells_what_its_steps_took_and_which_clip_was_slowest(
    pipeline: Pipeline, watched: Settings
) -> None:
    clips = pipeline.register("progress one", "bad progress", "progress two")
    first, last = pipeline.span(clips)
    run_id = pipeline.run(first=first, last=last).run_id

    (found,) = run_progress.find(watched, pipeline.catalogue, LOCAL_OWNER, run_id[:8])
    assert (found.run_id, found.status, found.is_output) == (run_id, "success", False)
    progress = run_progress.look(watched, pipeline.catalogue, LOCAL_OWNER, run_id)
    assert progress is not None
    assert (progress.clips, progress.failed, progress.cells) == (3, 1, 7)
    assert (progress.cells_done, progress.is_over, progress.has_failed) == (7, True, True)
    counts = {step.step: (step.done, step.failed) for step in progress.steps}
    assert counts == {"words": (2, 1), "loud": (2, 0), "report": (2, 0)}
    words = progress.steps[0]
    assert words.median_s is not None
    assert words.p95_s is not None
    assert words.slowest_s is not None
    assert 0 < words.median_s <= words.p95_s <= words.slowest_s
    assert words.slowest in ("progress_one.mp4", "progress_two.mp4")
    assert progress.left_s is None
    assert run_progress.look(watched, pipeline.catalogue, LOCAL_OWNER, "gone") is None


def test_a_run_in_progress_counts_the_clips_it_was_asked_for(
    pipeline: Pipeline, watched: Settings
) -> None:
    clips = pipeline.register("queue one", "queue two", "queue three")
    first, last = pipeline.span(clips)
    tags = {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }
    status = dg.DagsterRunStatus
    for state in (status.NOT_STARTED, status.STARTED):
        pipeline.instance.create_run_for_job(pipeline.job(), tags=tags, status=state)
    queue = run_queue.look(watched)
    assert (queue.counts["not_started"], queue.counts["started"]) == (1, 1)
    assert {(run.status, run.clips, run.job) for run in queue.in_progress} == {
        ("not_started", 3, "process_clips"),
        ("started", 3, "process_clips"),
    }
    assert all(0 <= run.seconds < 300 for run in queue.in_progress)
    for run in queue.in_progress:
        pipeline.instance.delete_run(run.run_id)


def test_where_dagster_has_never_run_there_are_no_runs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_queue.look(settings) == run_queue.EMPTY
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert run_queue.look(load_settings(settings.home)) == run_queue.EMPTY
    monkeypatch.setenv(DAGSTER_URL, "postgresql+psycopg2://nobody@127.0.0.1:1/none")
    assert run_queue.look(load_settings(settings.home)) == run_queue.EMPTY
