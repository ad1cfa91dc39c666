"""Shots in the scores of frames: what leaps and stays divides, what moves or flashes does not."""

import numpy as np
import pytest

from video_assets.media.measurements import LUMA_BINS, Measurements
from video_assets.media.shots import find_cuts, find_shots


def seen(*, changes=None, light=None, frames=120, rate=24.0) -> Measurements:
    """Measures of a clip that hardly moves, but for some frames' change and light."""
    change = np.full(frames, 2.0, np.float32)
    change[0] = 0
    for frame, value in (changes or {}).items():
        change[frame] = value
    luma = np.full(frames, 0.4, np.float32)
    for frame, value in (light or {}).items():
        luma[frame] = value
    nothing = np.zeros((1, 3), np.float32)
    return Measurements(
        pts=np.arange(frames),
        time_s=np.arange(frames) / rate,
        is_keyframe=np.zeros(frames, bool),
        is_interlaced=np.zeros(frames, bool),
        luma_mean=luma,
        luma_low=np.maximum(luma - 0.3, 0),
        luma_high=luma,
        difference_hue=change,
        difference_saturation=change,
        difference_value=change,
        difference_luma=change,
        still_since=np.arange(frames),
        proxy_index=np.arange(frames),
        sample_index=np.zeros(1, np.int64),
        histogram=np.zeros((1, LUMA_BINS), np.uint32),
        focus=nothing[:, 0],
        shift=np.zeros((1, 2, 2), np.float32),
        fields=nothing,
        bit_depth=8,
        width=320,
        height=240,
        color_range="tv",
        transfer="",
        damaged=0,
    )


def test_a_leap_is_a_cut():
    assert find_cuts(seen(changes={40: 60, 80: 28})) == [40, 80]


def test_a_cut_between_equally_light_pictures_that_is_blended_over_two_frames_is_one_cut():
    assert [shot.first for shot in find_shots(seen(changes={40: 35, 41: 35}))] == [0, 40]


def test_a_camera_that_is_swung_round_does_not_cut():
    swing = dict.fromkeys(range(40, 70), 35.0)
    assert find_cuts(seen(changes=swing)) == []


def test_a_cut_within_a_swing_is_found():
    swing = dict.fromkeys(range(30, 70), 20.0)
    assert find_cuts(seen(changes={**swing, 50: 80})) == [50]


def test_a_drawing_that_moves_every_second_frame_does_not_cut():
    twos = {frame: min(35.0, frame - 25) if frame % 2 else 0.3 for frame in range(30, 120)}
    assert len(find_shots(seen(changes=twos))) == 1


@pytest.mark.parametrize(("rate", "lasts"), [(24.0, 4), (60.0, 12), (120.0, 24)])
def test_a_flash_is_no_cut_at_any_frame_rate(rate, lasts):
    lit = dict.fromkeys(range(60, 60 + lasts), 0.9)
    flash = seen(changes={60: 70, 60 + lasts: 70}, light=lit, rate=rate)
    assert find_cuts(flash) == []


def test_a_flash_that_dies_away_is_no_cut():
    lit = {60: 0.9, 61: 0.7, 62: 0.5}
    assert find_cuts(seen(changes={60: 70, 61: 20, 62: 18}, light=lit)) == []


def test_a_flash_on_a_cut_leaves_the_cut():
    lit = {60: 0.9} | dict.fromkeys(range(61, 120), 0.2)
    assert find_shots(seen(changes={60: 70, 61: 80}, light=lit))[1].first == 60


def test_slides_of_one_frame_each_are_scenes():
    slides = seen(changes=dict.fromkeys(range(1, 8), 60.0), frames=8, rate=1.0)
    assert [shot.first for shot in find_shots(slides)] == list(range(8))


def test_a_slide_that_comes_back_is_no_flash():
    slides = seen(changes={3: 60, 4: 60}, frames=8, rate=1.0)
    assert find_cuts(slides) == [3, 4]
