"""Hashing: the right digest, and never one of a file that did not hold still."""

import hashlib
import os

import pytest
from blake3 import blake3

from video_assets.media.errors import ChangedWhileReadError, UnreadableError
from video_assets.media.hashing import BUFFER_BYTES, hash_file

DATA = bytes(range(256)) * (BUFFER_BYTES // 256) + b"tail"


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mov"
    path.write_bytes(DATA)
    return path


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("blake3", blake3(DATA).hexdigest()),
        ("md5", hashlib.md5(DATA, usedforsecurity=False).hexdigest()),
    ],
)
def test_the_digest_is_of_every_byte(clip, algorithm, expected):
    digest = hash_file(clip, algorithm)
    assert digest.hexdigest == expected
    assert digest.size_bytes == len(DATA)
    assert digest.mtime_ns == clip.stat().st_mtime_ns


def test_progress_counts_bytes(clip):
    seen = []
    hash_file(clip, on_bytes=seen.append)
    assert sum(seen) == len(DATA)
    assert len(seen) == 2


def test_raising_in_the_callback_cancels(clip):
    def cancel(_read: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hash_file(clip, on_bytes=cancel)


def overwrite(path):
    with path.open("r+b") as file:
        file.write(b"changed")
    os.utime(path, ns=(1, 1))


def replace(path):
    (path.parent / "other").write_bytes(DATA)
    (path.parent / "other").rename(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda path: path.unlink(), "deleted", id="deleted"),
        pytest.param(lambda path: os.truncate(path, 10), "changed", id="truncated"),
        pytest.param(lambda path: os.truncate(path, len(DATA) + 1), "changed", id="grown"),
        pytest.param(overwrite, "changed", id="overwritten"),
        pytest.param(lambda path: path.rename(path.with_suffix(".b")), "moved", id="moved"),
        pytest.param(replace, "deleted", id="replaced"),
    ],
)
def test_a_file_that_changes_has_no_digest(clip, change, reason):
    changes = [change]

    def meddle(_read: int) -> None:
        if changes:
            changes.pop()(clip)

    with pytest.raises(ChangedWhileReadError, match=reason) as caught:
        hash_file(clip, on_bytes=meddle)
    assert clip.name not in str(caught.value)


@pytest.mark.timeout(20)
def test_a_pipe_a_folder_and_a_missing_file_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (("pipe", "a named pipe"), ("", "a folder"), ("gone", "gone")):
        with pytest.raises(UnreadableError, match=reason):
            hash_file(tmp_path / name)


def test_a_locked_file_says_so(open_place, unprivileged):
    (open_place / "clip.mov").write_bytes(b"x")
    (open_place / "clip.mov").chmod(0)
    with unprivileged, pytest.raises(UnreadableError, match="permission"):
        hash_file(open_place / "clip.mov")
