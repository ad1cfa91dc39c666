"""Artifact files are whole or not there."""

import errno
import os
from pathlib import Path

import pytest

from video_assets.storage.artifacts import ArtifactFolder

CHECKSUM = "ab" + "0" * 62


@pytest.fixture
def folder(tmp_path: Path) -> ArtifactFolder:
    """Where one asset keeps its files of one clip."""
    return ArtifactFolder.of(tmp_path, CHECKSUM, "thumbnails")


def test_a_file_is_found_by_the_name_that_writing_gave(folder: ArtifactFolder, tmp_path: Path):
    name = folder.write("thumb_000.jpg", b"picture")
    assert name == f"ab/{CHECKSUM}/thumbnails/thumb_000.jpg"
    assert (tmp_path / name).read_bytes() == b"picture"
    assert folder.path_of(name) == tmp_path / name


def test_writing_again_replaces(folder: ArtifactFolder):
    folder.write("a.jpg", b"old and longer")
    name = folder.write("a.jpg", b"new")
    assert folder.path_of(name).read_bytes() == b"new"


def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(
    folder: ArtifactFolder, replace_here
):
    name = folder.write("a.jpg", b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    replace_here(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        folder.write("a.jpg", b"new")
    assert folder.path_of(name).read_bytes() == b"old"
    assert [path.name for path in folder.path.iterdir()] == ["a.jpg"]


def test_files_of_an_earlier_result_are_swept(folder: ArtifactFolder):
    folder.write("thumb_000.jpg", b"five stills")
    folder.write("thumb_004.jpg", b"five stills")
    again = ArtifactFolder(folder.path)
    again.write("thumb_000.jpg", b"one still")
    again.sweep()
    assert [path.name for path in folder.path.iterdir()] == ["thumb_000.jpg"]


def test_what_a_killed_worker_left_is_removed(folder: ArtifactFolder):
    folder.path.mkdir(parents=True)
    (folder.path / "b.jpg.part").write_bytes(b"half")
    folder.write("a.jpg", b"whole")
    assert [path.name for path in folder.path.iterdir()] == ["a.jpg"]


def test_two_files_can_be_made_at_once(folder: ArtifactFolder):
    with folder.create("proxy.mp4") as picture, folder.create("frames.npz") as numbers:
        picture.write_bytes(b"picture")
        numbers.write_bytes(b"numbers")
    assert sorted(path.name for path in folder.path.iterdir()) == ["frames.npz", "proxy.mp4"]
    assert folder.written == {"frames.npz", "proxy.mp4"}


def test_a_library_that_breaks_off_leaves_nothing(folder: ArtifactFolder):
    def encode() -> None:
        with folder.create("proxy.mp4") as unfinished:
            unfinished.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode()
    assert list(folder.path.iterdir()) == []


def test_the_file_of_another_asset_is_found_by_its_name(folder: ArtifactFolder, tmp_path: Path):
    name = ArtifactFolder.of(tmp_path, CHECKSUM, "proxy").write("frames.npz", b"numbers")
    assert folder.upstream(name).read_bytes() == b"numbers"


@pytest.mark.parametrize("name", ["", ".", "..", "../a.jpg", "b/a.jpg", "/etc/passwd", "..\\a.jpg"])
def test_no_file_is_made_outside_its_folder(folder: ArtifactFolder, tmp_path: Path, name: str):
    with pytest.raises(ValueError, match="not the name of a file"):
        folder.write(name, b"outside")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        f"ab/{CHECKSUM}/../../../../etc/passwd",
        f"ab/{CHECKSUM}/proxy/..",
        f"ab/{CHECKSUM}/..\\..\\passwd",
        f"cd/cd{CHECKSUM[2:]}/proxy/frames.npz",
        f"ab/{CHECKSUM}",
        "frames.npz",
        "",
    ],
)
def test_no_file_of_another_place_is_read(folder: ArtifactFolder, name: str):
    with pytest.raises(ValueError, match="made of the same clip"):
        folder.upstream(name)


def test_a_folder_is_no_file_of_its_own(folder: ArtifactFolder):
    with pytest.raises(ValueError, match="not the name of a file"):
        folder.path_of(f"ab/{CHECKSUM}/thumbnails/..")
