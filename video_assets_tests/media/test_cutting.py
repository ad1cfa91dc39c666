"""Cutting a stretch out of a proxy: which pictures it holds, and from when to when it is."""

import io
from fractions import Fraction

import av
import pytest

from video_assets.media.cutting import Stretch, cut
from video_assets.media.errors import UndecodableError
from video_assets_tests.clips import Clip, make_clip, read_frame_number


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cutting")
    clip = Clip(frames=100, rate=Fraction(5), gop=10, audio_tracks=1)  # a keyframe every 2 s
    return make_clip(folder / "proxy.mp4", clip)


def numbers(stretch: Stretch) -> list[tuple[float, int]]:
    with av.open(io.BytesIO(stretch.data)) as container:
        return [
            (float(frame.time or 0), read_frame_number(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(video=0)
        ]


def test_it_begins_at_the_keyframe_before_and_its_times_begin_at_0(path):
    stretch = cut(path, 7.3, 12.0)
    assert (stretch.begin_s, stretch.end_s) == (6.0, 12.0)
    seen = numbers(stretch)
    assert seen[0] == (0.0, 30)
    assert [number for _, number in seen] == list(range(30, 60))
    assert seen[-1][0] == pytest.approx(5.8)


def test_its_sound_is_as_long_as_its_pictures(path):
    stretch = cut(path, 4.0, 8.0)
    with av.open(io.BytesIO(stretch.data)) as container:
        frames = list(container.decode(audio=0))
    assert float(frames[0].time or 0) == pytest.approx(0, abs=0.03)
    assert float(frames[-1].time or 0) == pytest.approx(4.0, abs=0.05)


def test_it_ends_where_the_clip_does(path):
    stretch = cut(path, 16.0, 99.0)
    assert (stretch.begin_s, stretch.end_s) == (16.0, 20.0)
    assert [number for _, number in numbers(stretch)] == list(range(80, 100))


def test_a_clip_without_sound_is_cut_too(tmp_path):
    path = make_clip(tmp_path / "silent.mp4", Clip(frames=20, rate=Fraction(5), gop=5))
    assert cut(path, 2.0, 3.0).begin_s == 2.0


def test_where_nothing_is_there_is_nothing_to_cut(path):
    with pytest.raises(UndecodableError, match="no picture lies between"):
        cut(path, 4.0, 3.0)
