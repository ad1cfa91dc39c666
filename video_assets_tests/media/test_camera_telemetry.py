"""What cameras write while they run: the hemisphere, clock and height are the right ones."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import OutputContainer

from video_assets.media import camera_telemetry
from video_assets.media.camera import describe_camera, read_camera
from video_assets.media.camera_tags import Tags
from video_assets.media.camera_telemetry import describe_moves, read_moves
from video_assets.media.errors import UnreadableError
from video_assets.media.exiftool import find_exiftool
from video_assets_tests.clips import make_clip

needs_exiftool = pytest.mark.skipif(find_exiftool() is None, reason="exiftool is not installed")
DJI_SAYS = (
    b"F/2.8, SS 320.00, ISO 100, EV 0, GPS (151.2153, -33.8568, 18), D 24.26m, H 6.00m, "
    b"H.S 2.10m/s, V.S 0.00m/s \n"
)


def flown(path: Path) -> Path:
    """Make a drone's clip: a subtitle each second."""
    with av.open(path, "w") as container:
        spoken = container.add_mux_stream("mov_text")
        spoken.metadata["handler_name"] = "\x10DJI.Subtitle"
        seen = container.add_stream("mpeg4", rate=2)
        seen.width, seen.height, seen.pix_fmt = 64, 48, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
        for _ in range(4):
            container.mux(seen.encode(picture))
        container.mux(seen.encode())
        for second in range(2):
            packet = av.Packet(struct.pack(">H", len(DJI_SAYS)) + DJI_SAYS)
            packet.stream, packet.time_base = spoken, Fraction(1)
            packet.pts = packet.dts = second
            packet.duration = 1
            container.mux(packet)
    return path


def turned(path: Path) -> Path:
    """Make a clip of an Insta360: records behind the end of the container, read backwards."""
    names = ((0x0A, b"IXSE12345"), (0x12, b"Insta360 X3"))
    who = b"".join(struct.pack("BB", kind, len(text)) + text for kind, text in names)
    fix = (0, 0, b"A", 48.5, b"S", 2.25, b"W", 3.0, 90.0, 120.5)
    where = b"".join(struct.pack("<IIHcdcdcddd", 1_700_000_000 + at, *fix) for at in range(3))
    body = b"".join(
        part + struct.pack("<HI", kind, len(part)) for kind, part in ((0x101, who), (0x700, where))
    )
    end = bytes(32) + struct.pack("<II", len(body) + 72, 3) + b"8db42d694ccc418790edff439fe026bf"
    with make_clip(path).open("ab") as file:
        file.write(body + end)
    return path


@needs_exiftool
@pytest.mark.skipif(
    not hasattr(OutputContainer, "add_mux_stream"), reason="this PyAV cannot write subtitles"
)
def test_a_drone_s_subtitles_tell_where_it_was_and_how_it_was_set(tmp_path):
    camera = read_camera(flown(tmp_path / "clip.mov"))
    place, settings = camera.location, camera.settings
    assert camera.make == "DJI"
    assert (place.gps_latitude, place.gps_longitude) == (-33.8568, 151.2153)
    assert place.gps_altitude is None  # it tells the height above its start alone
    assert (settings.iso, settings.shutter_speed, settings.f_stop) == (100, "1/320", 2.8)
    assert camera.telemetry is not None
    assert (camera.telemetry.sample_count, camera.telemetry.max_speed_m_s) == (2, 2.1)


@needs_exiftool
def test_an_insta360_tells_itself_behind_the_container_s_end(tmp_path):
    camera = read_camera(turned(tmp_path / "clip.mp4"))
    place = camera.location
    assert (camera.make, camera.model) == ("Insta360", "Insta360 X3")
    assert (place.gps_latitude, place.gps_longitude, place.gps_altitude) == (-48.5, -2.25, 120.5)
    assert camera.capture is not None
    assert camera.capture.utc_time == "2023-11-14T22:13:20+00:00"


def test_south_and_west_stand_in_tags_of_their_own_at_sony():
    moves = describe_moves(
        "Sony",
        {
            "Doc1:GPSLatitude": 33.8568,
            "Doc1:GPSLatitudeRef": "S",
            "Doc1:GPSLongitude": 70.5,
            "Doc1:GPSLongitudeRef": "W",
            "Doc1:SerialNumber": "ILCE-7SM3 5072108",
            "Doc1:ISO": 640,
        },
    )
    assert moves.place == (-33.8568, -70.5, None)
    assert (moves.serial_number, moves.iso) == ("5072108", 640)


def test_places_before_the_first_fix_are_none():
    moves = describe_moves(
        "GoPro",
        {
            "Doc1:GPSMeasureMode": 0,
            "Doc1:GPSDateTime": "2015:01:01 00:00:10",
            "Doc1:GPSLatitude": 1.5,
            "Doc1:GPSLongitude": 2.5,
            "Doc1-1:GPSLatitude": 1.5,
            "Doc1-1:GPSLongitude": 2.5,
            "Doc2:GPSMeasureMode": 3,
            "Doc2:GPSDateTime": "2024:05:01 10:20:00",
            "Doc2:SampleTime": 600,
            "Doc2:GPSLatitude": 48.1,
            "Doc2:GPSLongitude": 11.5,
            "Doc2:GPSAltitude": -3.5,
        },
    )
    assert moves.place == (48.1, 11.5, -3.5)
    assert moves.telemetry is not None
    assert moves.telemetry.bounds == (48.1, 11.5, 48.1, 11.5)
    assert moves.begins is not None
    assert moves.begins.isoformat() == "2024-05-01T10:10:00+00:00"  # ten minutes before the fix


def test_a_time_that_exiftool_reckons_from_the_container_is_not_the_satellites():
    answer = {"Doc1:GPSDateTime": "2024:05:01 10:20:00Z"}
    assert describe_moves("DJI", answer).begins is None
    assert describe_moves("Android camera motion", answer).begins is None


def test_telemetry_that_cannot_be_read_leaves_the_rest_alone(tmp_path, monkeypatch):
    def fail(*_arguments, **_options):
        raise UnreadableError("exiftool did not come to an end within 120 s")

    monkeypatch.setattr(camera_telemetry, "read_tags", fail)
    tags = Tags({"Track3:MetaFormat": "gpmd", "QuickTime:CreateDate": "2024:05:01 10:20:00"})
    camera = describe_camera(tags, read_moves(tmp_path, tags))
    assert camera.telemetry is not None
    assert "within 120 s" in str(camera.telemetry.unread)
    assert camera.capture is not None
    assert camera.capture.time == "2024-05-01T10:20:00"
