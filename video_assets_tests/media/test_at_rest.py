"""Files at rest: none is taken while somebody writes it."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from video_assets.media import at_rest
from video_assets.media.discovery import Candidate, discover


def put(path: Path, data: bytes = b"picture", *, mtime_ns: int | None = None) -> Candidate:
    """Write a file that nobody has touched for a minute, and look at it."""
    path.write_bytes(data)
    # Of this moment, not of the import: an hour later even a hollow file is taken.
    mtime_ns = time.time_ns() - 60 * 10**9 if mtime_ns is None else mtime_ns
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return look(path)


def look(path: Path) -> Candidate:
    (found,) = discover([path]).candidates
    return found


def is_taken(before: Candidate, after: Candidate) -> bool:
    """Two looks at a file."""
    _, looks = at_rest.part([before], {})
    resting, _ = at_rest.part([after], looks)
    return resting == [after]


def test_one_look_settles_nothing(tmp_path: Path):
    resting, looks = at_rest.part([put(tmp_path / "a.mov")], {})
    assert resting == []
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        pytest.param({}, True, id="old and equal"),
        pytest.param({"size_bytes": 9}, False, id="grew"),
        pytest.param({"mtime_ns": 1}, False, id="written again"),
        pytest.param({"inode": 1}, False, id="another file took its place"),
    ],
)
def test_two_equal_looks_are_wanted(tmp_path: Path, change: dict[str, int], taken: bool):
    file = put(tmp_path / "a.mov")
    assert is_taken(replace(file, **change), file) is taken


@pytest.mark.parametrize(
    ("age_s", "taken"),
    [
        pytest.param(0, False, id="just now"),
        pytest.param(60, True, id="a minute ago"),
        pytest.param(-900, True, id="by a camera whose clock is ahead"),
    ],
)
def test_a_file_was_quiet_for_a_while(tmp_path: Path, age_s: int, taken: bool):
    file = put(tmp_path / "a.mov", mtime_ns=time.time_ns() - age_s * 10**9)
    assert is_taken(file, file) is taken


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_a_file_that_a_process_has_open_for_writing_is_left_alone(tmp_path: Path):
    path = tmp_path / "recording.mov"
    file = put(path)
    holding = "import sys; f = open(sys.argv[1], 'ab'); print(1, flush=True); input()"
    writer = subprocess.Popen(
        [sys.executable, "-c", holding, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    assert not is_taken(file, file), "its size and time stand still, and it is not closed"
    writer.communicate(b"\n")
    assert is_taken(file, file)


def test_a_reader_does_not_keep_a_file_from_being_taken(tmp_path: Path):
    file = put(tmp_path / "a.mov")
    with file.path.open("rb"):
        assert is_taken(file, file)


def test_a_copy_that_has_its_size_from_the_start_is_not_taken_before_its_end_is_there(
    tmp_path: Path,
):
    path = tmp_path / "copied.mov"
    hollow = put(path, b"begun" + bytes(200_000))
    assert not is_taken(hollow, hollow)
    whole = put(path, b"begun" + bytes(100_000) + b"ended" * 20_000)
    assert whole.size_bytes == hollow.size_bytes
    assert is_taken(whole, whole)


def test_a_recording_that_ends_in_zeros_is_taken_at_last(tmp_path: Path):
    quiet_ns = int(at_rest.HOLLOW_QUIET_S * 1e9)
    file = put(tmp_path / "a.mov", bytes(100), mtime_ns=time.time_ns() - quiet_ns)
    assert is_taken(file, file)


def test_so_many_looks_are_kept_and_no_more_and_the_old_ones_first(tmp_path: Path):
    files = [put(tmp_path / f"{number}.mov") for number in range(10)]
    _, looks = at_rest.part(files[5:8], {}, at_most=3)
    resting, looks = at_rest.part(files, looks, at_most=4)
    assert resting == files[5:8]
    assert len(looks) == 4


def test_waiting_gives_what_did_not_change(tmp_path: Path, replace_here):
    files = [put(tmp_path / f"{name}.mov") for name in ("still", "grows", "goes")]

    def pause(_: float) -> None:
        files[1].path.write_bytes(b"picture and more")
        files[2].path.unlink()

    replace_here(time, "sleep", pause)
    assert at_rest.wait_for_rest(files) == files[:1]
