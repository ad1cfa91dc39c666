"""`status`: the counts are those of the owner, and of the moment."""

from collections.abc import Callable

import pytest

from video_assets.settings import Settings
from video_assets.slots import Slots
from video_assets.storage import ledger
from video_assets.storage.counts import Counts, StepCounts
from video_assets.storage.pace import Lately, pace_of
from video_assets_tests.interfaces.conftest import Shell
from video_assets_tests.shelf import Shelf


def test_clips_and_steps_are_counted_for_the_owner(shell: Shell):
    found = shell.json("status")
    assert found["clips"] == {
        "total": 6,
        "complete": 1,
        "processing": 1,
        "failed": 1,
        "waiting": 3,
        "missing": 0,
    }
    assert found["unreadable_files"] == 1
    assert [tuple(step.values()) for step in found["steps"]] == [
        ("checksum", 6, 0, 0, 0, 0),
        ("probe", 2, 1, 0, 3, 0),
        ("thumbnails", 1, 0, 0, 4, 1),
    ]


def test_a_step_runs_while_a_run_holds_it(shell: Shell, filled: Shelf):
    checksums = [filled.checksums["waiting.mp4"], filled.checksums["neighbour.mp4"]]

    def running() -> int:
        return shell.json("status")["steps"][1]["running"]

    with ledger.claims(filled.catalogue, "probe", checksums):
        assert running() == 0, "claimed, but not begun"
        ledger.log_starting(filled.catalogue, "probe", checksums)
        assert running() == 1, "and not the neighbour's"
    assert running() == 0, "its run is gone, so it does not run for ever"
    assert shell.json("status")["clips"]["processing"] == 2


def test_failures_are_counted_by_cause_with_the_command_to_look(shell: Shell):
    assert shell.json("status")["causes"] == [
        {"step": "probe", "fault": "file", "error_class": "UndecodableError", "clips": 1}
    ]
    (line,) = (line for line in shell("status").splitlines() if "Undecodable" in line)
    assert line.split("  ")[-1] == "video-assets failures --asset probe"


def test_runs_and_lanes_are_shown(shell: Shell, settings: Settings):
    assert "Job Queue Status" in shell("status")
    assert "Lanes: all idle" in shell("status")
    slots = Slots(settings.home / "lanes" / "default", 4, priority=50)
    assert slots.take()
    (line,) = (line for line in shell("status").splitlines() if line.startswith("default"))
    slots.close()
    assert line.split() == ["default", "4", "1", "0"]


def lately(step: str, made: int, seconds: float, *, within_s: float = 60) -> Lately:
    return Lately(step, made, seconds, within_s, 1.0)


def test_what_is_left_is_weighed_by_what_each_step_takes():
    counts = Counts(
        {"complete": 0, "processing": 10, "failed": 0, "waiting": 0},
        0,
        [StepCounts("probe", 10, 0, 0, 0, 0), StepCounts("proxy", 5, 0, 1, 4, 0)],
    )
    # A minute of work: ten probes took 5 s, five proxies 55 s; five proxies are left.
    found = pace_of([lately("probe", 10, 5.0), lately("proxy", 5, 55.0)], counts)
    assert (found.results, found.results_per_min, found.clips_per_min) == (15, 15, 7.5)
    assert found.left_s == pytest.approx(55)
    assert pace_of([], counts).left_s is None
    assert pace_of([lately("probe", 10, 0.0)], counts).left_s is None


def test_the_place_is_told_without_the_password(shell: Shell):
    printed = shell("status")
    assert "Database: 127.0.0.1:" in printed
    assert "@" not in printed
    assert "unreadable files" in printed


def test_watching_goes_on_until_stopped(shell: Shell, pauses: Callable[..., list[float]]):
    slept = pauses(lambda: None)
    assert "complete" in shell("status", "--watch")
    assert slept == [2.0, 2.0]


def test_without_a_catalogue_nothing_is_counted(bare_shell: Shell, settings):
    found = bare_shell.json("status")
    assert found["clips"]["total"] == 0
    assert found["database"] is None
    assert "no catalogue yet" in bare_shell("status")
    assert not settings.home.exists()
