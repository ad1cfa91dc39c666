"""What a camera wrote of itself while it ran: where it was, by which clock, how it was set."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from video_assets.media.camera_place import Place, checked_place
from video_assets.media.camera_tags import Tags, leading_number
from video_assets.media.capture_time import read_time
from video_assets.media.errors import UnreadableError
from video_assets.media.exiftool import read_tags

TRACKS = {"gpmd": "GoPro", "djmd": "DJI", "rtmd": "Sony", "camm": "Android camera motion"}
"""Formats of tracks in which cameras write where they are while they run."""
TELLS_SATELLITE_TIME = ("GoPro", "Sony", "Insta360")
"""For others exiftool makes it up from the container's date, or nobody knows its zone."""
TELLS_SEA_LEVEL = ("GoPro", "Sony", "Insta360")
"""DJI's height is above the place where the drone took off."""
_ASKED = (
    *("-ee", "-n", "-G3", "-a", "-SampleTime", "-GPSDateTime", "-GPSMeasureMode", "-GPSSpeed"),
    *("-GPSLatitude", "-GPSLatitudeRef", "-GPSLongitude", "-GPSLongitudeRef", "-GPSAltitude"),
    *("-Model", "-SerialNumber", "-ISO", "-ISOSpeeds", "-FNumber"),
    *("-ExposureTime", "-ExposureTimes", "-ShutterSpeed"),
)
_TIMEOUT_S = 120.0
_INSTA360_ENDS = b"8db42d694ccc418790edff439fe026bf"
_WITHOUT_FIX = ("0", "1")

Sample = dict[str, Any]


class Telemetry(BaseModel):
    """What a camera wrote of its own movement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    sample_count: int = Field(description="places with a satellite fix")
    max_speed_m_s: float | None
    bounds: tuple[float, float, float, float] | None = Field(
        description="least latitude and longitude, greatest latitude and longitude"
    )
    unread: str | None = Field(default=None, description="why its samples could not be read")


@dataclass(frozen=True)
class Moves:
    """Everything in a clip's telemetry that describes the clip as a whole."""

    telemetry: Telemetry | None = None
    place: Place | None = None
    begins: datetime | None = None
    model: str | None = None
    serial_number: str | None = None
    iso: float | None = None
    exposure_s: float | None = None
    f_stop: float | None = None


def read_moves(path: Path, tags: Tags) -> Moves:
    """Read a clip's telemetry, where its tags show that it has some."""
    kind = telemetry_kind(path, tags)
    if kind is None:
        return Moves()
    try:
        answer = read_tags(path, _ASKED, timeout_s=_TIMEOUT_S)
    except UnreadableError as error:
        unread = Telemetry(
            kind=kind, sample_count=0, max_speed_m_s=None, bounds=None, unread=str(error)
        )
        return Moves(telemetry=unread)
    return describe_moves(kind, answer)


def telemetry_kind(path: Path, tags: Tags) -> str | None:
    """Tell whose telemetry a clip carries, or None."""
    tracks = {tag.text for tag in tags.all("MetaFormat", "OtherFormat")}
    kind = next((name for track, name in TRACKS.items() if track in tracks), None)
    if kind is None and any("DJI" in str(tag.shown) for tag in tags.all("HandlerDescription")):
        return "DJI"  # older drones write theirs as subtitles
    return kind or ("Insta360" if _ends_as_insta360(path) else None)


def describe_moves(kind: str, answer: Mapping[str, Any]) -> Moves:
    """Put together what the samples say."""
    samples = list(_samples(answer))
    fixes = [(place, sample) for sample in samples if (place := _place(kind, sample)) is not None]
    south_north = [place.latitude for place, _ in fixes]
    west_east = [place.longitude for place, _ in fixes]
    speeds = [speed for _, each in fixes if (speed := _number(each, "GPSSpeed")) is not None]
    telemetry = Telemetry(
        kind=kind,
        sample_count=len(fixes),
        max_speed_m_s=round(max(speeds) / 3.6, 3) if speeds else None,
        bounds=(min(south_north), min(west_east), max(south_north), max(west_east))
        if fixes
        else None,
    )
    return Moves(
        telemetry=telemetry,
        place=fixes[0][0] if fixes else None,
        begins=_beginning(samples) if kind in TELLS_SATELLITE_TIME else None,
        model=_first_text(samples, "Model"),
        serial_number=_first_text(samples, "SerialNumber"),
        iso=_first_number(samples, "ISO", "ISOSpeeds"),
        exposure_s=_first_number(samples, "ExposureTime", "ExposureTimes", "ShutterSpeed"),
        f_stop=_first_number(samples, "FNumber"),
    )


def _samples(answer: Mapping[str, Any]) -> Iterator[Sample]:
    """Give the tags of each sample; a part of one (Doc3-5) inherits whether there is a fix."""
    samples: dict[str, Sample] = {}
    for key, value in answer.items():
        document, _, name = key.partition(":")
        if name and not (document == "Main" and name.startswith("GPS")):  # those are the clip's own
            samples.setdefault(document, {})[name] = value
    for document, sample in samples.items():
        whole = samples.get(document.partition("-")[0], {})
        if "GPSMeasureMode" in whole:
            sample.setdefault("GPSMeasureMode", whole["GPSMeasureMode"])
        yield sample


def _has_fix(sample: Sample) -> bool:
    return str(sample.get("GPSMeasureMode", "3")) not in _WITHOUT_FIX


def _place(kind: str, sample: Sample) -> Place | None:
    if not _has_fix(sample):
        return None
    latitude, longitude = (
        -abs(number)
        if number and str(sample.get(f"{axis}Ref")).upper().startswith(below)
        else number
        for axis, below in (("GPSLatitude", "S"), ("GPSLongitude", "W"))
        for number in (_number(sample, axis),)
    )
    altitude = _number(sample, "GPSAltitude") if kind in TELLS_SEA_LEVEL else None
    return checked_place(latitude, longitude, altitude)


def _beginning(samples: list[Sample]) -> datetime | None:
    """Reckon from the first fix, which may come long after, to the clip's first frame; in UTC."""
    for sample in samples:
        moment = read_time(str(sample.get("GPSDateTime")), "Z") if _has_fix(sample) else None
        if moment is not None:
            return moment - timedelta(seconds=_number(sample, "SampleTime") or 0)
    return None


def _number(sample: Sample, name: str) -> float | None:
    return leading_number(sample.get(name))


def _first_number(samples: list[Sample], *names: str) -> float | None:
    found = (_number(sample, name) for sample in samples for name in names)
    return next((number for number in found if number), None)


def _first_text(samples: list[Sample], name: str) -> str | None:
    """Give the last word of the first: Sony puts the model before the serial number."""
    found = (str(sample[name]).strip() for sample in samples if name in sample)
    text = next((text for text in found if text), None)
    return text.split()[-1] if text and name == "SerialNumber" else text


def _ends_as_insta360(path: Path) -> bool:
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(max(0, length - len(_INSTA360_ENDS)))
        return file.read() == _INSTA360_ENDS
