"""How a clip is coded: what packets, pixel formats, shapes and fields tell."""

from typing import Any

import pytest

from video_assets.media.aspect import name_aspect
from video_assets.media.errors import NotAVideoError
from video_assets.media.frames import packets
from video_assets.media.mediainfo import Track
from video_assets.media.packet_facts import read_packet_facts, usual_gop
from video_assets.media.pixel_format import chroma_subsampling, color_model
from video_assets.media.scanning import read_scanning
from video_assets.media.told_tracks import exact_bit_depth
from video_assets.media.tracks import AudioTrack
from video_assets_tests.clips import Clip, make_clip, make_sound
from video_assets_tests.media.test_hdr import picture


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "mov"])
def test_bit_rate_and_gop_are_what_the_packets_show(tmp_path, suffix):
    path = make_clip(tmp_path / f"a.{suffix}", Clip(frames=96, gop=12, b_frames=2, audio_tracks=1))
    facts = read_packet_facts(path)
    assert facts.gop_size == 12
    twin = make_clip(tmp_path / f"b.{suffix}", Clip(frames=96, gop=12, b_frames=2))
    assert facts.bit_rate_bps == pytest.approx(read_packet_facts(twin).bit_rate_bps, rel=0.02)
    assert (facts.bit_rate_bps or 0) * 4 / 8 < twin.stat().st_size


def test_an_open_gop_is_as_long_as_it_is_shown(tmp_path):
    clip = Clip(codec="libx265", frames=26, gop=12, options={"x265-params": "log-level=none"})
    assert read_packet_facts(make_clip(tmp_path / "a.mkv", clip)).gop_size == 12


def test_a_clip_of_only_keyframes_has_a_gop_of_one(tmp_path):
    clip = Clip(codec="mjpeg", pixel_format="yuvj420p", frames=6)
    assert read_packet_facts(make_clip(tmp_path / "a.avi", clip)).gop_size == 1


def test_fragments_are_added_up(tmp_path):
    fragments = {"movflags": "frag_keyframe+empty_moov"}
    path = make_clip(tmp_path / "a.mp4", Clip(frames=96, container_options=fragments))
    facts = read_packet_facts(path)
    assert facts.gop_size == 12
    assert 0.5 < (facts.bit_rate_bps or 0) * 4 / 8 / path.stat().st_size < 1


def test_sound_alone_has_no_picture_packets(tmp_path):
    with pytest.raises(NotAVideoError):
        read_packet_facts(make_sound(tmp_path / "a.mp4"))


@pytest.mark.parametrize(
    ("keys", "gop"),
    [
        ([1, 0, 0, 1, 0, 0, 1, 0], 3),
        ([1, 0, 1, 0, 0, 1, 0, 0, 1], 3),
        ([1, 0, 1, 0, 0, 1], 3),
        ([1, 0, 0], None),
        ([], None),
    ],
)
def test_the_usual_distance_of_keyframes_counts(keys, gop):
    assert usual_gop(map(bool, keys)) == gop


@pytest.mark.parametrize(
    ("pixel_format", "model", "chroma"),
    [
        ("yuv420p", "YUV", "4:2:0"),
        ("yuvj422p", "YUV", "4:2:2"),
        ("yuv422p10le", "YUV", "4:2:2"),
        ("yuva444p12le", "YUV", "4:4:4"),
        ("yuv411p", "YUV", "4:1:1"),
        ("yuv410p", "YUV", "4:1:0"),
        ("p010le", "YUV", "4:2:0"),
        ("uyvy422", "YUV", "4:2:2"),
        ("gbrp10le", "RGB", None),
        ("rgb24", "RGB", None),
        ("pal8", "RGB", None),
        ("gray10le", "Gray", None),
        ("ya8", "Gray", None),
        ("xyz12le", "XYZ", None),
    ],
)
def test_a_pixel_format_tells_its_samples(pixel_format, model, chroma):
    assert (color_model(pixel_format), chroma_subsampling(pixel_format)) == (model, chroma)


@pytest.mark.parametrize(
    ("width", "height", "name"),
    [
        (1920, 1080, "16:9"),
        (1080, 1920, "9:16"),
        (568, 320, "16:9"),
        (640, 480, "4:3"),
        (720, 720, "1:1"),
        (4096, 2160, "17:9"),
        (1998, 1080, "1.85:1"),
        (2048, 858, "2.39:1"),
        (1280, 544, "2.35:1"),
        (3000, 1000, "3.00:1"),
        (1000, 3000, "1:3.00"),
    ],
)
def test_a_shape_has_the_name_that_people_use(width, height, name):
    assert name_aspect(width, height) == name


@pytest.mark.parametrize(
    ("seen", "said", "scan", "order"),
    [
        pytest.param({"field_order": "progressive"}, {}, "Progressive", None, id="progressive"),
        pytest.param(
            {"field_order": "progressive"},
            {"scan_type": "MBAFF"},
            "Progressive",
            None,
            id="fields allowed, none coded",
        ),
        pytest.param(
            {"field_order": "tt", "is_interlaced": True}, {}, "Interlaced", "TFF", id="top"
        ),
        pytest.param(
            {"field_order": "tb", "is_interlaced": True}, {}, "Interlaced", "TFF", id="woven"
        ),
        pytest.param(
            {"field_order": "bt", "is_interlaced": True}, {}, "Interlaced", "BFF", id="woven, late"
        ),
        pytest.param(
            {"is_interlaced": True}, {"scan_order": "BFF"}, "Interlaced", "BFF", id="said"
        ),
        pytest.param({}, {"scan_type": "MBAFF", "scan_order": "TFF"}, "Interlaced", "TFF", id="mb"),
        pytest.param({}, {"scan_type": "Progressive"}, "Progressive", None, id="only said"),
        pytest.param({"codec": "av1"}, {}, "Progressive", None, id="no fields in the codec"),
        pytest.param({}, {}, None, None, id="nothing said"),
    ],
)
def test_fields_are_told_as_they_are_coded(seen, said, scan, order):
    found = read_scanning(Track(said), picture(**seen))
    assert (found.scan_type, found.field_order, found.disagreement) == (scan, order, None)


def test_two_field_orders_are_none():
    video = picture(field_order="tt", is_interlaced=True)
    found = read_scanning(Track({"scan_order": "BFF"}), video)
    assert found.field_order is None
    assert "TFF" in (found.disagreement or "")


@pytest.mark.parametrize(
    ("codec", "said", "depth"),
    [
        ("pcm_s24le", {"bit_depth": "24"}, 24),
        ("pcm_s24be", {}, 24),
        ("pcm_u8", {}, 8),
        ("pcm_f32le", {}, 32),
        ("flac", {"bit_depth": "24", "compression_mode": "Lossless"}, 24),
        pytest.param("ac3", {"bit_depth": "32"}, None, id="a muxer's number"),
        pytest.param("flac", {"bit_depth": "999", "compression_mode": "Lossless"}, None, id="no"),
        (None, {}, None),
    ],
)
def test_only_exact_samples_have_a_depth(codec, said, depth):
    audio = AudioTrack.model_construct(codec=codec, bit_depth=32)
    assert exact_bit_depth(audio, Track(said)) == depth


class LateStreams:
    """A container whose streams appear while it is read, as PyAV gives it."""

    def demux(self, stream):
        yield "packet"
        raise IndexError("list index out of range")


def test_streams_that_appear_late_end_the_packets_and_nothing_else():
    container: Any = LateStreams()
    assert list(packets(container, container)) == ["packet"]
