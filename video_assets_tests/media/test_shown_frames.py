"""Frames for a model: spread over the scenes, exact in time, never enlarged."""

from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest

from video_assets.media.errors import MediaError
from video_assets.media.shown_frames import choose_moments, take_frames
from video_assets_tests.clips import Clip, make_clip, read_frame_number


def scenes(*lengths):
    ends = np.cumsum(lengths).tolist()
    return list(zip([0.0, *ends[:-1]], ends, strict=True))


@pytest.mark.parametrize(
    ("lengths", "most", "moments"),
    [
        pytest.param((1.0, 2.0), 8, [0.5, 2.0], id="short scenes have their middle"),
        pytest.param((2.0, 6.0), 8, [1.0, 3.0, 5.0, 7.0], id="a long one has more"),
        pytest.param((40.0,), 2, [10.0, 30.0], id="but never too many"),
        pytest.param((1.0,) * 6, 2, [1.5, 4.5], id="of many scenes some stand for all"),
        pytest.param((1.0,) * 5, 1, [2.5], id="one for all"),
        pytest.param((0.0,), 3, [0.0], id="a single frame"),
    ],
)
def test_moments_are_spread_over_the_scenes(lengths, most, moments):
    assert choose_moments(scenes(*lengths), most) == pytest.approx(moments)


def test_more_go_to_the_longest_scenes():
    moments = choose_moments(scenes(30.0, 6.0, 6.0), 12)
    counts = [sum(a <= m < b for m in moments) for a, b in scenes(30.0, 6.0, 6.0)]
    assert counts == [8, 2, 2]
    assert all(a < b for a, b in pairwise(moments))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("frames") / "clip.mp4"
    return make_clip(path, Clip(width=320, height=180, frames=60, rate=Fraction(5), gop=10))


def shown(frame):
    picture = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[:2] == (frame.height, frame.width)
    return read_frame_number(np.asarray(picture, np.uint8))


def test_each_picture_is_the_one_its_time_says(clip):
    frames = take_frames(clip, [0.0, 0.5, 3.99, 4.0, 11.9], 1568)
    assert [shown(frame) for frame in frames] == [0, 2, 19, 20, 59]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.4, 3.8, 4.0, 11.8])


def test_moments_within_one_frame_show_it_once(clip):
    assert [shown(frame) for frame in take_frames(clip, [1.0, 1.05, 1.19, 1.2], 1568)] == [5, 6]


@pytest.mark.parametrize(
    ("longest", "size"), [(1568, (320, 180)), (160, (160, 90)), (100, (100, 56))]
)
def test_pictures_are_made_smaller_but_never_larger(clip, longest, size):
    (frame,) = take_frames(clip, [2.0], longest)
    assert (frame.width, frame.height) == size
    assert shown(frame) == 10


def test_a_proxy_without_a_picture_is_a_stated_fault(tmp_path):
    path = tmp_path / "proxy.mp4"
    path.write_bytes(b"nothing")
    with pytest.raises(MediaError):
        take_frames(path, [0.0], 100)
