"""What other programs and the files' makers say of the real files, as facts to compare."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from video_assets_tests.truth.comparing import Fact, Results, look_up

DEGREES = 1e-4
Row = Mapping[str, str]
STILLS = ("image2", "jpeg_pipe", "")

HDR_FORMATS = {
    "iphone12mini_dolbyvision84_rot.mov": "Dolby Vision",
    "pixel_hdr10_container_says_sdr.mp4": "HDR10+",  # FFmpeg lists its dynamic metadata
    "hdr10_static_av1.mp4": "HDR10",
    "hdr10_av1_portrait.mp4": "HDR10",
    "hdr10plus_256x144.mkv": "HDR10+",
    "dovi_profile5_1080p60.mp4": "Dolby Vision",
}
CAPTURED = {
    "gopro_max_gps.mp4": "2019-11-18T15:45:32-08:00",
    "broken/made_flipped_pub.mp4": "2019-11-18T15:45:32-08:00",
}
"""GoPros write local time where UTC belongs; the satellites' time in the same file is 23:45."""
LOCAL = {"exiftool_QuickTime_metaonly.mov"}
"""From cameras that write local time there and have no satellites to tell its zone."""


def facts_of(row: Row, results: Results) -> Iterator[Fact]:
    """Compare whatever has a result with whatever is known of the file."""
    yield from probe_facts(row, results)
    yield from picture_facts(row, results)
    yield from color_facts(row, results)
    yield from camera_facts(row, results)


def _fact(row: Row, results: Results, asset: str, field: str, theirs: Any, within=0.0) -> Fact:
    return Fact(row["file"], asset, field, theirs, look_up(results[asset], field), within)


def probe_facts(row: Row, results: Results) -> Iterator[Fact]:
    """Compare with ffprobe: how the picture is turned, and in which order its fields lie."""
    if "probe" not in results:
        return
    turned = -int(float(row["rotation"] or 0)) % 360
    yield _fact(row, results, "probe", "video.rotation", turned)
    yield _fact(row, results, "probe", "video.field_order", row["field_order"] or None)
    yield _fact(row, results, "probe", "timecode", row["timecode"] or None)


def picture_facts(row: Row, results: Results) -> Iterator[Fact]:
    """Compare with ffprobe: what is coded, how deep, in which fields, in how many tracks."""
    if "media_info" not in results:
        return
    name = "media_info"
    depth = 10 if "10" in row["pix_fmt"] else 8
    yield _fact(row, results, name, "codec.bit_depth", depth)
    yield _fact(row, results, name, "codec.pixel_format", row["pix_fmt"])
    if row["field_order"] == "progressive":
        yield _fact(row, results, name, "codec.scan_type", "Progressive")
    found = results[name]
    tracks = [part.strip().split("/") for part in row["audio"].split(";") if part.strip()]
    yield Fact(row["file"], name, "audio_tracks", len(tracks), len(found["audio_tracks"]))
    written = [part for part in row["subtitles"].split(";") if part.strip()]
    yield Fact(row["file"], name, "subtitle_tracks", len(written), len(found["subtitle_tracks"]))


def color_facts(row: Row, results: Results) -> Iterator[Fact]:
    """Compare with ffprobe and with what the file was made to show."""
    if "color" not in results:
        return
    yield _fact(row, results, "color", "hdr.is_hdr", row["file"] in HDR_FORMATS)
    yield _fact(row, results, "color", "hdr.hdr_format", HDR_FORMATS.get(row["file"]))


def camera_facts(row: Row, results: Results) -> Iterator[Fact]:
    """Compare with exiftool's and other readers' values, as the manifest holds them."""
    if "camera" not in results or not row["exiftool_values"]:
        return
    said: dict[str, Any] = json.loads(row["exiftool_values"])
    for field, tag in (("make", "Make"), ("model", "Model")):
        if isinstance(said.get(tag), str):
            yield _fact(row, results, "camera", field, said[tag])
    has_place = (said.get("GPSLatitude") or 0, said.get("GPSLongitude") or 0) != (0, 0)
    for axis in ("Latitude", "Longitude"):
        field = f"location.gps_{axis.lower()}"
        theirs = said[f"GPS{axis}"] if has_place else None
        yield _fact(row, results, "camera", field, theirs, within=DEGREES)
    yield from _capture_facts(row, results, said)


def _capture_facts(row: Row, results: Results, said: Mapping[str, Any]) -> Iterator[Fact]:
    if row["file"] in CAPTURED:
        yield _fact(row, results, "camera", "capture.time", CAPTURED[row["file"]])
        return
    tags = ("CreationDate", "DateTimeOriginal", "CreateDate")
    written = next((said[tag] for tag in tags if tag in said), "")
    is_utc = row["file"] not in LOCAL and row["container"] not in STILLS
    moment = read_exif_time(written, is_utc="CreateDate" in said and is_utc)
    if moment is None:
        yield _fact(row, results, "camera", "capture.time", None)
        return
    ours = look_up(results["camera"], "capture.utc_time" if moment.tzinfo else "capture.time")
    read = datetime.fromisoformat(ours).replace(microsecond=0) if ours else None
    if read is not None and moment.tzinfo is None:
        read = read.replace(tzinfo=None)  # the manifest has no zone, so that ours is not compared
    yield Fact(row["file"], "camera", "capture.time", moment, read)


def read_exif_time(text: str, *, is_utc: bool) -> datetime | None:
    """Read `2019:07:24 11:25:40+03:00`; None for no time and for a clock that was never set."""
    found = re.match(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)\s*(Z|[+-]\d\d:\d\d)?", text)
    if not found or found[1] == "0000":
        return None
    zone = (found[5] or ("+00:00" if is_utc else "")).replace("Z", "+00:00")
    moment = datetime.fromisoformat(f"{found[1]}-{found[2]}-{found[3]}T{found[4]}{zone}")
    return moment.astimezone(timezone.utc) if moment.tzinfo else moment
