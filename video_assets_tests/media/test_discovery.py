"""Discovery: which files are taken, which are named with a reason, and what is never hung on."""

import os
import socket
from pathlib import Path

import pytest

from video_assets.media.discovery import Candidate, compile_patterns, discover, is_settled


def put(path: Path, data: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def names(listing) -> list[str]:
    return [candidate.path.name for candidate in listing.candidates]


def reasons(listing) -> dict[str, str]:
    return {reject.path.name: reject.reason for reject in listing.rejects}


@pytest.mark.parametrize(
    ("patterns", "name", "taken"),
    [
        pytest.param(None, "A001.MXF", True, id="default in capitals"),
        pytest.param(None, "00001.mts", True, id="default"),
        pytest.param(None, "notes.txt", False, id="no clip"),
        pytest.param(" *.mov , *.mp4 ", "a.Mp4", True, id="trimmed"),
        pytest.param("*.mov,*.mp4", "a.mkv", False, id="others left out"),
        pytest.param(",", "a.mkv", True, id="nothing given"),
        pytest.param("caf\u00e9*", "cafe\u0301.mov", True, id="decomposed letters"),
        pytest.param("[ab]?.mov", "B1.mov", True, id="classes"),
    ],
)
def test_names_match_in_any_case(patterns, name, taken):
    assert compile_patterns(patterns)(name) is taken


def test_folders_are_searched_sorted_and_once(tmp_path):
    for name in ("b.mov", "a.mp4", "day 2/c.MKV", "day 2/notes.txt"):
        put(tmp_path / name)
    listing = discover([tmp_path, tmp_path / "day 2", tmp_path / "a.mp4"])
    assert names(listing) == ["a.mp4", "b.mov", "c.MKV"]
    assert listing.rejects == listing.unreachable == ()


def test_only_the_folder_itself_without_recursion(tmp_path):
    put(tmp_path / "a.mov")
    put(tmp_path / "day 2" / "b.mov")
    (tmp_path / "bundle.mov").mkdir()
    listing = discover([tmp_path], recursive=False)
    assert names(listing) == ["a.mov"]
    assert reasons(listing) == {"bundle.mov": "expected a file, found a folder"}


def test_a_named_file_needs_no_pattern(tmp_path):
    assert names(discover([put(tmp_path / "odd.bin")], "*.mov")) == ["odd.bin"]


@pytest.mark.parametrize(
    "name", [".DS_Store", "._a.mov", ".Trashes/a.mov", "@eaDir/a.mov", "$RECYCLE.BIN/a.mov"]
)
def test_junk_is_skipped_without_a_word(tmp_path, name):
    put(tmp_path / name)
    listing = discover([tmp_path], "*")
    assert listing.candidates == listing.rejects == ()


def test_a_hidden_root_is_searched(tmp_path):
    put(tmp_path / ".cards" / "a.mov")
    assert names(discover([tmp_path / ".cards"])) == ["a.mov"]


def test_what_is_no_file_is_named(tmp_path):
    os.mkfifo(tmp_path / "pipe.mov")
    put(tmp_path / "empty.mov", b"")
    (tmp_path / "dangling.mov").symlink_to(tmp_path / "gone.mov")
    (tmp_path / "loop.mov").symlink_to(tmp_path / "loop.mov")
    (tmp_path / "device.mov").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket.mov"))
        listing = discover([tmp_path])
    found = reasons(listing)
    assert listing.candidates == ()
    assert found.keys() == {
        *("pipe.mov", "empty.mov", "dangling.mov", "loop.mov", "device.mov", "socket.mov")
    }
    assert "a named pipe" in found["pipe.mov"]
    assert "a socket" in found["socket.mov"]
    assert "a device" in found["device.mov"]
    assert "empty" in found["empty.mov"]
    assert "leads nowhere" in found["dangling.mov"]
    assert "leads nowhere" in found["loop.mov"]


def test_links_to_files_are_taken_and_to_folders_not(tmp_path):
    put(tmp_path / "card" / "a.mov")
    (tmp_path / "card" / "again").symlink_to(tmp_path)
    (tmp_path / "card" / "b.mov").symlink_to("a.mov")
    listing = discover([tmp_path])
    assert names(listing) == ["a.mov", "b.mov"]
    assert "a link to a folder" in reasons(listing)["again"]


def test_an_unreachable_root_is_not_an_empty_one(tmp_path):
    listing = discover([tmp_path, tmp_path / "unplugged"])
    assert listing.candidates == ()
    assert [reject.path.name for reject in listing.unreachable] == ["unplugged"]
    assert "drive" in listing.unreachable[0].reason


def test_a_locked_folder_is_named_and_its_neighbours_taken(open_place, unprivileged):
    put(open_place / "open" / "a.mov")
    put(open_place / "locked" / "b.mov")
    (open_place / "locked").chmod(0)
    with unprivileged:
        listing = discover([open_place])
        roots = discover([open_place / "locked", open_place / "locked" / "b.mov"])
    assert names(listing) == ["a.mov"]
    assert "permission" in reasons(listing)["locked"]
    assert len(roots.unreachable) == 2
    assert all("permission" in reject.reason for reject in roots.unreachable)


def test_foreign_names_are_listed(tmp_path):
    for raw in (b"new\nline.mov", b"-dash.mov", b"inv\xff\xfe.mov"):
        put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + raw)))
    assert len(discover([tmp_path]).candidates) == 3


def look(*, size_bytes=10, mtime_s=0.0):
    return Candidate(Path("/a.mov"), size_bytes, int(mtime_s * 1e9), inode=1, volume="dev-1")


@pytest.mark.parametrize(
    ("before", "after", "settled"),
    [
        pytest.param(look(), look(), True, id="old and equal"),
        pytest.param(look(size_bytes=9), look(), False, id="grew"),
        pytest.param(look(mtime_s=1), look(mtime_s=2), False, id="rewritten"),
        pytest.param(look(mtime_s=98), look(mtime_s=98), False, id="touched just now"),
        pytest.param(look(mtime_s=900), look(mtime_s=900), True, id="camera clock ahead"),
    ],
)
def test_a_growing_file_is_not_settled(before, after, settled):
    assert is_settled(before, after, now_ns=100 * 10**9, quiet_s=5) is settled
