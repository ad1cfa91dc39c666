"""Clean-up where Dagster knows of the clips: it forgets what it must, and nothing else."""

import json
import os
import threading
import uuid
import warnings
from collections.abc import Iterator

import dagster as dg
import psycopg
import pytest
from pydantic import PydanticDeprecatedSince20

from video_assets.automation import run_history
from video_assets.automation.maintenance import Home, ages, cleanup_artifacts, cleanup_daily
from video_assets.automation.register_folder import register_folder
from video_assets.partitions import CLIPS
from video_assets.settings import LOCAL_OWNER, Cleanup, load_settings
from video_assets.storage import erasure, ledger
from video_assets.storage.browse import Browser
from video_assets.storage.deletions import Kind
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.automation.conftest import Pipeline, preset
from video_assets_tests.commands import at_home, run_here

DONE, FAILED = "MATERIALIZED", "FAILED"
AT_ONCE: dict[Kind, float] = {"orphans": 0.0, "superseded": 0.0}


@pytest.fixture
def home(pipeline: Pipeline) -> Home:
    """The home of a pipeline, whose artifacts lie elsewhere behind a link."""
    settings = load_settings()
    settings.home.mkdir()
    (pipeline.folder / "artifacts").mkdir()
    settings.artifacts_dir.symlink_to(pipeline.folder / "artifacts")
    return Home(pipeline.instance, pipeline.catalogue, settings, by="test")


def complete(pipeline: Pipeline, *texts: str) -> dict[str, str]:
    """Make clips to which nothing is left to do."""
    clips = pipeline.register(*texts)
    steps = [step.name for step in pipeline.preset.enabled_steps()]
    ledger.plan_clips(
        pipeline.catalogue, LOCAL_OWNER, list(clips.values()), pipeline.preset.name, steps
    )
    pipeline.process(clips)
    return clips


def forget(pipeline: Pipeline, home: Home, checksum: str) -> None:
    (clip,) = Browser(pipeline.catalogue, LOCAL_OWNER).find(checksum)
    erasure.forget_clip(pipeline.catalogue, LOCAL_OWNER, clip.id)
    home.finish_forgotten()


def latest(pipeline: Pipeline, asset: str) -> str | None:
    """The partition that the UI shows as an asset's latest materialization."""
    event = pipeline.instance.get_latest_materialization_event(dg.AssetKey(asset))
    return event.asset_materialization.partition if event and event.asset_materialization else None


def ended(pipeline: Pipeline) -> set[str]:
    statuses = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    return {run.run_id for run in pipeline.instance.get_runs(dg.RunsFilter(statuses=statuses))}


def test_the_ui_forgets_a_forgotten_clip_and_keeps_its_neighbours(pipeline: Pipeline, home: Home):
    clips = pipeline.register("stays here", "goes away")
    pipeline.process(clips)
    assert pipeline.status("report", clips) == {"stays here": DONE, "goes away": DONE}
    forget(pipeline, home, clips["goes away"])
    assert clips["goes away"] not in pipeline.instance.get_dynamic_partitions(CLIPS)
    for asset in ("checksum", "words", "loud", "report"):
        assert pipeline.status(asset, clips) == {"stays here": DONE}
        assert latest(pipeline, asset) != clips["goes away"]
    assert not list((pipeline.folder / "artifacts").glob(f"*/{clips['goes away']}"))
    assert list((pipeline.folder / "artifacts").glob(f"*/{clips['stays here']}/loud/loud.txt"))

    with pipeline.catalogue.transaction() as connection:
        connection.execute("DELETE FROM forgotten")  # as an explicit ingest does
    assert pipeline.register("stays here", "goes away") == clips
    assert pipeline.status("checksum", clips) == {"stays here": DONE, "goes away": DONE}
    assert pipeline.status("report", clips) == {"stays here": DONE}
    pipeline.process(clips)
    assert pipeline.status("report", clips) == {"stays here": DONE, "goes away": DONE}


def test_a_failure_of_a_forgotten_clip_is_forgotten_with_its_run(pipeline: Pipeline, home: Home):
    clips = pipeline.register("bad to forget")
    run_id = pipeline.run(key=clips["bad to forget"], select=["words"]).run_id
    assert pipeline.status("words", clips) == {"bad to forget": FAILED}
    forget(pipeline, home, clips["bad to forget"])
    assert pipeline.status("words", clips) == {}
    assert pipeline.instance.get_run_by_id(run_id) is None


def test_nobody_is_told_of_a_clip_in_hand(pipeline: Pipeline, home: Home):
    clips = pipeline.register("held by a run", "begun by a run")
    held, begun = clips.values()
    assert home.in_hand([held, begun]) is None
    with ledger.claims(pipeline.catalogue, "words", [held]):
        assert home.in_hand([held]) == "a run"
        assert home.in_hand([begun]) is None
    run = pipeline.instance.create_run_for_job(
        pipeline.job(), tags={"dagster/partition": begun}, status=dg.DagsterRunStatus.STARTED
    )
    try:
        assert home.in_hand([begun]) == "a run that Dagster has begun or queued"
    finally:
        pipeline.instance.delete_run(run.run_id)


def test_cleaning_beside_an_ingest_takes_nothing_that_is_being_made(pipeline: Pipeline, home: Home):
    clips = complete(pipeline, *(f"number {count} beside" for count in range(12)))
    pipeline.preset = preset(loud={"marks": 2})  # made again while they count as complete
    is_over, looks = threading.Event(), []

    def clean() -> None:
        while not is_over.is_set():
            looks.append(home.clean(["orphans", "superseded"], AT_ONCE))

    cleaner = threading.Thread(target=clean)
    cleaner.start()
    try:
        pipeline.process(clips)
    finally:
        is_over.set()
        cleaner.join(60)
    assert len(looks) > 1
    assert set(pipeline.states(clips).values()) == {"done"}
    documents = ledger.documents(pipeline.catalogue, "loud", list(clips.values()))
    assert len(documents) == len(clips)
    for document in documents.values():
        made = pipeline.folder / "artifacts" / document.body["name"]
        assert made.read_text() == document.body["text"] == "NUMBER!!"


def test_old_runs_go_and_the_ui_still_tells_what_is_made(pipeline: Pipeline):
    clips = pipeline.register("an old run", "bad old run")
    made, bad = clips["an old run"], clips["bad old run"]
    held = pipeline.run(key=made).run_id
    failed = pipeline.run(key=bad, select=["words"]).run_id
    before = {asset: pipeline.status(asset, clips) for asset in ("words", "loud", "report")}
    lines = len(pipeline.instance.all_logs(held))

    assert run_history.prune(pipeline.instance, 3600).runs == 0, "not old yet"
    run_history.prune(pipeline.instance, 0, dry_run=True)
    assert len(pipeline.instance.all_logs(held)) == lines
    trimmed: list[str] = []
    assert run_history.prune(pipeline.instance, 0, on_gone=trimmed.append).events > 0
    assert {held, failed} <= ended(pipeline), "the UI tells from these how a partition stands"
    assert {held, failed} <= set(trimmed)
    assert len(pipeline.instance.all_logs(held)) < lines
    assert {asset: pipeline.status(asset, clips) for asset in before} == before
    assert before["words"] == {"an old run": DONE, "bad old run": FAILED}
    errors = [log for log in pipeline.instance.all_logs(failed) if log.dagster_event]
    assert any(log.get_dagster_event().is_step_failure for log in errors)

    again = pipeline.run(key=made).run_id
    run_history.prune(pipeline.instance, 0)
    assert held not in ended(pipeline), "nothing hangs on it any more"
    assert again in ended(pipeline)
    assert {asset: pipeline.status(asset, clips) for asset in before} == before


def test_the_job_cleans_up_and_tells_what_it_did(pipeline: Pipeline, home: Home):
    clips = complete(pipeline, "cleaned by a job")
    checksum = clips["cleaned by a job"]
    left = pipeline.folder / "artifacts" / checksum[:2] / checksum / "loud" / "left.bin"
    left.write_bytes(b"left over")
    log = load_settings().home / "logs" / "old.log"
    log.parent.mkdir()
    log.write_text("long ago")
    os.utime(log, (0, 0))

    def run(**config: object) -> dict[str, object]:
        fixed = dg.ResourceDefinition.hardcoded_resource(pipeline.catalogue)
        job = dg.Definitions(jobs=[cleanup_artifacts], resources={"catalogue": fixed})
        result = job.resolve_job_def("cleanup_artifacts").execute_in_process(
            instance=pipeline.instance, run_config={"ops": {"remove_unneeded": {"config": config}}}
        )
        assert result.success
        (output,) = [e for e in result.all_events if e.event_type_value == "STEP_OUTPUT"]
        return {name: value.value for name, value in output.step_output_data.metadata.items()}

    at_once = {"kinds": ["superseded", "logs"], "older_than_days": 0}
    assert run(**at_once, dry_run=True)["superseded_removed"] == 1
    assert left.exists()
    nightly = run()
    assert (nightly["superseded_removed"], nightly["superseded_waiting"]) == (0, 1)
    assert nightly["logs_removed"] == 1
    assert not log.exists()
    told = run(**at_once)
    assert (told["superseded_removed"], told["removed_bytes"]) == (1, 9)
    assert not left.exists()
    assert set(pipeline.states(clips).values()) == {"done"}
    with pytest.raises(ValueError, match="no kind 'everything'"):
        run(kinds=["everything"])


def test_registrations_of_a_deleted_account_go_with_the_next_clean_up(pipeline, home: Home):
    def registered(owner: str) -> str:
        config = {"ops": {"register_files": {"config": {"path": "/footage", "owner": owner}}}}
        return pipeline.instance.create_run_for_job(
            register_folder, run_config=config, status=dg.DagsterRunStatus.SUCCESS
        ).run_id

    theirs, ours = registered(str(uuid.uuid4())), registered("local")
    home.clean(["orphans"], {"orphans": 0.0}, dry_run=True)
    assert pipeline.instance.has_run(theirs)
    home.clean(["orphans"], {"orphans": 0.0})
    assert not pipeline.instance.has_run(theirs)
    assert pipeline.instance.has_run(ours)


def test_every_night_is_scheduled_and_can_be_loaded():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PydanticDeprecatedSince20)  # what Dagster itself does
        from video_assets.definitions import defs

        dg.Definitions.validate_loadable(defs)
    assert defs.resolve_job_def("cleanup_artifacts").name == "cleanup_artifacts"
    assert defs.resolve_schedule_def("cleanup_daily") is not None
    assert cleanup_daily.default_status is dg.DefaultScheduleStatus.RUNNING
    context = dg.build_schedule_context()
    assert cleanup_daily.evaluate_tick(context).run_requests


def test_an_age_is_for_the_kinds_that_are_named_else_for_files():
    settings = Cleanup(grace_days=7, keep_events_days=90)
    assert ages(settings, [], 0.0)["orphans"] == 0
    assert ages(settings, [], 0.0)["events"] == 90 * 86_400
    assert ages(settings, ["events"], 0.0)["events"] == 0
    assert ages(settings, ["events"], 0.0)["orphans"] == 7 * 86_400


@pytest.fixture
def shell(
    pipeline: Pipeline, home: Home, admin_url: str, embedded_server: EmbeddedServer
) -> Iterator[None]:
    """The command line on the same home."""
    url = pipeline.instance.event_log_storage.postgres_url  # type: ignore[attr-defined]
    with at_home(load_settings().home), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUPABASE_DB_URL", admin_url)
        patch.setenv("VIDEO_ASSETS_DAGSTER_URL", url)
        yield


@pytest.mark.usefixtures("shell")
def test_a_person_forgets_a_clip(pipeline: Pipeline):
    clips = pipeline.register("told to forget", "left in peace")
    pipeline.process(clips)
    name = "told_to_forget.mp4"
    assert "nobody is there to ask" in run_here("forget", name, code=2).stderr
    dry = run_here("forget", name, "--dry-run")
    assert "rows of clips" in dry.stdout
    assert "nothing was changed" in dry.stdout
    assert json.loads(run_here("forget", name, "--dry-run", "--json").stdout)["results"] == 4
    told = json.loads(run_here("forget", name, "--yes", "--json").stdout)
    assert (told["dry_run"], told["rows"]["clips"], told["only_here"]) == (False, 1, 1)
    assert "no clip is called" in run_here("forget", name, code=2).stderr
    assert pipeline.status("report", clips) == {"left in peace": DONE}
    assert (pipeline.folder / name).exists()


@pytest.mark.usefixtures("shell")
def test_a_clip_that_is_being_processed_is_not_forgotten(pipeline: Pipeline):
    clips = pipeline.register("busy clip")
    with ledger.claims(pipeline.catalogue, "words", list(clips.values())):
        assert "is being processed" in run_here("forget", "busy_clip.mp4", "--yes", code=2).stderr
    assert run_here("forget", "busy_clip.mp4", "--dry-run").exit_code == 0


@pytest.mark.usefixtures("shell")
def test_a_person_cleans_up(pipeline: Pipeline):
    clips = complete(pipeline, "cleaned by hand")
    checksum = clips["cleaned by hand"]
    left = pipeline.folder / "artifacts" / checksum[:2] / checksum / "strange" / "left.bin"
    left.parent.mkdir()
    left.write_bytes(b"left over")
    first = json.loads(run_here("cleanup", "--json").stdout)["kinds"]
    assert (first["orphans"]["removed"], first["orphans"]["waiting"]) == (0, 1)
    dry = run_here("cleanup", "--older-than", "0", "--dry-run")
    assert "strange/left.bin" in dry.stdout.replace("\n", "")
    assert left.exists()
    run_here("cleanup", "orphans", "--older-than", "0d")
    assert not left.exists()
    assert "is no age" in run_here("cleanup", "--older-than", "soon", code=2).stderr
    assert "runs" not in first, "reports go when they are named"
    for number in range(12):
        with pipeline.catalogue.transaction() as connection:
            connection.execute(
                """INSERT INTO runs (run_id, user_id, kind, preset, preset_document, host, status,
                                     started_at, ended_at)
                   SELECT %s, %s, 'ingest', 'default', '{}', 'host', 'completed', t, t
                     FROM (SELECT now() - make_interval(days => %s) AS t) AS t""",
                (f"run {number}", LOCAL_OWNER, number),
            )
    old = json.loads(run_here("cleanup", "runs", "--older-than", "11d", "--json").stdout)["kinds"]
    assert old["runs"]["names"] == ["run 11"]
    told = json.loads(run_here("cleanup", "runs", "--json").stdout)["kinds"]
    assert told["runs"]["names"] == ["run 10"]


@pytest.mark.usefixtures("shell")
def test_a_person_erases_an_owner(pipeline: Pipeline, admin_url: str):
    clips = pipeline.register("erased with all")
    pipeline.process(clips)
    assert "there is no owner" in run_here("erase", "nobody@example.org", code=2).stderr
    told = json.loads(run_here("erase", "local", "--dry-run", "--json").stdout)
    with psycopg.connect(admin_url) as connection:
        rows = connection.execute("SELECT file_checksum FROM clips").fetchall()
    run_here("erase", "local", "--yes")
    assert told["rows"]["clips"] == len(rows)
    assert {checksum for (checksum,) in rows} >= set(clips.values())
    # Other catalogues of these tests share the instance of Dagster.
    left = set(pipeline.instance.get_dynamic_partitions(CLIPS))
    assert left.isdisjoint(checksum for (checksum,) in rows)
    assert not list((pipeline.folder / "artifacts").glob("*/*/*"))
    with psycopg.connect(admin_url) as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM clips), (SELECT count(*) FROM results)"
        ).fetchone()
        assert counts == (0, 0)
    assert pipeline.register("begins anew")


def test_vectors_of_a_replaced_model_go_and_are_counted_once(pipeline: Pipeline, home: Home):
    with pipeline.catalogue.transaction() as connection:
        connection.execute(
            """INSERT INTO embedding_spaces (id, model, is_in_use, created_at)
               VALUES (1, 'old', false, '2026-01-01'), (2, 'new', true, '2026-02-01')"""
        )
    age_s = ages(Cleanup(), [], None)
    (waiting,) = home.clean(["vectors"], age_s)
    assert (waiting.kind, waiting.names) == ("vectors", [])
    (gone,) = home.clean(["vectors"], ages(Cleanup(), ["vectors"], 0.0))
    assert gone.names == ["old"]
    with pipeline.catalogue.transaction() as connection:
        rows = connection.execute(
            "SELECT target, removed_by FROM deletions WHERE kind = 'vectors'"
        ).fetchall()
        assert rows == [{"target": "old", "removed_by": "test"}]
        left = connection.execute("DELETE FROM embedding_spaces RETURNING model").fetchall()
    assert left == [{"model": "new"}]
