"""What MediaInfo says: read without the file's name, within limits, whatever the bytes are."""

import os
import shutil

import pytest

from video_assets.media import mediainfo
from video_assets.media.errors import UnreachableError, UnreadableError
from video_assets.media.mediainfo import Track, pair_tracks, parse_report, read_mediainfo
from video_assets_tests.clips import LOCKED, Clip, make_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clip") / "a.mp4", Clip(frames=12, audio_tracks=1))


def test_a_clip_has_its_tracks(clip):
    report = read_mediainfo(clip)
    assert report.general.text("format") == "MPEG-4"
    assert [track.text("format") for track in report.video] == ["AVC"]
    assert [track.count("sampling_rate") for track in report.audio] == [48_000]
    assert [track.stream_index for track in (*report.video, *report.audio)] == [0, 1]


def test_a_clip_under_lock_says_so(clip, tmp_path):
    locked = make_clip(tmp_path / "a.mp4", Clip(frames=12, container_options=LOCKED))
    assert [read_mediainfo(path).is_encrypted for path in (clip, locked)] == [False, True]


def test_a_small_clip_is_read_as_well_as_a_large_one(clip):
    assert clip.stat().st_size < 64 * 2**10
    assert (read_mediainfo(clip).video[0].text("writing_library") or "").startswith("x264")


@pytest.mark.parametrize("name", [b"inv\xff\xfe.mp4", b"http:x.mp4", b"no suffix", b"-x.mkv"])
def test_the_name_does_not_matter(clip, tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    try:
        shutil.copy(clip, path)
    except OSError:
        pytest.skip("this file system takes no such name")
    assert read_mediainfo(path) == read_mediainfo(clip)


def test_what_is_no_clip_has_no_tracks(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("no clip at all")
    assert read_mediainfo(path).video == ()


def test_nothing_is_read_beyond_the_limit(clip, monkeypatch):
    monkeypatch.setattr(mediainfo, "MOST_READ_BYTES", 0)
    assert read_mediainfo(clip).video == ()


def test_what_is_no_file_is_said(tmp_path):
    with pytest.raises(UnreachableError, match="gone"):
        read_mediainfo(tmp_path / "gone.mp4")
    with pytest.raises(UnreachableError, match="a folder"):
        read_mediainfo(tmp_path)


def test_a_damaged_answer_is_an_error_of_the_file():
    with pytest.raises(UnreadableError, match="too damaged"):
        parse_report("<Mediainfo><File>")


def test_letters_that_xml_forbids_are_left_out():
    xml = '<Mediainfo><File><track type="Video"><Title>a\x00\x1f\ud800b</Title></track></File>'
    assert parse_report(xml + "</Mediainfo>").video[0].text("title") == "ab"


@pytest.mark.parametrize(
    ("said", "number", "count"),
    [
        ("1000 cd/m2", 1000.0, 1000),
        ("4 / 2", 4.0, 4),
        ("0.5", 0.5, None),
        ("-549", -549.0, None),
        ("", None, None),
        ("Front: L R", None, None),
        ("9" * 400, float("9" * 18), int(float("9" * 18))),
    ],
)
def test_a_number_is_found_in_a_fact(said, number, count):
    track = Track({"fact": said})
    assert (track.number("fact"), track.count("fact")) == (number, count)


def test_a_fact_is_yes_no_or_not_known():
    track = Track({"a": "Yes", "b": "No", "c": "Maybe"})
    assert [track.answer(name) for name in "abcd"] == [True, False, None, None]


def test_tracks_are_found_by_their_stream_or_their_place():
    first, second = Track({"streamorder": "0-1"}), Track({"streamorder": "0-2"})
    assert pair_tracks([first, second], [2, 1]) == [second, first]
    assert pair_tracks([first, second], [7, 8]) == [first, second]
    assert pair_tracks([first, second], [7]) == [Track()]
