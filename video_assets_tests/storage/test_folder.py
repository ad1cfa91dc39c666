"""Files are removed inside their folder, and never anything outside of it."""

import os
from pathlib import Path

import pytest

from video_assets.storage.folder import Folder, OutsideError


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that nobody may touch."""
    path = tmp_path / "outside" / "source.mov"
    path.parent.mkdir()
    path.write_bytes(b"source")
    return path


@pytest.fixture
def folder(tmp_path: Path, outside: Path) -> Folder:
    """A folder with two files, and links out of it to a file and to a folder."""
    root = tmp_path / "artifacts"
    (root / "ab" / "deep").mkdir(parents=True)
    (root / "ab" / "a.jpg").write_bytes(b"four")
    (root / "ab" / "deep" / "b.jpg").write_bytes(b"b")
    (root / "ab" / "link.mov").symlink_to(outside)
    (root / "out").symlink_to(outside.parent)
    return Folder(root)


@pytest.mark.parametrize(
    "name",
    [
        *("../outside/source.mov", "ab/../../outside/source.mov", "/etc/passwd"),
        *("..", ".", "", "ab//a.jpg", "ab/./a.jpg", "ab/a\0b"),
    ],
)
def test_a_name_that_leaves_the_folder_is_refused(folder: Folder, outside: Path, name: str):
    for act in (folder.remove, folder.look):
        with pytest.raises(OutsideError):
            act(name)
    if name:
        with pytest.raises(OutsideError):
            folder.remove_tree(name)
    assert outside.read_bytes() == b"source"


def test_an_absolute_path_of_a_file_inside_is_refused_too(folder: Folder):
    with pytest.raises(OutsideError):
        folder.remove(str(folder.root / "ab" / "a.jpg"))


def test_nothing_is_found_or_removed_through_a_linked_folder(folder: Folder, outside: Path):
    assert not folder.remove("out/source.mov")
    assert folder.look("out/source.mov") is None
    assert folder.remove_tree("out") == 0
    assert list(folder.files("out")) == []
    assert outside.read_bytes() == b"source"


def test_removing_a_link_leaves_what_it_leads_to(folder: Folder, outside: Path):
    assert folder.look("ab/link.mov") is None, "a link is no file of ours"
    assert folder.remove("ab/link.mov")
    assert outside.read_bytes() == b"source"


def test_a_tree_goes_with_its_links_and_without_what_they_lead_to(folder: Folder, outside: Path):
    (folder.root / "ab" / "deep" / "far").symlink_to(outside.parent)
    assert folder.remove_tree("ab") == 4
    assert not (folder.root / "ab").exists()
    assert outside.read_bytes() == b"source"


def test_a_folder_that_became_a_link_meanwhile_is_not_followed(folder: Folder, outside: Path):
    names = [item.name for item in folder.files()]
    (folder.root / "ab" / "deep").rename(folder.root / "moved")
    (folder.root / "ab" / "deep").symlink_to(outside.parent)
    (outside.parent / "b.jpg").write_bytes(b"not ours")
    assert [folder.remove(name) for name in names] == [True, False]
    assert (outside.parent / "b.jpg").exists()


def test_files_are_listed_by_name_with_size_and_time(folder: Folder):
    os.utime(folder.root / "ab" / "a.jpg", ns=(1, 2))
    found = {item.name: item for item in folder.files()}
    assert list(found) == ["ab/a.jpg", "ab/deep/b.jpg"]
    assert (found["ab/a.jpg"].size_bytes, found["ab/a.jpg"].mtime_ns) == (4, 2)
    assert folder.folders() == ["ab"]
    assert folder.folders("ab") == ["deep"]
    assert folder.look("ab/a.jpg") == found["ab/a.jpg"]


def test_a_store_may_itself_lie_behind_a_link(folder: Folder, tmp_path: Path):
    (tmp_path / "other name").symlink_to(folder.root)
    assert Folder(tmp_path / "other name").remove("ab/a.jpg")
    assert not (folder.root / "ab" / "a.jpg").exists()


def test_where_there_is_no_folder_there_are_no_files(tmp_path: Path):
    folder = Folder(tmp_path / "nowhere")
    assert list(folder.files()) == []
    assert not folder.remove("a/b")
    assert folder.remove_tree("a") == 0
    assert not folder.root.exists()
