"""Where a clip was taken: every way to write it gives the same place, no fix gives none."""

import av
import numpy as np
import pytest

from video_assets.media.camera import read_camera
from video_assets.media.camera_place import find_place, read_iso_6709
from video_assets.media.camera_tags import Tags
from video_assets.media.exiftool import find_exiftool

needs_exiftool = pytest.mark.skipif(find_exiftool() is None, reason="exiftool is not installed")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("+40.6892-074.0445+010.000/", (40.6892, -74.0445, 10)),
        ("-33.8568+151.2153/", (-33.8568, 151.2153, None)),
        ("-3351.408+15112.918-012.5/", (-33.8568, 151.2153, -12.5)),
        ("-335124.48+1511255.08/", (-33.8568, 151.2153, None)),
        ("+00.0000+000.0000/", None),
        ("+95.0000+000.0000/", None),
        ("Berlin", None),
    ],
)
def test_iso_6709_is_read_in_degrees_minutes_and_seconds(text, place):
    found = read_iso_6709(text)
    assert (found and (found.latitude, found.longitude)) == (place and pytest.approx(place[:2]))
    assert (found and found.altitude) == (place and place[2])


def test_a_place_that_is_none_does_not_hide_one_that_is():
    tags = {
        "Composite:GPSLatitude": 0,
        "Composite:GPSLongitude": 0,
        "UserData:GPSCoordinates": {"val": "0, 0", "num": "0 0"},
        "Keys:GPSCoordinates": {"val": "48 deg N", "num": "48.5 -2.25 0"},
    }
    assert find_place(Tags(tags)) == (48.5, -2.25, 0)


@pytest.mark.parametrize("height", [1e300, float("inf"), -20_000])
def test_a_height_that_no_camera_reaches_is_unknown(height):
    place = {"Composite:GPSLatitude": 1.5, "Composite:GPSLongitude": 2}
    assert find_place(Tags(place | {"Composite:GPSAltitude": height})) == (1.5, 2, None)


def test_a_height_of_zero_is_unknown_where_the_record_must_hold_one():
    place = {"Composite:GPSLatitude": 1.5, "Composite:GPSLongitude": 2, "Composite:GPSAltitude": 0}
    assert find_place(Tags(place)) == (1.5, 2, 0)
    assert find_place(Tags(place | {"UserData:LocationInformation": "Lat=1.5"})) == (1.5, 2, None)


@pytest.mark.parametrize(("status", "place"), [("A", (-33.8568, 151.2153, None)), ("V", None)])
def test_sony_s_list_tells_a_place_unless_its_receiver_had_no_fix(status, place):
    items = {"LatitudeRef": "S", "Latitude": "33:51:24.48", "LongitudeRef": "E"}
    items |= {"Longitude": "151:12:55.08", "Status": status}
    tags = {}
    for copy, (name, value) in enumerate(items.items()):
        place_of_copy = f"XML:Copy{copy}:" if copy else "XML:"
        tags[f"{place_of_copy}AcquisitionRecordGroupItemName"] = name
        tags[f"{place_of_copy}AcquisitionRecordGroupItemValue"] = value
    assert find_place(Tags(tags)) == place


@needs_exiftool
def test_a_phone_s_tags_survive_another_container(tmp_path):
    path = tmp_path / "clip.mkv"
    with av.open(path, "w") as container:
        container.metadata.update(
            {
                "com.apple.quicktime.make": "Apple",
                "com.apple.quicktime.creationdate": "2021-02-03T04:05:06+0100",
                "com.apple.quicktime.location.ISO6709": "-33.8568+151.2153+010.5/",
            }
        )
        stream = container.add_stream("mpeg4", rate=2)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(picture))
        container.mux(stream.encode())
    camera = read_camera(path)
    place = camera.location
    assert (place.gps_latitude, place.gps_longitude) == (-33.8568, 151.2153)
    assert place.gps_altitude == 10.5
    assert camera.make == "Apple"
    assert camera.capture is not None
    assert camera.capture.time == "2021-02-03T04:05:06+01:00"
