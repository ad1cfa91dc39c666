"""`monitor`: what is in work, and when following one clip ends."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger, runs
from video_assets_tests.interfaces.conftest import Shell
from video_assets_tests.shelf import LONG, MARKUP, Shelf, done, fail, register


def words(printed: str) -> str:
    """What was printed, without the spaces of its tables."""
    return " ".join(printed.split())


def age(admin_url: str, by: timedelta) -> None:
    """Let all that happened have happened earlier."""
    with psycopg.connect(admin_url) as connection:
        connection.execute('UPDATE processing_events SET "timestamp" = "timestamp" - %s', (by,))
        connection.execute("ALTER TABLE clips DISABLE TRIGGER clips_touch")
        connection.execute("UPDATE clips SET updated_at = updated_at - %s", (by,))
        connection.execute("ALTER TABLE clips ENABLE TRIGGER clips_touch")


def test_what_is_in_work_is_shown(shell: Shell):
    printed = shell("monitor")
    assert "Active Processing (6 videos)" in printed
    assert "neighbour" not in printed
    (line,) = (line for line in printed.splitlines() if MARKUP in line)
    assert re.search(r"███░{7} 33% +probe +error +\d+s ago", line)
    (line,) = (line for line in printed.splitlines() if "42.mp4" in line)
    assert re.search(r"██████░{4} 66% +thumbnails +processing", line)


def test_a_page_says_that_there_is_more(shell: Shell):
    assert "1 of 6; --limit 6 shows all" in shell("monitor", "--limit", "1")


def test_one_clip_is_shown_step_by_step(shell: Shell):
    printed = " ".join(shell("monitor", "--video", LONG).split())
    for fact in (
        "Status processing",
        "Current Step thumbnails",
        "Steps Completed 2/3",
        "probe 1.2 ✓",
        "thumbnails — ·",
        "Metadata ✓",
        "Thumbnails ✗",
        "Searchable ✗",
        "Transcript ✗",
    ):
        assert fact in printed


def test_a_running_step_is_shown_to_run(shell: Shell, filled: Shelf):
    checksums = [filled.checksums[LONG]]
    with ledger.claims(filled.catalogue, "thumbnails", checksums):
        ledger.log_starting(filled.catalogue, "thumbnails", checksums)
        assert "thumbnails Running... ⏳" in " ".join(shell("monitor", "-v", LONG).split())
        assert re.search(r"66% +thumbnails", shell("monitor"))


def test_following_ends_when_the_clip_is_complete(
    shell: Shell, filled: Shelf, pauses: Callable[..., list[float]]
):
    finish = lambda: done(  # noqa: E731
        filled, LONG, "thumbnails", {"thumbnails": [], "contact_sheet": None}
    )
    slept = pauses(lambda: None, finish)
    assert "Status           complete" in shell("monitor", "-v", LONG, "--follow")
    assert slept == [3.0, 3.0]


def test_following_a_failed_clip_ends_once_nothing_tries_again(
    shell: Shell, admin_url: str, pauses: Callable[..., list[float]]
):
    slept = pauses(lambda: None, lambda: age(admin_url, timedelta(minutes=2)))
    assert "failed" in shell("monitor", "-v", MARKUP, "--follow", code=1)
    assert len(slept) == 2


def test_a_step_says_what_it_waits_for_or_cannot_be_made_without(shell: Shell):
    assert "thumbnails — · cannot be made without probe" in words(shell("monitor", "-v", MARKUP))
    found = shell.json("monitor", "-v", "waiting.mp4")
    waits = {step["step"]: step["waits_for"] for step in found["steps"]}
    assert waits == {"checksum": [], "probe": [], "thumbnails": ["probe"]}


def test_every_attempt_is_shown_with_its_end(shell: Shell, filled: Shelf):
    ledger.log_starting(filled.catalogue, "probe", [filled.checksums[MARKUP]], "0123456789")
    fail(filled, MARKUP)
    printed = words(shell("monitor", "-v", MARKUP))
    assert "(2 attempts)" in printed
    assert printed.count("probe failed 0.5 run UndecodableError") == 2
    tried = shell.json("monitor", "-v", MARKUP)["attempts"]
    assert [(each["status"], each["seconds"]) for each in tried] == [("failed", 0.5)] * 2


def test_following_a_clip_that_vanishes_ends(
    shell: Shell, filled: Shelf, pauses: Callable[..., list[float]], tmp_path: Path
):
    (tmp_path / "vanishes.mp4").write_bytes(b"soon gone")
    register(filled.catalogue, LOCAL_OWNER, tmp_path)

    def vanish() -> None:
        with filled.catalogue.transaction() as connection:
            connection.execute("DELETE FROM clips WHERE file_name = 'vanishes.mp4'")

    pauses(vanish)
    printed = shell("monitor", "-v", "vanishes.mp4", "--follow", "--json", code=1)
    assert [json.loads(line)["state"] for line in printed.splitlines()] == ["waiting", "gone"]


def test_following_all_goes_on_until_stopped(shell: Shell, pauses: Callable[..., list[float]]):
    slept = pauses()
    assert "Active Processing" in shell("monitor", "-f")
    assert slept == [3.0]


def test_following_all_ends_once_all_is_done_or_failed(
    shell: Shell,
    filled: Shelf,
    pauses: Callable[..., list[float]],
    monkeypatch: pytest.MonkeyPatch,
):
    def finish() -> None:
        for name in (LONG, "waiting.mp4", "twin.mp4", "again/twin.mp4"):
            for step in ("probe", "thumbnails"):
                done(filled, name, step, {})

    slept = pauses(finish)
    monkeypatch.setattr("video_assets.interfaces.cli.monitor.SETTLED_S", 0.0)
    assert "Active Processing" in shell("monitor", "--follow", code=1)
    assert slept == [3.0]


def test_an_output_run_is_followed_until_it_has_ended(
    shell: Shell, filled: Shelf, pauses: Callable[..., list[float]]
):
    begin = lambda name: runs.begin(  # noqa: E731
        filled.catalogue, LOCAL_OWNER, "ingest", preset="default", preset_document={}, name=name
    )
    begin("other")
    record = begin("card")
    for name in ("complete.mov", MARKUP):
        record.take_in(filled.checksums[name], "new")
    record.flush()
    done(filled, "complete.mov", "probe", {})
    slept = pauses(lambda: record.end("completed"))
    lines = shell("monitor", "--run", "card", "--follow", "--json", code=1).splitlines()
    first, last = map(json.loads, lines)
    assert (first["run_id"], first["status"], last["status"]) == (
        record.run_id,
        "active",
        "completed",
    )
    assert (last["clips"], last["clips_failed"], last["cells"], last["cells_done"]) == (2, 1, 6, 4)
    assert last["steps"][0]["step"] == "probe"
    assert slept == [3.0]
    printed = words(shell("monitor", "--run", record.run_id))
    assert "Status completed What preset default Clips 2 clips, 1 failed" in printed
    assert "4 of 6 steps" in printed
    assert shell("monitor", "--run", "latest") == shell("monitor", "--run", "card")


def test_a_run_that_is_not_there_or_not_the_only_one_is_told(shell: Shell):
    assert "no run is called nothing" in shell.error("monitor", "--run", "nothing")
    assert "not both" in shell.error("monitor", "--run", "x", "-v", "y")


def test_a_clip_of_nobody_is_said_to_be_unknown(shell: Shell):
    assert "no clip is called neighbour.mp4" in shell.error("monitor", "-v", "neighbour.mp4")


@pytest.mark.parametrize("options", [[], ["--follow"]])
def test_without_a_catalogue_nothing_is_in_work(bare_shell: Shell, settings, options: list[str]):
    assert "No videos currently processing" in bare_shell("monitor", *options)
    assert "no catalogue yet" in bare_shell.error("monitor", "-v", "x.mp4")
    assert not settings.home.exists()
