"""Log curves: the grey card lies where their makers say, and profiles are known by name."""

import numpy as np
import pytest

from video_assets.media.exposure import Transfer, is_over, measure_light
from video_assets.media.log_curves import GREY_CARD, is_known, name_curve, to_reflectance

# 10-bit codes of 0.18 and 0.90 reflectance in the makers' tables.
GREY = {"S-Log3": 420, "V-Log": 433, "LogC": 400, "C-Log": 351, "C-Log2": 407, "C-Log3": 351}
WHITE = {"S-Log3": 598, "V-Log": 602, "C-Log": 614}


@pytest.mark.parametrize(("curve", "code"), GREY.items())
def test_the_grey_card_is_where_the_maker_says(curve, code):
    assert to_reflectance(curve, np.array([code / 1023]))[0] == pytest.approx(0.18, abs=0.003)


@pytest.mark.parametrize(("curve", "code"), WHITE.items())
def test_white_paper_is_where_the_maker_says(curve, code):
    assert to_reflectance(curve, np.array([code / 1023]))[0] == pytest.approx(0.9, abs=0.015)


@pytest.mark.parametrize("curve", GREY)
def test_curves_rise_without_a_step(curve):
    light = to_reflectance(curve, np.linspace(0, 1, 4096))
    assert np.all(np.diff(light) >= 0)
    assert np.diff(light).max() < 0.02 * light.max()


@pytest.mark.parametrize(
    ("profile", "curve"),
    [
        ("s-log3-cine", "S-Log3"),
        ("S-Log3", "S-Log3"),
        ("V-Log L", "V-Log"),
        ("LogC", "LogC"),
        ("D-Log M", "log"),
        ("Canon Log 3", "C-Log3"),
        ("C-Log2", "C-Log2"),
        ("Canon Log", "C-Log"),
        ("Canon Log 5", "log"),
        ("s-log2", "log"),
        ("rec709", None),
        ("GOPRO", None),
        ("Analog", None),
        (None, None),
    ],
)
def test_profiles_are_known_by_name(profile, curve):
    assert name_curve(profile) == curve


def histogram_at(share: float) -> np.ndarray:
    histogram = np.zeros((1, 256), np.uint32)
    histogram[0, round(share * 255)] = 100
    return histogram


def test_a_grey_card_in_log_is_well_exposed_and_was_dark_without_it():
    grey = (420 - 64) / 876
    slog = measure_light(histogram_at(grey), Transfer("bt709", "tv", "S-Log3"))
    assert (slog.stops, slog.quality()) == (0.0, "excellent")
    assert measure_light(histogram_at(grey), Transfer("bt709", "tv")).stops < -0.5


def test_two_stops_more_light_are_two_stops_in_log():
    shares = np.linspace(0, 1, 1024)
    light = to_reflectance("S-Log3", (64 + 876 * shares) / 1023)
    at = float(shares[int(np.argmin(np.abs(light - GREY_CARD * 2)))])
    seen = measure_light(histogram_at(at), Transfer("", "tv", "S-Log3"))
    assert seen.stops == pytest.approx(1.0, abs=0.05)


def test_a_log_curve_that_is_not_known_is_not_decoded():
    assert not is_known("log")
    assert is_over(Transfer("", "tv", "log")).any()
