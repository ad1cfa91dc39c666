"""Discovery: which files are taken, which are named with a reason, and what is never hung on."""

import os
import socket
from pathlib import Path

import pytest

from video_assets.media import volume
from video_assets.media.discovery import Rules, discover, discover_in_parts
from video_assets.media.file_names import compile_patterns
from video_assets.media.ignoring import IgnoreRulesError


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
    listing = discover([tmp_path], Rules(recursive=False))
    assert names(listing) == ["a.mov"]
    assert reasons(listing) == {"bundle.mov": "expected a file, found a folder"}


def test_a_named_file_needs_no_pattern(tmp_path):
    assert names(discover([put(tmp_path / "odd.bin")], Rules("*.mov"))) == ["odd.bin"]


@pytest.mark.parametrize(
    "name", [".DS_Store", "._a.mov", ".Trashes/a.mov", "@eaDir/a.mov", "$RECYCLE.BIN/a.mov"]
)
def test_junk_is_skipped_without_a_word(tmp_path, name):
    put(tmp_path / name)
    listing = discover([tmp_path], Rules("*"))
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


@pytest.mark.parametrize(
    "name",
    [
        *("a.mov.part", "a.mov.crdownload", "a.mov.tmp", "~$a.mov", "a.mov~", ".fuse_hidden01"),
        *("a.xml", "a.srt", "a.vtt", "a.ass", "a.XMP", "a.wav", "GX010001.LRV", "GX010001.THM"),
    ],
)
def test_what_lies_beside_a_clip_or_is_not_final_is_no_clip_whatever_the_pattern(tmp_path, name):
    put(tmp_path / "a.mov")
    put(tmp_path / name)
    for pattern in (None, "*", "*.mov,a*"):
        assert names(discover([tmp_path], Rules(pattern))) == ["a.mov"]


def test_small_copies_are_taken_when_they_are_asked_for(tmp_path):
    put(tmp_path / "LRV_20240101_120000_01_002.insv")
    put(tmp_path / "GX010001.LRV")
    assert names(discover([tmp_path])) == []
    assert names(discover([tmp_path], Rules("*.lrv"))) == ["GX010001.LRV"]
    assert names(discover([tmp_path], Rules("LRV_*"))) == ["LRV_20240101_120000_01_002.insv"]


TREE = (
    "a.mov",
    "Proxies/a.mov",
    "day/Proxies/b.mov",
    "day/b.mov",
    "day/Takes/c.mov",
    "day/old.MOV",
)


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        pytest.param((), TREE, id="nothing"),
        pytest.param(("Proxies/",), ("a.mov", *TREE[3:]), id="folders of a name"),
        pytest.param(("/Proxies/**",), ("a.mov", *TREE[2:]), id="below the top alone"),
        pytest.param(("*.mov", "!c.mov"), ("day/Takes/c.mov",), id="all but one, in any case"),
        pytest.param(("day", "!day/b.mov"), TREE[:2], id="nothing comes back out of a folder"),
        pytest.param(("# a comment", "", "OLD*"), TREE[:5], id="comments and letter case"),
    ],
)
def test_ignore_rules_are_those_of_git(tmp_path, ignore, left):
    for name in TREE:
        put(tmp_path / name)
    listing = discover([tmp_path], Rules(ignore=ignore))
    assert {str(each.path.relative_to(tmp_path)) for each in listing.candidates} == set(left)
    assert listing.rejects == ()


def test_a_file_in_a_folder_says_what_is_left_out_there(tmp_path):
    for name in TREE:
        put(tmp_path / name)
    put(tmp_path / "day" / ".videoassetsignore", b"b.mov\n!old.mov\n")
    listing = discover([tmp_path], Rules(ignore=("Proxies", "old.*")))
    assert names(listing) == ["a.mov", "c.mov", "old.MOV"]


def test_rules_that_cannot_be_read_are_no_leave_to_take_everything(tmp_path):
    put(tmp_path / "a.mov")
    put(tmp_path / "day" / "b.mov")
    put(tmp_path / "day" / ".videoassetsignore", b"!\n")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".videoassetsignore").symlink_to(tmp_path / "pipe")
    listing = discover([tmp_path])
    assert names(listing) == ["a.mov"]
    assert "write it as in .gitignore" in reasons(listing)["day"]
    assert "a named pipe" in reasons(listing)["other"]
    with pytest.raises(IgnoreRulesError):
        discover([tmp_path], Rules(ignore=("!",)))


def test_our_own_folder_is_never_looked_into(tmp_path):
    put(tmp_path / "home" / "artifacts" / "proxy.mp4")
    put(tmp_path / "a.mp4")
    assert names(discover([tmp_path], Rules(apart=(tmp_path / "home",)))) == ["a.mp4"]


def test_parts_make_the_whole_in_order_wherever_they_are_cut(tmp_path):
    for name in ("b.mov", "b/a.mov", "b/c/d.mov", "b-1.mov", "b/c.mov", "a/empty/x.txt", "é/a.mov"):
        put(tmp_path / name)
    put(tmp_path / "skipped" / "a.mov")
    rules = Rules(ignore=("skipped",))
    whole = discover([tmp_path], rules)
    paths = [os.fsencode(each.path) for each in whole.candidates]
    assert paths == sorted(paths)
    assert whole.left_out == (os.fsencode(tmp_path) + b"/skipped/",)
    for entries in range(1, 12):
        parts = list(discover_in_parts(tmp_path, rules, entries=entries))
        assert [each for part in parts for each in part.candidates] == list(whole.candidates)
        assert [part.after for part in parts] == [b"", *(part.end for part in parts[:-1])]
        assert parts[-1].end is None
        for end in (part.end or b"" for part in parts[:-1]):  # a later look may go on there
            rest = discover_in_parts(tmp_path, rules, after=end)
            found = [each for later in rest for each in later.candidates]
            assert found == [each for each in whole.candidates if os.fsencode(each.path) > end]


def test_a_file_system_goes_by_a_name_that_outlives_its_device(tmp_path):
    device = Path("/dev/null").stat().st_rdev
    (tmp_path / "1234-ABCD").symlink_to("/dev/null")
    (tmp_path / "gone").symlink_to("/dev/no such device")
    assert volume.find_uuid(device, tmp_path) == "1234-ABCD"
    assert volume.find_uuid(device + 1, tmp_path) is None
    assert volume.find_uuid(device, tmp_path / "elsewhere") is None
    assert volume.is_lasting(volume.name_volume(tmp_path, tmp_path.stat().st_dev))
    assert not volume.is_lasting(volume.name_volume(tmp_path / "nowhere", 1))
