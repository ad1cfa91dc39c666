"""The watch-folder sensor: it takes no file too early and none too often, and forgets none."""

import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from video_assets.automation import watch_folders as sensor
from video_assets.automation.patience import within
from video_assets.automation.register_folder import register_folder
from video_assets.media import discovery
from video_assets.media.errors import UnreadableError
from video_assets.resources import PRESET_TAG
from video_assets.settings import LOCAL_OWNER
from video_assets.storage import registration, runs
from video_assets_tests.automation.conftest import Pipeline

Watch = Callable[..., Path]


def look(pipeline: Pipeline, cursor: str | None) -> tuple[list[dg.RunRequest], str | None, str]:
    """One tick of the sensor: requests, its cursor, what it said."""
    context = dg.build_sensor_context(
        instance=pipeline.instance, cursor=cursor, resources={"catalogue": pipeline.catalogue}
    )
    tick = sensor.watch_folders.evaluate_tick(context)
    return list(tick.run_requests or []), tick.cursor, tick.skip_message or ""


def run(pipeline: Pipeline, request: dg.RunRequest) -> dict[str, dg.MetadataValue]:
    """Run what the sensor requested, and give the numbers that the run reports."""
    fixed = dg.ResourceDefinition.hardcoded_resource
    result = register_folder.execute_in_process(
        instance=pipeline.instance,
        run_config=dict(request.run_config),
        tags=dict(request.tags),
        resources={"catalogue": fixed(pipeline.catalogue), "preset": fixed(pipeline.preset)},
    )
    (output,) = [event for event in result.all_events if event.is_successful_output]
    return dict(output.step_output_data.metadata)


def put(path: Path, text: str) -> Path:
    """Write a file that nobody has touched for a while."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=a_minute_ago())
    return path


def a_minute_ago() -> tuple[int, int]:
    """Count from now, not from the import: an hour later even a hollow file is taken."""
    moment_ns = time.time_ns() - 60 * 10**9
    return moment_ns, moment_ns


@pytest.fixture
def watch(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Watches a folder, with further lines for the settings file."""
    home = Path(os.environ["VIDEO_ASSETS_HOME"])
    home.mkdir()
    monkeypatch.setattr("video_assets.media.at_rest.QUIET_S", 0.5)
    monkeypatch.setattr(sensor, "BUSY_FRACTION", math.inf)  # a slow look puts off no other here

    def watch(*lines: str, name: str = "watched") -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        with (home / "settings.toml").open("a") as file:
            file.write("\n".join(["[[watch]]", f'path = "{folder}"', *lines, ""]))
        return folder

    return watch


def test_a_new_file_is_registered_once_it_is_at_rest(
    pipeline: Pipeline, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensor, "ASKED_AGAIN_S", 10**12)  # the key holds its hour
    folder = watch()
    file = put(folder / "growing.mp4", "growing")
    asked, cursor, said = look(pipeline, None)
    assert not asked
    assert "1 new files still being written" in said
    put(file, "growing more")
    asked, cursor, _ = look(pipeline, cursor)
    assert not asked, "it changed between two looks"
    (request,), cursor, _ = look(pipeline, cursor)
    assert request.run_config["ops"]["register_files"]["config"]["path"] == str(folder)
    (again,), cursor, _ = look(pipeline, cursor)
    assert again.run_key == request.run_key, "the key stops a second run"
    assert run(pipeline, request)["new"].value == 1
    assert "new" not in run(pipeline, request)  # which is no run to tell of
    (made,), _ = runs.list_runs(pipeline.catalogue, LOCAL_OWNER, named="watched")
    assert (made.kind, made.status, made.clips, made.new) == ("watch", "active", 1, 1)
    assert made.roots == [str(folder)]
    asked, _, said = look(pipeline, cursor)
    assert not asked
    assert "0 new files" in said


def test_the_run_itself_leaves_alone_what_is_still_written(
    pipeline: Pipeline, watch: Watch
) -> None:
    folder = watch()
    put(folder / "whole.mp4", "whole since long")
    put(folder / "copied.mp4", "begun" + "\0" * 100_000)
    with (folder / "recorded.mp4").open("w") as writer:
        writer.write("recorded for hours")
        writer.flush()
        os.utime(writer.fileno(), ns=a_minute_ago())
        _, cursor, _ = look(pipeline, None)
        (request,), _, _ = look(pipeline, cursor)
        told = run(pipeline, request)
    assert (told["new"].value, told["still_written"].value) == (1, 2)


def test_a_folder_that_is_not_there_says_so_and_what_was_seen_is_kept(
    pipeline: Pipeline, watch: Watch
) -> None:
    folder = watch()
    put(folder / "seen.mp4", "seen before the drive went away")
    _, cursor, _ = look(pipeline, None)
    folder.rename(folder.with_name("unplugged"))
    asked, cursor, said = look(pipeline, cursor)
    assert not asked
    assert "nothing was changed" in said
    folder.with_name("unplugged").rename(folder)
    asked, _, _ = look(pipeline, cursor)
    assert len(asked) == 1


def test_a_file_that_cannot_be_read_is_not_asked_for_again_and_again(
    pipeline: Pipeline, watch: Watch
) -> None:
    folder = watch()
    put(folder / "bad.mp4", "a bad one")
    _, cursor, _ = look(pipeline, None)
    (request,), cursor, _ = look(pipeline, cursor)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registration, "hash_file", _fails)
        assert run(pipeline, request)["unreadable"].value == 1
    put(folder / "good.mp4", "a good one beside it")
    _, cursor, said = look(pipeline, cursor)
    assert "1 new files" in said, "the bad one has its next turn in an hour"
    (request,), _, _ = look(pipeline, cursor)
    assert run(pipeline, request)["new"].value == 2, "a run is worth another attempt"


def _fails(*_: object, **__: object) -> None:
    raise UnreadableError("the drive fails half way")


def test_a_burst_is_seen_with_a_small_cursor_and_registered_whole(
    pipeline: Pipeline, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensor, "LOOKS", 5)
    folder = watch()
    for number in range(30):
        put(folder / f"{number:02}.mp4", f"clip {number} of a burst")
    _, cursor, said = look(pipeline, None)
    assert "5 new files still being written" in said
    (request,), cursor, _ = look(pipeline, cursor)
    assert len(cursor or "") < 600
    assert run(pipeline, request)["new"].value == 30


def test_a_long_look_goes_on_in_the_next_tick_and_misses_nothing(
    pipeline: Pipeline, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = watch()
    files = [put(folder / f"{n % 3}" / f"{n}.mp4", f"clip {n} of a long look") for n in range(12)]
    _, cursor, _ = look(pipeline, None)
    asked, cursor, _ = look(pipeline, cursor)
    assert run(pipeline, asked[0])["new"].value == 12
    files[7].unlink()
    late = put(folder / "1" / "late.mp4", "late in a long look")
    parts = discovery.discover_in_parts
    monkeypatch.setattr(
        sensor, "discover_in_parts", lambda *args, **named: parts(*args, **named, entries=4)
    )
    monkeypatch.setattr(sensor, "LOOK_S", 0.0)
    asked, said, ticks = [], "", 0
    while not asked and ticks < 20:
        asked, cursor, said = look(pipeline, cursor)
        ticks += 1
        assert "goes on in the next tick" in said or asked or "0 files" in said
    assert 5 < ticks < 20, "15 files and 3 folders in parts of four, looked at twice"
    assert run(pipeline, asked[0])["new"].value == 1
    with pipeline.catalogue.transaction() as connection:
        rows = connection.execute(
            "SELECT path FROM clip_locations WHERE missing_at IS NOT NULL AND path LIKE %s",
            (f"{folder}/%",),
        ).fetchall()
    assert [row["path"] for row in rows] == [str(files[7])]
    assert late.exists()


def test_the_more_a_look_costs_the_rarer_it_is(
    pipeline: Pipeline, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch()
    monkeypatch.setattr(sensor, "BUSY_FRACTION", 1e-6)
    _, cursor, _ = look(pipeline, None)
    _, _, said = look(pipeline, cursor)
    assert "the next look is due in" in said


def test_a_file_system_that_does_not_answer_holds_up_no_other_folder(
    pipeline: Pipeline, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = watch(name="dead")
    put(watch(name="living") / "a.mp4", "beside a dead mount")
    answers, asked_of = threading.Event(), list[Path]()
    real = sensor.look

    def hanging(catalogue, folder, memory, seconds):
        asked_of.append(folder.path)
        if folder.path == dead:
            answers.wait(120)
        return real(catalogue, folder, memory, seconds)

    monkeypatch.setattr(sensor, "look", hanging)
    monkeypatch.setattr(sensor, "LOOK_S", 0.2)
    monkeypatch.setattr(sensor, "HANGS_S", 0.2)
    try:
        _, cursor, said = look(pipeline, None)
        assert "the file system does not answer; nothing was changed" in said
        monkeypatch.setattr(sensor, "HANGS_S", 20.0)
        # On a busy machine the living one may not have answered the first time either.
        asked, deadline = [], time.monotonic() + 60
        while not asked and time.monotonic() < deadline:
            asked, cursor, _ = look(pipeline, cursor)
        assert len(asked) == 1
        assert asked_of.count(dead) == 1, "one thread hangs, however many ticks there are"
    finally:
        answers.set()


def test_what_goes_wrong_in_time_goes_wrong_here() -> None:
    with pytest.raises(ZeroDivisionError):
        within(5, "a question", lambda: 1 / 0)
    assert within(5, "a question", lambda: 42) == 42


def test_a_folder_names_preset_owner_and_what_is_left_out(
    pipeline: Pipeline, watch: Watch, admin_url: str
) -> None:
    owner = "8a0ff5a0-5f43-4a5e-9d3c-0d4f5f0b1c11"
    folder = watch('preset = "fast"', f'owner = "{owner}"', 'ignore = ["Proxies/"]')
    put(folder / "a.mp4", "of another owner")
    put(folder / "Proxies" / "a.mp4", "left out")
    asked, cursor, said = look(pipeline, None)
    assert (asked, f"owner {owner} has no account" in said) == ([], True)
    with psycopg.connect(admin_url) as connection:
        connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (owner,))
    _, cursor, said = look(pipeline, cursor)
    assert "1 new files" in said
    (request,), _, _ = look(pipeline, cursor)
    assert request.tags[PRESET_TAG] == "fast"
    config = request.run_config["ops"]["register_files"]["config"]
    assert (config["owner"], config["ignore"]) == (owner, ["Proxies/"])


def test_a_preset_that_is_not_there_stops_its_folder_alone(
    pipeline: Pipeline, watch: Watch
) -> None:
    put(watch('preset = "fats"', name="wrong") / "a.mp4", "by a wrong preset")
    put(watch(name="right") / "a.mp4", "by the right preset")
    _, cursor, said = look(pipeline, None)
    assert "did you mean fast?" in said
    asked, _, _ = look(pipeline, cursor)
    assert len(asked) == 1


def test_new_clips_go_by_the_preset_of_their_run(pipeline: Pipeline, watch: Watch) -> None:
    put(watch() / "a.mp4", "goes by a preset")
    _, cursor, _ = look(pipeline, None)
    (request,), _, _ = look(pipeline, cursor)
    run(pipeline, request)
    with pipeline.catalogue.transaction() as connection:
        row = connection.execute(
            "SELECT c.preset, c.planned_steps, c.total_steps FROM clips c"
            "  JOIN clip_locations l ON l.clip_id = c.id WHERE l.path LIKE %s",
            (f"{pipeline.folder}/watched/%",),
        ).fetchone()
    assert row is not None
    assert row["preset"] == "test"
    assert set(row["planned_steps"]) == {"checksum", "words", "loud", "report"}
    assert row["total_steps"] == 4


def test_our_own_files_are_never_watched(pipeline: Pipeline, watch: Watch) -> None:
    watch(name=".")
    put(Path(os.environ["VIDEO_ASSETS_HOME"]) / "artifacts" / "proxy.mp4", "our own proxy")
    _, _, said = look(pipeline, None)
    assert "0 new files" in said


def test_a_cursor_of_another_release_is_begun_anew(pipeline: Pipeline, watch: Watch) -> None:
    put(watch() / "a.mp4", "after an update")
    asked, cursor, _ = look(pipeline, '{"/watched": {"6161": [1, 2]}}')
    assert not asked
    assert len(look(pipeline, cursor)[0]) == 1
