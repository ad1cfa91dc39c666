"""What other programs and the files' makers say of the real files, as facts to compare."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from fractions import Fraction
from typing import Any

from video_assets_tests.truth.comparing import Fact, Results, look_up

DEGREES = 1e-4
Row = Mapping[str, str]

COLOR_NAMES = {
    "bt709": "bt709",
    "bt2020": "bt2020",
    "bt470bg": "bt470bg",
    "smpte170m": "smpte170m",
    "smpte2084": "smpte2084",
    "arib-std-b67": "arib-std-b67",
}
HDR_FORMATS = {
    "iphone12mini_dolbyvision84_rot.mov": "Dolby Vision",
    "pixel_hdr10_container_says_sdr.mp4": "HDR10",
    "hdr10_static_av1.mp4": "HDR10",
    "hdr10_av1_portrait.mp4": "HDR10",
    "hdr10plus_256x144.mkv": "HDR10+",
    "dovi_profile5_1080p60.mp4": "Dolby Vision",
}
FIELD_ORDERS = {"tt": "tff", "bb": "bff", "progressive": "progressive"}


def facts_of(row: Row, results: Results) -> Iterator[Fact]:
    """Compare whatever has a result with whatever is known of the file."""
    yield from picture_facts(row, results)
    yield from color_facts(row, results)
    yield from camera_facts(row, results)


def _fact(row: Row, results: Results, asset: str, field: str, theirs: Any, within=0.0) -> Fact:
    return Fact(row["file"], asset, field, theirs, look_up(results[asset], field), within)


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
    tags = ("CreationDate", "DateTimeOriginal", "CreateDate")
    written = next((said[tag] for tag in tags if tag in said), "")
    moment = read_exif_time(written, is_utc="CreateDate" in said)
    if moment is None:
        yield _fact(row, results, "camera", "capture.time", None)
        return
    ours = look_up(results["camera"], "capture.utc_time" if moment.tzinfo else "capture.time")
    read = datetime.fromisoformat(ours.replace("Z", "+00:00")) if ours else None
    yield Fact(row["file"], "camera", "capture.time", moment, read)


def read_exif_time(text: str, *, is_utc: bool) -> datetime | None:
    """Read `2019:07:24 11:25:40+03:00`; None for no time and for a clock that was never set."""
    found = re.match(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)\s*(Z|[+-]\d\d:\d\d)?", text)
    if not found or found[1] == "0000":
        return None
    zone = (found[5] or ("+00:00" if is_utc else "")).replace("Z", "+00:00")
    moment = datetime.fromisoformat(f"{found[1]}-{found[2]}-{found[3]}T{found[4]}{zone}")
    return moment.astimezone(timezone.utc) if moment.tzinfo else moment


def rate(row: Row) -> float:
    """Give the average frame rate of the manifest."""
    return float(Fraction(row["avg_fps"]))
