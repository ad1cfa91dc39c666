"""Whose turn it is, and what a tick of `reconcile` costs when nothing has changed."""

import uuid

import dagster as dg
import psycopg
import pytest

from video_assets.automation import due, reconcile
from video_assets.automation.plan import plan_of
from video_assets.media.discovery import discover
from video_assets.resources import PRESET_TAG
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger
from video_assets.storage.ledger import PlannedAsset
from video_assets.storage.registration import Registrar
from video_assets_tests.automation.conftest import Pipeline
from video_assets_tests.automation.test_reconcile import keys_of, requests


def find(pipeline: Pipeline, *, taken: tuple[str, ...] = (), at_most: int = 1000) -> list[due.Due]:
    plans = {"": plan_of(pipeline.preset)}
    return due.find_due(pipeline.catalogue, plans, taken, at_most=at_most)


def plan(pipeline: Pipeline, checksum: str, preset: str, owner: uuid.UUID = LOCAL_OWNER) -> None:
    """Let a clip go by a preset."""
    ledger.plan_clips(pipeline.catalogue, owner, [checksum], preset, ["checksum", "probe"])


def pass_a_minute(pipeline: Pipeline) -> None:
    """Let every result be older than what may still be in a transaction."""
    with pipeline.catalogue.transaction() as connection:
        connection.execute("UPDATE results SET measured_at = measured_at - interval '2 minutes'")


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many clips were looked at, each time anybody looked."""
    seen: list[int] = []
    cells = ledger.cells

    def count(catalogue, plan, checksums=None, **kwargs):
        seen.append(len(checksums or ()))
        return cells(catalogue, plan, checksums, **kwargs)

    monkeypatch.setattr(ledger, "cells", count)
    return seen


def test_an_owner_with_many_clips_does_not_starve_one_with_few(
    pipeline: Pipeline, admin_url: str
) -> None:
    few = uuid.uuid4()
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, 'c@example.org')", (few,)
        )
    pipeline.register(*(f"many clips {number}" for number in range(12)))
    folder = pipeline.folder / "few"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.mp4").write_text(f"few clips {number}")
    registrar = Registrar(pipeline.catalogue, few, "blake3")
    theirs = {file.checksum for file in registrar.register(discover([folder]).candidates)}

    first = {each.checksum for each in find(pipeline, at_most=6)}
    assert theirs < first
    assert len(first) == 6


def test_a_complete_clip_is_looked_at_again_only_when_it_has_changed(
    pipeline: Pipeline, looked_at: list[int]
) -> None:
    clips = pipeline.register("settle one", "settle two")
    with pipeline.catalogue.transaction() as connection:
        connection.execute(
            "DELETE FROM clips WHERE file_checksum <> ALL (%s)", (list(clips.values()),)
        )
    pipeline.process(clips)
    pass_a_minute(pipeline)
    looked_at.clear()
    assert find(pipeline) == []
    assert looked_at == [2]
    assert find(pipeline) == []
    assert looked_at == [2], "nobody looks again at what is settled"

    pipeline.run(key=clips["settle two"], select=["loud"])
    looked_at.clear()
    assert find(pipeline) == []
    assert looked_at == [1], "a result changed"

    pass_a_minute(pipeline)
    find(pipeline)
    looked_at.clear()
    planned = plan_of(pipeline.preset)
    newer = [*planned[:-1], PlannedAsset("report", 3, "2", "", ("words",), ("loud", "words"))]
    found = due.find_due(pipeline.catalogue, {"": newer}, (), at_most=1000)
    assert {each.checksum for each in found} == set(clips.values()), "the plan changed"


def test_a_clip_is_requested_by_the_preset_that_it_goes_by(pipeline: Pipeline) -> None:
    clips = pipeline.register("goes fast")
    plan(pipeline, clips["goes fast"], "fast")
    asked = [r for r in requests(pipeline) if clips["goes fast"] in keys_of(pipeline, r)]
    (request,) = asked
    assert request.tags[PRESET_TAG] == "fast"
    assert dg.AssetKey("probe") in (request.asset_selection or ())
    assert dg.AssetKey("proxy") not in (request.asset_selection or ())


def test_one_owner_s_ingest_changes_nobody_else_s_plan(pipeline: Pipeline) -> None:
    clips = pipeline.register("shared clip")
    plan(pipeline, clips["shared clip"], "fast", uuid.uuid4())
    (request,) = [r for r in requests(pipeline) if clips["shared clip"] in keys_of(pipeline, r)]
    assert request.tags[PRESET_TAG] == pipeline.preset.name


def test_a_clip_of_a_preset_that_is_gone_stops_no_other(pipeline: Pipeline) -> None:
    clips = pipeline.register("preset gone", "preset there")
    plan(pipeline, clips["preset gone"], "gone")
    asked = {key for request in requests(pipeline) for key in keys_of(pipeline, request)}
    assert clips["preset there"] in asked
    assert clips["preset gone"] not in asked


def test_no_more_is_requested_than_the_lanes_can_chew(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.register("too much")
    monkeypatch.setattr(reconcile, "RUNS_PER_TICK", 1)
    assert len(requests(pipeline)) == 1
    run = pipeline.instance.create_run_for_job(
        pipeline.job(),
        tags={reconcile.SENSOR_TAG: "reconcile"},
        status=dg.DagsterRunStatus.STARTED,
    )
    try:
        assert requests(pipeline) == []
    finally:
        pipeline.instance.delete_run(run.run_id)


def test_urgent_steps_are_requested_first(pipeline: Pipeline) -> None:
    clips = pipeline.register("urgent one", "patient one")
    steps = [
        step.model_copy(update={"priority": 10 if step.name == "words" else 90})
        for step in pipeline.preset.steps
    ]
    pipeline.preset = pipeline.preset.model_copy(update={"steps": tuple(steps)})
    pipeline.run(key=clips["patient one"], select=["words"])
    asked = requests(pipeline)
    place = {key: n for n, request in enumerate(asked) for key in keys_of(pipeline, request)}
    assert place[clips["urgent one"]] < place[clips["patient one"]]
    assert asked[place[clips["urgent one"]]].tags["dagster/priority"] == "40"
