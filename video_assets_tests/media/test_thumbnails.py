"""Stills: the right frame, upright, in the right colours, never enlarged."""

from fractions import Fraction
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest

from video_assets.media.contact_sheet import lay_out
from video_assets.media.probe import probe_media
from video_assets.media.thumbnails import Method, encode_jpeg, positions, take_thumbnails
from video_assets_tests.clips import (
    HLG,
    PQ,
    Clip,
    flat,
    make_clip,
    quadrants,
    read_frame_number,
)

RED, GREEN, BLUE, WHITE = (20, 20, 220), (20, 200, 20), (220, 20, 20), (235, 235, 235)  # BGR


@pytest.fixture
def take(tmp_path):
    def stills(clip=None, name="clip.mp4", *, count=5, width=1920, method: Method = "exact"):
        path = make_clip(tmp_path / name, clip)
        return take_thumbnails(path, probe_media(path), count=count, width=width, method=method)

    return stills


def test_positions_leave_out_both_ends():
    assert positions(12, 5) == [2, 4, 6, 8, 10]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.mov", "a.flv"])
@pytest.mark.parametrize("b_frames", [0, 3])
@pytest.mark.parametrize("start_s", [0, 5])
def test_exact_shows_the_very_frame(take, tmp_path, name, b_frames, start_s):
    stills = take(Clip(frames=120, gop=50, b_frames=b_frames, start_s=Fraction(start_s)), name)
    numbers = [read_frame_number(still.image) for still in stills]
    # Matroska and FLV round to milliseconds: a moment on the edge of two frames may be either.
    edge = 1 if name in ("a.mkv", "a.flv") else 0
    assert np.abs(np.array(numbers) - [20, 40, 60, 80, 100]).max() <= edge
    start_s = probe_start(tmp_path / name)
    assert [round((still.time_s + start_s) * 24) for still in stills] == numbers


def probe_start(path) -> float:
    """Give how much later than the first frame the file's own clock begins."""
    facts = probe_media(path)
    return facts.start_time_s - facts.video.start_time_s


@pytest.mark.parametrize("codec", ["libx265", "libvpx-vp9", "libsvtav1", "mpeg4", "prores_ks"])
def test_exact_shows_the_very_frame_in_other_codecs(take, codec):
    is_prores = codec == "prores_ks"
    clip = Clip(
        frames=60,
        gop=25,
        codec=codec,
        pixel_format="yuv422p10le" if is_prores else "yuv420p",
        options={"cpu-used": "8", "deadline": "realtime"} if codec == "libvpx-vp9" else {},
    )
    stills = take(clip, "a.mov" if is_prores else "a.mp4")
    assert [read_frame_number(still.image) for still in stills] == [10, 20, 30, 40, 50]


def test_exact_is_right_at_a_variable_rate(take):
    times = [Fraction(number * number, 100) for number in range(48)]
    stills = take(Clip(times_s=times, gop=100))
    duration = float(times[-1] + times[-1] - times[-2])
    for still, moment in zip(stills, positions(duration, 5), strict=True):
        shown = max(number for number, time in enumerate(times) if time <= moment)
        assert abs(read_frame_number(still.image) - shown) <= 1
        assert still.time_s == pytest.approx(float(times[read_frame_number(still.image)]), abs=0.01)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_keyframes_are_at_most_a_group_before(take, name):
    stills = take(Clip(frames=120, gop=10, b_frames=2), name, method="keyframe")
    for still, wanted in zip(stills, [20, 40, 60, 80, 100], strict=True):
        number = read_frame_number(still.image)
        assert number % 10 == 0
        assert 0 <= wanted - number < 10
        assert still.is_keyframe


def test_positions_in_one_group_show_different_pictures(take):
    stills = take(Clip(frames=120, gop=500), method="keyframe")
    numbers = [read_frame_number(still.image) for still in stills]
    assert numbers == [20, 40, 60, 80, 100]
    assert not any(still.is_keyframe for still in stills)


def test_keyframe_stills_keep_their_distance(take):
    stills = take(Clip(frames=240, gop=50), method="keyframe")
    numbers = [read_frame_number(still.image) for still in stills]
    assert len(numbers) == 5
    assert all(after - before >= 10 for before, after in pairwise(numbers))


@pytest.mark.parametrize(
    ("rotation", "corners"),
    [
        pytest.param(0, (RED, GREEN, BLUE, WHITE), id="upright"),
        pytest.param(90, (BLUE, RED, WHITE, GREEN), id="clockwise"),
        pytest.param(180, (WHITE, BLUE, GREEN, RED), id="upside down"),
        pytest.param(270, (GREEN, WHITE, RED, BLUE), id="counterclockwise"),
    ],
)
def test_stills_are_upright(take, rotation, corners):
    image = take(Clip(frames=4, picture=quadrants, rotation=rotation), count=1)[0].image
    height, width = image.shape[:2]
    assert (width, height) == ((36, 64) if rotation in (90, 270) else (64, 36))
    found = [image[y, x] for y in (height // 4, -height // 4) for x in (width // 4, -width // 4)]
    assert np.abs(np.array(found, int) - corners).max() < 14


def test_a_mirrored_picture_is_mirrored_back(take):
    image = take(Clip(frames=4, picture=quadrants, is_mirrored=True), count=1)[0].image
    height, width = image.shape[:2]
    found = [image[y, x] for y in (height // 4, -height // 4) for x in (width // 4, -width // 4)]
    assert np.abs(np.array(found, int) - (GREEN, RED, WHITE, BLUE)).max() < 14


def test_pixels_become_square(take):
    clip = Clip(width=48, height=36, sample_aspect=Fraction(4, 3), frames=4)
    assert take(clip, count=1)[0].image.shape == (36, 64, 3)


@pytest.mark.parametrize(
    ("size", "width", "shape"),
    [
        pytest.param((64, 36), 1920, (36, 64), id="never enlarged"),
        pytest.param((64, 36), 32, (18, 32), id="made smaller"),
        pytest.param((63, 35), 1920, (34, 62), id="odd"),
        pytest.param((64, 36), 33, (18, 32), id="odd width asked for"),
        pytest.param((256, 4), 64, (2, 64), id="flat"),
    ],
)
def test_sizes_are_even_and_at_most_as_asked(take, size, width, shape):
    clip = Clip(width=size[0], height=size[1], pixel_format="yuv444p", frames=4)
    assert take(clip, count=1, width=width)[0].image.shape[:2] == shape


def test_a_clip_of_one_frame_gives_one_still(take):
    for method in ("keyframe", "exact"):
        stills = take(Clip(frames=1), f"{method}.mp4", method=method)
        assert len(stills) == 1
        assert stills[0].index == 0


def test_a_stream_without_time_stamps_gives_its_first_picture(take):
    stills = take(Clip(frames=60), "a.h264")
    assert [read_frame_number(still.image) for still in stills] == [0]


def test_sound_that_goes_on_does_not_move_the_positions(tmp_path):
    path = make_clip(tmp_path / "a.mkv", Clip(frames=48))
    facts = probe_media(path).model_copy(update={"duration_s": 20.0})
    stills = take_thumbnails(path, facts, count=5, width=64, method="exact")
    assert [read_frame_number(still.image) for still in stills] == [8, 16, 24, 32, 40]


@pytest.mark.parametrize(
    ("matrix", "color_range", "size"),
    [
        pytest.param(1, 1, (64, 36), id="BT.709 limited"),
        pytest.param(1, 2, (64, 36), id="BT.709 full"),
        pytest.param(6, 1, (64, 36), id="BT.601 limited"),
        pytest.param(6, 1, (1280, 720), id="BT.601 declared in HD"),
        pytest.param(2, 1, (64, 36), id="undeclared, small: BT.601"),
        pytest.param(2, 1, (1280, 720), id="undeclared, HD: BT.709"),
    ],
)
def test_colours_follow_matrix_and_range(take, matrix, color_range, size):
    y, u, v = 120, 100, 160
    width, height = size
    chroma = np.ones((height // 2, width // 2), np.uint16)
    clip = Clip(
        width=width,
        height=height,
        frames=2,
        planes=(np.full((height, width), y, np.uint16), chroma * u, chroma * v),
        color={"colorspace": matrix, "color_range": color_range},
    )
    image = take(clip, count=1)[0].image
    is_709 = matrix == 1 or (matrix == 2 and width == 1280)
    kr, kb = (0.2126, 0.0722) if is_709 else (0.299, 0.114)
    offset, luma_span, chroma_span = (0, 255, 255) if color_range == 2 else (16, 219, 224)
    luma, blue, red = (y - offset) / luma_span, (u - 128) / chroma_span, (v - 128) / chroma_span
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    expected = np.array([b, g, r]) * 255
    assert np.abs(image[height // 2, width // 2] - expected).max() < 4


def hdr(levels, color) -> Clip:
    """Make a clip of grey columns with the given 10-bit luma codes."""
    luma = np.repeat(np.array(levels, np.uint16), 16)[None].repeat(32, axis=0)
    chroma = np.full((16, luma.shape[1] // 2), 512, np.uint16)
    return Clip(
        width=luma.shape[1],
        height=32,
        frames=2,
        codec="ffv1",
        pixel_format="yuv420p10le",
        planes=(luma, chroma, chroma),
        color=color,
    )


@pytest.mark.parametrize("color", [pytest.param(PQ, id="PQ"), pytest.param(HLG, id="HLG")])
def test_hdr_grey_stays_grey_and_keeps_its_order(take, color):
    image = take(hdr([64, 200, 340, 480, 600, 700, 760, 940], color), "a.mkv", count=1)[0].image
    columns = image[16, 8::16].astype(int)
    assert np.ptp(columns, axis=1).max() <= 2
    levels = columns.mean(axis=1)
    assert np.all(np.diff(levels) >= -0.5)
    assert levels[0] <= 2
    assert levels[-1] >= 250


@pytest.mark.parametrize(
    ("code", "color"),
    [
        pytest.param(64 + round(876 * 0.58), PQ, id="PQ 203 cd/m2"),
        pytest.param(64 + round(876 * 0.75), HLG, id="HLG 75 %"),
    ],
)
def test_hdr_diffuse_white_is_bright_but_not_clipped(take, code, color):
    level = take(hdr([code] * 4, color), "a.mkv", count=1)[0].image[16, 32].mean()
    assert 200 < level < 250


def test_interlaced_motion_shows_no_combs(take, tmp_path):
    def moving(number, width, height):
        picture = np.full((height, width, 3), 30, np.uint8)
        for field in range(2):
            left = (number * 2 + field) * 8
            picture[field::2, left : left + 16] = 220
        return picture

    clip = Clip(
        width=128,
        height=64,
        frames=6,
        picture=moving,
        options={"x264-params": "tff=1:interlaced=1", "qp": "1"},
    )
    path = make_clip(tmp_path / "a.mkv", clip)
    facts = probe_media(path)
    assert facts.video.is_interlaced
    image = take_thumbnails(path, facts, count=1, width=128, method="exact")[0].image.astype(int)
    assert np.abs(np.diff(image[8:-8], axis=0)).max() < 40


def test_damaged_keyframes_are_passed_over(tmp_path):
    path = make_clip(tmp_path / "a.mp4", Clip(width=320, height=180, frames=120, gop=10))
    with av.open(str(path)) as container:
        keys = [p for p in container.demux(video=0) if p.is_keyframe and p.size]
        second = next(p for p in keys if p.pts == keys[2].pts)
        assert second.pos is not None
        at, size = second.pos, second.size
    data = bytearray(path.read_bytes())
    data[at + 60 : at + size - 4] = b"\x55" * (size - 64)
    path.write_bytes(data)
    stills = take_thumbnails(path, probe_media(path), count=5, width=320, method="keyframe")
    numbers = [read_frame_number(still.image) for still in stills]
    assert 20 not in numbers
    assert numbers[1:] == [40, 60, 80, 100]


def test_a_contact_sheet_holds_every_still(take):
    stills = take(Clip(frames=60, picture=flat(200, 30, 30)), count=7)
    sheet = lay_out([still.image for still in stills])
    assert sheet.shape[1] > 5 * 300
    data = encode_jpeg(sheet, 80)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    assert read.shape == sheet.shape
    with pytest.raises(ValueError, match="at least one"):
        lay_out([])


def test_a_clip_that_cannot_be_sought_is_read_through(tmp_path):
    path, marked = tmp_path / "clip.mkv", make_clip(tmp_path / "marked.mkv")
    with av.open(str(marked)) as source, av.open(str(path), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream, packet.is_keyframe = stream, False
                copy.mux(packet)
    stills = take_thumbnails(path, probe_media(path), count=3, width=64, method="keyframe")
    shown = [read_frame_number(still.image) for still in stills]
    assert shown == pytest.approx([12, 24, 36], abs=1)


def test_marks_that_make_every_frame_a_keyframe_are_not_believed(tmp_path):
    path, marked = (
        tmp_path / "clip.mp4",
        make_clip(tmp_path / "marked.mp4", Clip(codec="mpeg4", gop=100)),
    )
    path.write_bytes(marked.read_bytes().replace(b"stss", b"free"))  # the list of keyframes
    stills = take_thumbnails(path, probe_media(path), count=3, width=64, method="keyframe")
    assert [read_frame_number(still.image) for still in stills] == [12, 24, 36]
    assert not any(still.is_keyframe for still in stills)
