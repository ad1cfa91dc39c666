"""`failures` and `stale` on the catalogue of two owners."""

import pytest

from video_assets_tests.interfaces.conftest import Shell
from video_assets_tests.shelf import Shelf


def test_failures_are_grouped_by_cause_with_what_to_do(shell: Shell):
    (cause,) = shell.json("failures")["failures"]
    assert (cause["asset"], cause["fault"], cause["clips"]) == ("probe", "file", 1)
    assert cause["examples"][0].endswith("[red]x.mp4")
    assert cause["again"].startswith("yes: ")
    assert "settings changed" in cause["again"], "a result by other settings is made again anyway"
    assert "copy the file" in cause["advice"]


def test_what_failed_at_another_owner_s_is_not_told(shell: Shell):
    assert "neighbour" not in shell("failures")


def test_failures_of_another_class_are_not_shown(shell: Shell):
    assert "Nothing has failed." in shell("failures", "--class", "network")
    assert "known: file, ours" in shell.error("failures", "--class", "weather")


def test_two_clips_that_fail_alike_are_one_cause(shell: Shell, filled: Shelf):
    with filled.catalogue.transaction() as connection:
        connection.execute(
            """UPDATE results SET status = 'failed', result = NULL, result_digest = NULL,
                      error_class = 'UndecodableError', error = 'no ' || 7 || ' frames in 2.5 s',
                      fault = 'file'
                WHERE asset = 'probe' AND file_checksum = %s""",
            (filled.checksums["complete.mov"],),
        )
        connection.execute(
            """UPDATE results SET error = 'no 81 frames in 13 s'
                WHERE asset = 'probe' AND file_checksum = %s""",
            (filled.checksums["[red]x.mp4"],),
        )
    (cause,) = shell.json("failures")["failures"]
    assert cause["clips"] == 2


def test_stale_results_are_listed_with_their_reasons(shell: Shell):
    told = shell.json("stale", "--asset", "thumbnails")
    (cell,) = told["stale"]
    assert cell["asset"] == "thumbnails"
    assert "settings changed" in cell["reasons"]


@pytest.mark.parametrize("command", ["stale", "failures"])
def test_without_a_catalogue_there_is_nothing_to_list(bare_shell: Shell, command: str):
    assert "no catalogue yet" in bare_shell(command)


def test_a_backfill_that_means_nothing_is_refused(shell: Shell):
    assert "did you mean duration?" in shell.error("backfill", "--where", "durration>5")
    assert "did you mean thumbnails?" in shell.error("backfill", "--asset", "thumbnail")
