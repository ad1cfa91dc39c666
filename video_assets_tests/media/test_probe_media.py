"""Probing: every fact against a clip that was made to have it."""

import struct
from fractions import Fraction

import numpy as np
import pytest

from video_assets.media.errors import UndecodableError
from video_assets.media.levels import name_level
from video_assets.media.orientation import display_size, plausible_aspect
from video_assets.media.packets import is_variable
from video_assets.media.probe import probe_media
from video_assets_tests.clips import HLG, LOCKED, PQ, Clip, make_clip


@pytest.fixture
def probed(tmp_path):
    def probe(clip=None, name="clip.mp4"):
        return probe_media(make_clip(tmp_path / name, clip))

    return probe


@pytest.mark.parametrize(
    ("name", "clip", "container", "codec"),
    [
        pytest.param("a.mp4", Clip(), "mp4", "h264", id="mp4"),
        pytest.param("a.mov", Clip(), "mov", "h264", id="mov"),
        pytest.param("a.mkv", Clip(), "mkv", "h264", id="mkv"),
        pytest.param("a.webm", Clip(codec="libvpx"), "webm", "vp8", id="webm"),
        pytest.param("a.ts", Clip(), "mpegts", "h264", id="ts"),
        pytest.param("a.flv", Clip(), "flv", "h264", id="flv"),
        pytest.param("a.3gp", Clip(), "3gp", "h264", id="3gp"),
        pytest.param(
            "a.avi", Clip(codec="mjpeg", pixel_format="yuvj420p"), "avi", "mjpeg", id="avi"
        ),
        pytest.param("a.mpg", Clip(codec="mpeg2video"), "mpeg", "mpeg2video", id="mpg"),
    ],
)
def test_container_codec_and_length(probed, name, clip, container, codec):
    facts = probed(clip, name)
    assert (facts.container, facts.video.codec) == (container, codec)
    assert (facts.video.width, facts.video.height) == (64, 36)
    assert Fraction(facts.video.frame_rate) == 24
    assert facts.duration_s == pytest.approx(2, abs=0.05)
    assert facts.video.is_variable_frame_rate is False
    assert facts.warnings == ()


def test_the_container_is_what_it_is_not_what_it_is_called(tmp_path):
    clip = make_clip(tmp_path / "a.mkv").rename(tmp_path / "a.mp4")
    assert probe_media(clip).container == "mkv"


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_is_clockwise_and_turns_the_shown_size(probed, rotation):
    video = probed(Clip(rotation=rotation)).video
    assert video.rotation == rotation
    assert (video.width, video.height) == (64, 36)
    shown = (36, 64) if rotation in (90, 270) else (64, 36)
    assert (video.display_width, video.display_height) == shown


def test_pixels_that_are_not_square(probed):
    video = probed(Clip(width=72, height=48, sample_aspect=Fraction(16, 15), rotation=90)).video
    assert video.sample_aspect_ratio == "16:15"
    assert (video.display_width, video.display_height) == (48, 77)


@pytest.mark.parametrize(
    "rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25), Fraction(60000, 1001)]
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_frame_rates_are_exact(probed, rate, name):
    video = probed(Clip(rate=rate, frames=60), name).video
    assert Fraction(video.frame_rate) == rate
    assert video.is_variable_frame_rate is False


def test_a_rate_that_is_only_the_clock_of_the_stamps_is_measured(probed):
    times = [Fraction(number, 30) for number in range(60)]
    facts = probed(Clip(rate=Fraction(1000), frames=60, times_s=times), "a.mkv")
    assert facts.video.average_frame_rate == "1000/1"
    assert facts.video.frame_rate == "30/1"
    assert facts.warnings == ()


def test_a_bare_stream_has_the_rate_and_the_length_of_its_pictures(probed):
    clip = Clip(codec="mpeg2video", rate=Fraction(30), frames=60, options={"b": "3000000"})
    facts = probed(clip, "a.m2v")
    assert facts.video.frame_rate == "30/1"
    assert facts.duration_s == pytest.approx(2, abs=0.05)
    assert facts.duration_source == "packets"


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_variable_rate_is_seen_in_the_time_stamps(probed, name):
    times = [Fraction(number, 30) + Fraction(number // 3, 10) for number in range(48)]
    assert probed(Clip(times_s=times), name).video.is_variable_frame_rate is True


@pytest.mark.parametrize(
    ("stamps", "variable"),
    [
        pytest.param([0, 41, 83, 125, 166, 208], False, id="rounded to milliseconds"),
        pytest.param([0, 10, 20, 40, 50, 60, 70], False, id="one hiccup"),
        pytest.param([0, 10, 30, 40, 60, 70], True, id="uneven"),
        pytest.param([0, 41, 42, 83, 125, 166, 208, 209, 250], False, id="never shown"),
        pytest.param([0, 10], None, id="too few"),
    ],
)
def test_a_hiccup_is_no_variable_rate(stamps, variable):
    assert is_variable([stamps]) is variable


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.mkv"])
def test_a_late_start_is_not_part_of_the_length(probed, name):
    facts = probed(Clip(start_s=Fraction(5)), name)
    assert facts.start_time_s == pytest.approx(5, abs=0.05)
    assert facts.video.start_time_s == pytest.approx(5, abs=0.05)
    assert facts.video.duration_s == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize(
    ("name", "rate", "timecode"),
    [
        pytest.param("a.mov", Fraction(30000, 1001), "01:00:59;28", id="drop frame"),
        pytest.param("a.mov", Fraction(24), "10:11:12:13", id="tmcd"),
        pytest.param("a.mkv", Fraction(25), "10:11:12:13", id="tag"),
    ],
)
def test_timecode(probed, name, rate, timecode):
    assert probed(Clip(rate=rate, timecode=timecode), name).timecode == timecode


def test_tracks_are_listed(probed):
    facts = probed(Clip(audio_tracks=2, subtitles=("one", "two")), "a.mkv")
    assert [(t.codec, t.channels, t.sample_rate) for t in facts.audio_tracks] == [
        ("aac", 2, 48_000)
    ] * 2
    assert [(t.codec, t.format) for t in facts.subtitle_tracks] == [("subrip", "text")] * 2
    assert [stream.kind for stream in facts.streams] == [
        *("video", "audio", "audio", "subtitle", "subtitle")
    ]


def test_uncompressed_sound_has_a_bit_depth(probed):
    assert probed(Clip(audio_tracks=1), "a.mov").audio_tracks[0].bit_depth == 16


def test_cover_art_is_not_the_video(probed):
    facts = probed(Clip(cover_art=True))
    assert facts.has_cover_art
    assert (facts.video.codec, facts.video.width) == ("h264", 64)


@pytest.mark.parametrize(
    ("color", "transfer"),
    [pytest.param(PQ, "smpte2084", id="PQ"), pytest.param(HLG, "arib-std-b67", id="HLG")],
)
def test_colour_is_as_declared(probed, color, transfer):
    video = probed(Clip(codec="libx265", pixel_format="yuv420p10le", color=color, frames=6)).video
    assert (video.color_transfer, video.color_primaries) == (transfer, "bt2020")
    assert (video.color_matrix, video.color_range, video.bit_depth) == ("bt2020nc", "tv", 10)


def test_a_clip_under_lock_is_called_that(probed):
    with pytest.raises(UndecodableError, match="encrypted"):
        probed(Clip(codec="mpeg4", container_options=LOCKED))


def test_a_length_of_the_clip_is_not_taken_for_the_pictures(probed):
    facts = probed(Clip(codec="mpeg2video", rate=Fraction(25), frames=50), "a.mpg")
    assert facts.duration_s == pytest.approx(2, abs=0.05)
    assert facts.video.duration_s is None


def test_a_code_that_is_a_number_is_no_name(tmp_path):
    clip = make_clip(tmp_path / "a.avi", Clip(audio_tracks=1))
    pcm, aac = (struct.pack("<HHI", tag, 2, 48_000) for tag in (0x01, 0xFF))
    clip.write_bytes(clip.read_bytes().replace(pcm, aac))
    (track,) = probe_media(clip).audio_tracks
    assert (track.codec, track.codec_id) == ("aac", None)


def test_undeclared_colour_is_unknown(probed):
    video = probed().video
    assert video.color_transfer is None
    assert video.color_primaries is None


def test_a_fragmented_clip_counts_all_its_fragments(probed):
    facts = probed(Clip(frames=96, container_options={"movflags": "frag_keyframe"}))
    assert facts.video.frame_count == 96
    assert facts.duration_s == pytest.approx(4, abs=0.05)


def test_one_frame_is_a_clip(probed):
    facts = probed(Clip(frames=1))
    assert facts.video.frame_count == 1
    assert facts.video.is_variable_frame_rate is None
    assert facts.duration_s == pytest.approx(1 / 24, abs=0.001)


def test_a_live_recording_without_a_duration_is_measured(tmp_path):
    clip = make_clip(tmp_path / "a.mkv", Clip(container_options={"live": "1"}))
    facts = probe_media(clip)
    assert facts.duration_source == "packets"
    assert facts.duration_s == pytest.approx(2, abs=0.05)


def test_a_clip_cut_short_says_how_much_is_there(tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (36, 64, 3), np.uint8)
    busy = Clip(frames=240, picture=lambda number, _w, _h: np.roll(noise, number * 7))
    for name, options in (("a.mp4", {"movflags": "faststart"}), ("a.mkv", {})):
        whole = make_clip(
            tmp_path / name,
            Clip(frames=240, picture=busy.picture, container_options=options),
        )
        data = whole.read_bytes()
        whole.write_bytes(data[: len(data) * 4 // 10])
        facts = probe_media(whole)
        assert facts.duration_s == pytest.approx(4, abs=0.7)
        assert facts.duration_source in ("index", "packets")
        assert facts.warnings


def test_a_clip_without_a_picture_names_its_codec(tmp_path):
    whole = make_clip(tmp_path / "a.mp4", Clip(container_options={"movflags": "faststart"}))
    data = bytearray(whole.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    whole.write_bytes(data)
    with pytest.raises(UndecodableError, match="h264 with no decodable frame"):
        probe_media(whole)


@pytest.mark.parametrize(
    ("codec", "level", "text"),
    [
        ("h264", 41, "4.1"),
        ("hevc", 153, "5.1"),
        ("av1", 9, "4.1"),
        ("av1", 31, "max"),
        ("mpeg2video", 8, "main"),
        ("vp9", -99, None),
    ],
)
def test_levels_are_written_as_in_the_standard(codec, level, text):
    assert name_level(codec, level) == text


def test_absurd_pixels_are_square():
    assert plausible_aspect(Fraction(1, 10_000)) == 1
    assert plausible_aspect(None) == 1
    assert display_size(1440, 1080, Fraction(4, 3), 270) == (1080, 1920)
