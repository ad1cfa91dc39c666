"""The state of every cell, and backfills that make exactly the cells that were chosen."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from video_assets.analyzer import ANALYZERS
from video_assets.automation.backfills import backfill_cells, request_backfill
from video_assets.automation.choice import LACKING, Choice, choose
from video_assets.automation.in_progress import cells_in_progress
from video_assets.automation.plan import plan_of
from video_assets.partitions import RANGE_END, RANGE_START
from video_assets.storage import ledger
from video_assets_tests.automation.conftest import QUIET, Pipeline, preset


@contextmanager
def raised(asset: str) -> Iterator[None]:
    """Raise an asset's code version, whose results stay what they are."""
    analyzer = ANALYZERS[asset]
    before = analyzer.code_version
    object.__setattr__(analyzer, "code_version", "2")
    try:
        yield
    finally:
        object.__setattr__(analyzer, "code_version", before)


def chosen(pipeline: Pipeline, clips: dict[str, str], *kinds: str, **wishes: object) -> Choice:
    """What a backfill of these clips would make."""
    plan = plan_of(pipeline.preset)
    cells = ledger.cells(pipeline.catalogue, plan, list(clips.values()), states=LACKING)
    return choose(cells, plan, kinds, **wishes)  # type: ignore[arg-type]


def reasons(choice: Choice) -> list[tuple[str, str]]:
    return [(each.cell.asset, each.reason) for each in choice.chosen]


def backfill(pipeline: Pipeline, **config: object) -> dict[str, dg.ExecuteInProcessResult]:
    """Do what the UI does: run the job, and then what its sensor requests; runs by their assets."""
    given = {"ops": {"choose_cells": {"config": {"dry_run": False, **config}}}}
    result = backfill_cells.execute_in_process(
        instance=pipeline.instance,
        run_config={**given, **QUIET},
        resources={"catalogue": pipeline.catalogue, "preset": pipeline.preset},
    )
    context = dg.build_run_status_sensor_context(
        sensor_name="request_backfill",
        dagster_event=result.get_run_success_event(),
        dagster_instance=pipeline.instance,
        dagster_run=result.dagster_run,
        resources={"catalogue": pipeline.catalogue, "preset": pipeline.preset},
    )
    done = {}
    for request in request_backfill(context):  # type: ignore[union-attr]
        if isinstance(request, dg.RunRequest):
            assets = request.asset_selection or ()
            done[" ".join(key.to_user_string() for key in assets)] = (
                pipeline.job().execute_in_process(
                    instance=pipeline.instance,
                    tags=request.tags,
                    asset_selection=assets,
                    run_config=QUIET,
                )
            )
    return done


def attempts(pipeline: Pipeline, clips: dict[str, str]) -> dict[tuple[str, str], int]:
    """How often each cell was made, by text and asset."""
    return {
        (text, asset): entry.attempts
        for asset in ("words", "loud", "report")
        for text, checksum in clips.items()
        for entry in ledger.entries(pipeline.catalogue, asset, [checksum]).values()
    }


def pretend_older_words(pipeline: Pipeline, checksum: str) -> None:
    """Let the old code have found other words in a clip, which the assets after it have read."""
    with pipeline.catalogue.transaction() as connection:
        connection.execute(
            """UPDATE results SET input_fingerprint = replace(input_fingerprint,
                      (SELECT result_digest FROM results
                        WHERE file_checksum = %(clip)s AND asset = 'words'), 'older')
                WHERE file_checksum = %(clip)s AND asset IN ('loud', 'report')""",
            {"clip": checksum},
        )
        connection.execute(
            """UPDATE results SET result_digest = 'older'
                WHERE file_checksum = %s AND asset = 'words'""",
            (checksum,),
        )


def test_a_raised_code_version_remakes_its_cells_and_what_really_changed(pipeline: Pipeline):
    clips = pipeline.register("raised same", "raised other", "raised too")
    pipeline.process(clips)
    pretend_older_words(pipeline, clips["raised other"])
    with raised("words"):
        choice = chosen(pipeline, clips, "stale")
        assert reasons(choice) == [("words", "code 1 -> 2")] * 3
        assert set(choice.followers.values()) == {("loud", "report")}
        assert list(backfill(pipeline, kinds=["stale"], where="file_name~raised_")) == [
            "loud report words"
        ]
        assert attempts(pipeline, clips) == {
            ("raised same", "words"): 2,
            ("raised other", "words"): 2,
            ("raised too", "words"): 2,
            ("raised same", "loud"): 1,
            ("raised other", "loud"): 2,
            ("raised too", "loud"): 1,
            ("raised same", "report"): 1,
            ("raised other", "report"): 2,
            ("raised too", "report"): 1,
        }
        assert not chosen(pipeline, clips, "missing", "stale", "failed").chosen


def test_a_changed_asset_never_makes_stale_what_does_not_read_it(pipeline: Pipeline):
    clips = pipeline.register("captioned clip")
    pipeline.process(clips)
    with raised("loud"):
        choice = chosen(pipeline, clips, "stale")
        assert reasons(choice) == [("loud", "code 1 -> 2")]
        assert list(choice.followers.values()) == [("report",)]


def test_every_stale_cell_says_why(pipeline: Pipeline):
    clips = pipeline.register("why one")
    pipeline.process(clips)
    with pipeline.catalogue.transaction() as connection:
        connection.execute("UPDATE results SET result_digest = 'new' WHERE asset = 'words'")
    pipeline.preset = preset(loud={"marks": 4})

    assert reasons(chosen(pipeline, clips, "stale")) == [
        ("loud", "settings changed, input words changed"),
        ("report", "input words changed"),
    ]


def test_a_backfill_makes_one_kind_of_cells_and_no_other(pipeline: Pipeline):
    clips = pipeline.register("kinds one", "kinds bad one", "bad kinds")
    pipeline.process({"one": clips["kinds one"], "bad": clips["bad kinds"]})
    pipeline.preset = preset(loud={"marks": 2})
    runs = backfill(pipeline, kinds=["stale"], where="file_name~kinds")

    assert list(runs) == ["loud report"]
    made = {text for text, _ in attempts(pipeline, clips)}
    assert made == {"kinds one", "bad kinds"}, "the clip that nobody asked for stays as it is"


def test_what_failed_for_good_is_tried_again_when_asked_for(pipeline: Pipeline):
    clips = pipeline.register("bad forever")
    pipeline.process(clips)
    missing = chosen(pipeline, clips, "missing", "stale")
    assert [(each.cell.asset, each.reason) for each in missing.left] == [
        ("loud", "waits for words, which failed"),
        ("report", "waits for words, which failed"),
    ]
    assert not missing.chosen
    assert reasons(chosen(pipeline, clips, "failed")) == [
        ("words", "failed: UndecodableError (file)")
    ]
    assert list(backfill(pipeline, kinds=["failed"], where="file_name~bad_forever")) == ["words"]
    assert attempts(pipeline, clips) == {("bad forever", "words"): 1}


def test_one_asset_brings_what_it_needs_and_nothing_after_it(pipeline: Pipeline):
    clips = pipeline.register("needs words")
    config = {"assets": ["loud"], "where": "file_name=needs_words.mp4"}
    assert not backfill(pipeline, dry_run=True, **config)
    assert not attempts(pipeline, clips)
    assert list(backfill(pipeline, **config)) == ["loud words"]
    assert {asset for _, asset in attempts(pipeline, clips)} == {"words", "loud"}


def test_what_is_running_or_queued_is_told_apart_and_left_alone(pipeline: Pipeline):
    clips = pipeline.register("at work")
    with ledger.claims(pipeline.catalogue, "words", list(clips.values())):
        choice = chosen(pipeline, clips, "missing")
        assert [(each.cell.asset, each.reason) for each in choice.left] == [
            ("words", "running"),
            ("loud", "waits for words, which is running"),
            ("report", "waits for words, which is running"),
        ]
        assert not choice.chosen
    first, last = pipeline.span(clips)
    run = pipeline.instance.create_run_for_job(
        pipeline.job(),
        tags={RANGE_START: first, RANGE_END: last},
        asset_selection={dg.AssetKey("words")},
        status=dg.DagsterRunStatus.STARTED,
    )
    try:
        queued = cells_in_progress(pipeline.instance)
        assert queued == {(clips["at work"], "words")}
        left = chosen(pipeline, clips, "missing", queued=queued).left
        assert ("words", "queued") in [(each.cell.asset, each.reason) for each in left]
    finally:
        pipeline.instance.delete_run(run.run_id)


def test_a_limit_counts_clips(pipeline: Pipeline):
    clips = pipeline.register("limit one", "limit two", "limit three")
    assert len(chosen(pipeline, clips, "missing", limit=2).checksums) == 2
