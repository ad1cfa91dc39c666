"""What a clip says of its camera: never another day, half of the earth or lens than it was."""

import os
import signal
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest

from video_assets.media import exiftool
from video_assets.media.camera import category_of, describe_camera, read_camera, write_shutter
from video_assets.media.camera_tags import Tags
from video_assets.media.camera_telemetry import Moves, describe_moves
from video_assets.media.capture_time import read_time
from video_assets.media.errors import ToolMissingError, UnreachableError, UnreadableError
from video_assets.media.exiftool import ExifTool, find_exiftool, read_tags
from video_assets_tests.clips import make_clip

PROGRAM = find_exiftool()
needs_exiftool = pytest.mark.skipif(PROGRAM is None, reason="exiftool is not installed")


def describe(moves=None, kind=None, **tags):
    answer = {name.replace("__", ":"): value for name, value in tags.items()}
    return describe_camera(Tags(answer), describe_moves(kind, moves or {}) if kind else Moves())


@pytest.fixture
def write_tags(tmp_path):
    def write(*arguments: str) -> Path:
        path = make_clip(tmp_path / "clip.mov")
        assert PROGRAM is not None
        subprocess.run([PROGRAM, "-q", "-overwrite_original", *arguments, path], check=True)
        return path

    return write


@needs_exiftool
@pytest.mark.parametrize(("latitude", "longitude"), [(-33.8568, 151.2153), (40.5, -74.25)])
def test_south_is_negative_and_west_is_negative(write_tags, latitude, longitude):
    path = write_tags(f"-Keys:GPSCoordinates={latitude}, {longitude}, -12.5")
    place = read_camera(path).location
    assert place.gps_latitude == pytest.approx(latitude, abs=1e-4)
    assert place.gps_longitude == pytest.approx(longitude, abs=1e-4)
    assert place.gps_altitude == pytest.approx(-12.5)


@needs_exiftool
def test_a_receiver_without_a_fix_is_no_place(write_tags):
    assert read_camera(write_tags("-Keys:GPSCoordinates=0, 0, 0")).location.gps_latitude is None


@needs_exiftool
def test_the_phone_s_own_time_and_zone_come_before_the_container_s(write_tags):
    path = write_tags(
        "-Keys:CreationDate=2024:03:01 08:09:10+05:30", "-QuickTime:CreateDate=2024:02:29 23:59:59"
    )
    capture = read_camera(path).capture
    assert capture is not None
    assert (capture.time, capture.utc_time) == (
        "2024-03-01T08:09:10+05:30",
        "2024-03-01T02:39:10+00:00",
    )
    assert capture.source == "Keys:CreationDate"


@needs_exiftool
def test_the_container_s_time_is_utc(write_tags):
    capture = read_camera(write_tags("-QuickTime:CreateDate=2024:02:29 23:59:59")).capture
    assert capture is not None
    assert capture.time == "2024-02-29T23:59:59+00:00"


@needs_exiftool
def test_a_clip_without_a_date_has_no_capture_time(tmp_path):
    assert read_camera(make_clip(tmp_path / "clip.mp4")).capture is None


@needs_exiftool
@pytest.mark.parametrize("name", ["a\n-ver\nb.mp4", "-dash.mp4", "$HOME @x #.mp4", " blank .mp4"])
def test_a_name_is_never_an_argument(tmp_path, name):
    path = make_clip(tmp_path / "clip.mp4").rename(tmp_path / name)
    assert read_tags(path, ["-FileType"])["FileType"] == "MP4"


@needs_exiftool
def test_a_name_in_no_encoding_is_read(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.mp4"))
    make_clip(tmp_path / "clip.mp4").rename(path)
    assert read_tags(path, ["-FileType"])["FileType"] == "MP4"


@needs_exiftool
def test_one_process_answers_again_and_again(tmp_path):
    path = make_clip(tmp_path / "clip.mp4")
    read_tags(path, ["-FileType"])
    tool = exiftool._running[os.getpid()]
    read_tags(path, ["-FileType"])
    assert exiftool._running[os.getpid()] is tool


@needs_exiftool
def test_a_killed_exiftool_is_replaced(tmp_path):
    path = make_clip(tmp_path / "clip.mp4")
    read_tags(path, ["-FileType"])
    tool = exiftool._running[os.getpid()]
    os.kill(tool._process.pid, signal.SIGKILL)
    tool._process.wait()
    assert read_tags(path, ["-FileType"])["FileType"] == "MP4"


def test_an_exiftool_that_hangs_is_ended(tmp_path):
    program = tmp_path / "exiftool"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    tool = ExifTool(str(program))
    with pytest.raises(UnreadableError, match="within 1 s"):
        tool.ask(["-ver"], tmp_path, timeout_s=1)
    assert not tool.is_running


def test_an_exiftool_that_dies_says_so(tmp_path):
    program = tmp_path / "exiftool"
    program.write_text("#!/bin/sh\nread line\n")
    program.chmod(0o755)
    with pytest.raises(UnreadableError, match="ended while"):
        ExifTool(str(program)).ask(["-ver"], tmp_path)


def test_an_exiftool_that_somebody_kills_says_nothing_of_the_clip(tmp_path):
    program = tmp_path / "exiftool"
    program.write_text("#!/bin/sh\nread line\nkill -9 $$\n")
    program.chmod(0o755)
    with pytest.raises(UnreachableError, match="killed from outside"):
        ExifTool(str(program)).ask(["-ver"], tmp_path)


@needs_exiftool
def test_exiftool_ends_when_its_owner_is_killed(tmp_path):
    assert PROGRAM is not None
    tool = ExifTool(PROGRAM)
    tool.ask(["-ver"], make_clip(tmp_path / "clip.mp4"))
    tool._stdin.close()  # what the system does for a process that is killed
    assert tool._process.wait(timeout=10) == 0
    tool._stdout.close()


def test_without_exiftool_the_clip_is_not_to_blame(tmp_path, monkeypatch):
    monkeypatch.setattr(exiftool, "find_exiftool", lambda: None)
    monkeypatch.setattr(exiftool, "_running", {})
    with pytest.raises(ToolMissingError, match="libimage-exiftool-perl"):
        read_camera(tmp_path / "clip.mp4")


def test_with_an_exiftool_that_does_not_run_the_clip_is_not_to_blame(tmp_path, monkeypatch):
    program = tmp_path / "exiftool"
    program.write_text("#!/bin/sh\nexit 127\n")
    program.chmod(0o755)
    monkeypatch.setattr(exiftool, "find_exiftool", lambda: str(program))
    monkeypatch.setattr(exiftool, "_running", {})
    with pytest.raises(ToolMissingError, match="does not run"):
        read_camera(make_clip(tmp_path / "clip.mp4"))


@needs_exiftool
def test_a_file_that_is_gone_is_not_to_blame(tmp_path):
    with pytest.raises(UnreachableError):
        read_camera(tmp_path / "gone.mp4")


@pytest.mark.parametrize(
    "text",
    [
        "0000:00:00 00:00:00",
        "1904:01:01 00:00:00",
        "1970:01:01 00:00:00",
        "2024:13:01 00:00:00",
        "Wed May 8 10:49:33",
        "",
    ],
)
def test_a_clock_that_was_never_set_gives_no_time(text):
    assert read_time(text) is None


def test_a_local_time_stays_without_a_zone():
    capture = describe(RIFF__DateTimeOriginal="2012:09:10 20:52:00").capture
    assert capture is not None
    assert (capture.time, capture.utc_time) == ("2012-09-10T20:52:00", None)


def test_exif_s_zone_stands_in_a_tag_of_its_own():
    capture = describe(
        ExifIFD__DateTimeOriginal="2023:05:01 12:34:56", ExifIFD__OffsetTimeOriginal="-03:00"
    ).capture
    assert capture is not None
    assert capture.utc_time == "2023-05-01T15:34:56+00:00"


def test_satellites_tell_the_zone_of_a_camera_that_does_not():
    moves = {"Doc1:GPSDateTime": "2019:11:18 23:45:14.000"}
    camera = describe(
        moves, "GoPro", GoPro__Model="GoPro Max", QuickTime__CreateDate="2019:11:18 15:45:32"
    )
    assert camera.make == "GoPro"
    assert camera.capture is not None
    assert camera.capture.time == "2019-11-18T15:45:32-08:00"


def test_a_wrong_clock_is_not_taken_for_another_zone():
    moves = {"Doc1:GPSDateTime": "2019:11:18 23:45:14"}
    camera = describe(moves, "GoPro", GoPro__Model="x", QuickTime__CreateDate="2015:01:01 00:10:32")
    assert camera.capture is not None
    assert camera.capture.utc_offset_minutes is None


def test_a_phone_s_lens_is_wide_by_its_equivalent():
    focal = describe(ExifIFD__FocalLength=4.25, ExifIFD__FocalLengthIn35mmFormat=26).focal_length
    assert (focal.value_mm, focal.equivalent_35mm, focal.category) == (4.25, 26, "WIDE")


def test_without_an_equivalent_there_is_no_category():
    assert describe(ExifIFD__FocalLength=4.25).focal_length.category is None


@pytest.mark.parametrize(
    ("mm", "name"),
    [
        (6, "ULTRA-WIDE"),
        (17.9, "ULTRA-WIDE"),
        (18, "WIDE"),
        (35, "MEDIUM"),
        (70, "LONG-LENS"),
        (200, "TELEPHOTO"),
        (900, "TELEPHOTO"),
        (None, None),
    ],
)
def test_categories_begin_at_their_lower_ends(mm, name):
    assert category_of(mm) == name


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0166667, "1/60"),
        (0.02, "1/50"),
        (0.5, "1/2"),
        (0.6, "0.6s"),
        (2, "2s"),
        (0, None),
        (None, None),
    ],
)
def test_shutter_times_are_rounded(seconds, words):
    assert write_shutter(seconds) == words


def test_zero_is_a_setting():
    settings = describe(
        ExifIFD__ExposureMode={"val": "Auto", "num": 0},
        ExifIFD__WhiteBalance={"val": "Manual", "num": 1},
        ExifIFD__LightSource={"val": "Shade", "num": 7},
    ).settings
    assert (settings.exposure_mode, settings.white_balance, settings.light_source) == (
        "Auto",
        "Manual",
        "Shade",
    )


def test_words_that_say_nothing_are_nothing():
    camera = describe(H264__Make={"val": "Unknown (264)", "num": 264}, H264__FNumber=0)
    assert (camera.make, camera.settings.f_stop) == (None, None)


def test_a_place_is_named_once():
    place = describe(**{"IPTC__City": "Berlin", "IPTC__Province-State": "Berlin"}).location
    assert place.location_name == "Berlin"


def test_a_time_keeps_its_fractions():
    assert read_time("2020:12:17 10:03:00.546Z") == datetime(
        2020, 12, 17, 10, 3, 0, 546_000, tzinfo=timezone.utc
    )


def test_sony_lists_the_gamma_among_others():
    camera = describe(
        XML__AcquisitionRecordGroupItemName="CaptureColorPrimaries",
        XML__AcquisitionRecordGroupItemValue="s-gamut3-cine",
        XML__Copy1__AcquisitionRecordGroupItemName="CaptureGammaEquation",
        XML__Copy1__AcquisitionRecordGroupItemValue="s-log3-cine",
    )
    assert camera.picture_profile == "s-log3-cine"


def test_a_zone_that_is_not_on_earth_is_a_clock_without_one():
    capture = describe(H264__DateTimeOriginal="2012:09:10 20:52:00-15:30 DST").capture
    assert capture is not None
    assert (capture.time, capture.utc_offset_minutes) == ("2012-09-10T20:52:00", None)


def test_a_phone_that_tells_its_zone_apart_is_there():
    capture = describe(
        QuickTime__CreateDate="2024:05:01 23:00:00", Keys__AndroidTimeZone="+0200"
    ).capture
    assert capture is not None
    assert capture.time == "2024-05-02T01:00:00+02:00"
    assert capture.utc_time == "2024-05-01T23:00:00+00:00"


@pytest.mark.parametrize(("minutes", "offset"), [(-480, -480), (0, None)])
def test_a_camera_that_was_told_its_zone_has_one(minutes, offset):
    zone = {"val": "whatever", "num": minutes}
    capture = describe(
        Canon__Make="Canon", QuickTime__CreateDate="2024:05:01 10:00:00", Canon__TimeZone=zone
    ).capture
    assert capture is not None
    assert (capture.time[:19], capture.utc_offset_minutes) == ("2024-05-01T10:00:00", offset)


def test_a_recording_date_comes_before_the_date_of_the_container():
    capture = describe(
        Info__DateTimeOriginal="2024:05:01 10:00:00Z",
        Matroska__DateTimeOriginal="2021:02:03 04:05:06",
    ).capture
    assert capture is not None
    assert capture.source == "Matroska:DateTimeOriginal"


def test_a_windows_recording_has_the_time_of_its_container():
    capture = describe(ASF__CreationDate="2010:07:26 22:55:35Z").capture
    assert capture is not None
    assert (capture.utc_time, capture.source) == ("2010-07-26T22:55:35+00:00", "ASF:CreationDate")


@pytest.mark.parametrize("text", ["9999:12:31 23:59:59-05:00", "1969:12:31 16:00:00-08:00"])
def test_the_ends_of_time_are_no_time(text):
    assert read_time(text) is None


@needs_exiftool
def test_a_version_is_not_a_number(write_tags):
    assert read_camera(write_tags("-Keys:Software=17.10")).software == "17.10"


@needs_exiftool
def test_a_file_without_its_index_has_tags_that_nobody_saw(tmp_path):
    path = make_clip(tmp_path / "clip.mp4")
    path.write_bytes(path.read_bytes().replace(b"moov", b"xoov"))
    with pytest.raises(UnreadableError, match="moov"):
        read_camera(path)
