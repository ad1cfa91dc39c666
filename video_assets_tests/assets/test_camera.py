"""The camera asset: when it complains that a clock and a place do not fit."""

import pytest

from video_assets.assets.measure.camera import Camera, find_time_conflict
from video_assets.media.camera import describe_camera
from video_assets.media.camera_tags import Tags
from video_assets.media.camera_telemetry import Moves


def camera(time: str, latitude: float, longitude: float) -> Camera:
    tags = {
        "Keys:CreationDate": time,
        "Composite:GPSLatitude": latitude,
        "Composite:GPSLongitude": longitude,
    }
    return Camera.model_validate(dict(describe_camera(Tags(tags), Moves())))


@pytest.mark.parametrize(
    ("time", "latitude", "longitude"),
    [
        ("2024:07:01 12:00:00+02:00", 52.5, 13.4),  # Berlin in summer
        ("2024:01:01 12:00:00+01:00", 52.5, 13.4),
        ("2024:01:01 12:00:00-08:00", 33.13, -117.33),
        ("2024:01:01 12:00:00+01:00", 40.0, -30.0),  # on a ship in the Atlantic
        ("2024:01:01 12:00:00+06:00", 43.8, 87.6),  # where two zones are kept
        ("2024:01:01 12:00:00+08:00", 43.8, 87.6),
        ("2024:01:01 12:00:00Z", 52.5, 13.4),  # UTC is written everywhere
    ],
)
def test_a_clock_that_fits_raises_no_complaint(time, latitude, longitude):
    assert find_time_conflict(camera(time, latitude, longitude)) is None


def test_a_clock_set_for_another_place_is_named():
    found = str(find_time_conflict(camera("2024:01:01 12:00:00+09:00", 52.5, 13.4)))
    assert "+09:00" in found
    assert "Europe/Berlin" in found
    assert "+01:00" in found
