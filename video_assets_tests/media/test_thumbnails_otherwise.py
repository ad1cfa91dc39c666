"""The other ways to stills show the same pictures as the first one."""

from fractions import Fraction

import numpy as np
import pytest

from video_assets.media.errors import MediaError, UnreachableError
from video_assets.media.probe import probe_media
from video_assets.media.thumbnails import take_thumbnails
from video_assets.media.thumbnails_otherwise import take_in_one_pass, take_with_opencv
from video_assets_tests.clips import Clip, make_clip, quadrants, read_frame_number

WAYS = [take_with_opencv, take_in_one_pass]


def test_opencv_shows_the_very_frames(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", Clip(frames=96))
    facts = probe_media(path)
    exact = take_thumbnails(path, facts, count=3, width=64, method="exact")
    found = take_with_opencv(path, facts, count=3, width=64)
    numbers = [read_frame_number(still.image) for still in found]
    assert numbers == [read_frame_number(still.image) for still in exact] == [24, 48, 72]
    assert [s.time_s for s in found] == pytest.approx([s.time_s for s in exact], abs=1e-3)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_one_pass_shows_the_keyframes_before_the_positions(tmp_path, suffix):
    path = make_clip(tmp_path / f"clip.{suffix}", Clip(frames=96, gop=10))
    facts = probe_media(path)
    found = take_in_one_pass(path, facts, count=3, width=64)
    assert [read_frame_number(still.image) for still in found] == [20, 40, 70]
    assert [s.time_s for s in found] == pytest.approx([20 / 24, 40 / 24, 70 / 24], abs=0.05)


@pytest.mark.parametrize("take", WAYS)
def test_a_picture_of_unknown_length_is_as_long_as_its_clip(tmp_path, take):
    path = make_clip(tmp_path / "clip.mkv", Clip(frames=96, gop=1))
    facts = probe_media(path)
    video = facts.video.model_copy(update={"duration_s": None})
    found = take(path, facts.model_copy(update={"video": video}), count=3, width=64)
    assert [read_frame_number(still.image) for still in found] == pytest.approx([24, 48, 72], abs=1)


@pytest.mark.parametrize("take", WAYS)
def test_stills_are_upright_and_right_in_colour(tmp_path, take):
    clip = Clip(width=64, height=48, rotation=90, picture=quadrants)
    path = make_clip(tmp_path / "clip.mp4", clip)
    (still, *_) = take(path, probe_media(path), count=2, width=64)
    reference = take_thumbnails(path, probe_media(path), count=2, width=64, method="exact")[0]
    assert still.image.shape == reference.image.shape == (64, 48, 3)
    difference = np.abs(still.image.astype(int) - reference.image.astype(int))
    assert np.median(difference) < 8


@pytest.mark.parametrize("take", WAYS)
def test_pixels_that_are_not_square_are_stretched(tmp_path, take):
    clip = Clip(width=64, height=48, sample_aspect=Fraction(4, 3))
    path = make_clip(tmp_path / "clip.mp4", clip)
    facts = probe_media(path)
    assert take(path, facts, count=1, width=640)[0].image.shape[:2] == (48, 84)


@pytest.mark.parametrize("take", WAYS)
def test_a_file_that_is_gone_is_unreachable(tmp_path, take):
    path = make_clip(tmp_path / "clip.mp4")
    facts = probe_media(path)
    path.unlink()
    with pytest.raises(UnreachableError):
        take(path, facts, count=1, width=64)


@pytest.mark.parametrize("take", WAYS)
def test_without_a_picture_there_is_an_error(tmp_path, take):
    path = make_clip(tmp_path / "clip.mp4", Clip())
    facts = probe_media(path)
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + 4
    end = begin - 8 + int.from_bytes(data[begin - 8 : begin - 4], "big")
    data[begin:end] = bytes(end - begin)
    path.write_bytes(data)
    with pytest.raises(MediaError):
        take(path, facts, count=2, width=64)
