"""When a clip was taken, as its camera wrote it down: with its zone if that is known, or without.

A file's own dates are never a capture time, and a clock that was never set gives none.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from pydantic import BaseModel, ConfigDict, Field

from video_assets.media.camera_tags import Tag, Tags

# Where cameras write the time, the most telling first. Those above the line carry the zone or the
# camera's own record; what follows is the container's.
_TAGS = (
    "Keys:CreationDate",
    "ItemList:ContentCreateDate",
    "Composite:SubSecDateTimeOriginal",
    "ExifIFD:DateTimeOriginal",
    "UserData:DateTimeOriginal",
    "UserData:ContentCreateDate",
    "XML:CreationDateValue",
    "H264:DateTimeOriginal",
    "XMP-exif:DateTimeOriginal",
    "DateTimeOriginal",
    "XMP-xmp:CreateDate",
    "QuickTime:CreateDate",
    "CreateDate",
    "DateTimeUTC",
)
_IN_UTC = {"QuickTime", "Info"}  # by their standards: ISO/IEC 14496-12 and Matroska
# Makers whose cameras write their local time into the field that should hold UTC.
_LOCAL_IN_QUICKTIME = ("gopro", "canon", "nikon", "panasonic", "fujifilm", "olympus", "pentax")
_WRITTEN = re.compile(
    r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)(\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?",
)
_FIRST_YEAR = 1950
_UNSET = ("1904-01-01", "1970-01-01T00:00:00")
_QUARTER_S = 15 * 60
_FARTHEST_ZONE_S = 14 * 3600


class CaptureTime(BaseModel):
    """When a clip begins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: str = Field(description="ISO 8601, local where it was taken; ends in the zone if known")
    utc_offset_minutes: int | None = Field(description="None: the camera does not say")
    utc_time: str | None = Field(description="ISO 8601 in UTC; None without a zone")
    source: str = Field(description="group and name of the tag that says so")


def find_capture_time(
    tags: Tags, maker: str | None, gps_time: datetime | None
) -> CaptureTime | None:
    """Choose the tag that says when a clip was taken.

    gps_time  of the clip's first satellite fix, in UTC: tells the zone of a camera that does not
    """
    for tag in tags.all(*_TAGS):
        moment = read_time(str(tag.shown), _offset_tags(tags, tag))
        if moment is None:
            continue
        if moment.tzinfo is None and tag.group in _IN_UTC and not _writes_local(tag, maker):
            moment = moment.replace(tzinfo=timezone.utc)
        if moment.tzinfo is None and gps_time is not None:
            moment = _in_zone_of(moment, gps_time)
        return describe(moment, f"{tag.group}:{tag.name}")
    return describe(gps_time, "GPS:GPSDateTime") if gps_time is not None else None


def read_time(text: str, offset: str | None = None) -> datetime | None:
    """Read exiftool's way to write a time; None for one that no clock that was set can show."""
    found = _WRITTEN.match(text.strip())
    if found is None or int(found[1]) < _FIRST_YEAR:
        return None
    zone = (found[8] or offset or "").replace("UTC", "Z")
    try:
        year, month, day, hour, minute, second = (int(found[part]) for part in range(1, 7))
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  may be local
        moment += timedelta(seconds=float(found[7] or 0))
        moment = moment.replace(tzinfo=_zone(zone)) if zone else moment
    except ValueError:  # a 13th month, a 61st second
        return None
    return None if moment.isoformat().startswith(_UNSET) else moment


def describe(moment: datetime, source: str) -> CaptureTime:
    """Put a moment into words."""
    offset = moment.utcoffset()
    return CaptureTime(
        time=_iso(moment),
        utc_offset_minutes=None if offset is None else round(offset.total_seconds() / 60),
        utc_time=None if offset is None else _iso(moment.astimezone(timezone.utc)),
        source=source,
    )


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def _zone(written: str) -> timezone:
    if written == "Z":
        return timezone.utc
    minutes = int(written[1:3]) * 60 + int(written[-2:])
    return timezone(timedelta(minutes=-minutes if written[0] == "-" else minutes))


def _offset_tags(tags: Tags, tag: Tag) -> str | None:
    """Give the zone that stands in a tag of its own, as EXIF has it."""
    if tag.group not in ("ExifIFD", "Composite"):
        return None
    text = tags.text("ExifIFD:OffsetTimeOriginal", "ExifIFD:OffsetTime")
    return text if text and re.fullmatch(r"Z|[+-]\d\d:\d\d", text) else None


def _writes_local(tag: Tag, maker: str | None) -> bool:
    is_local = (maker or "").lower().startswith(_LOCAL_IN_QUICKTIME)
    return tag.group == "QuickTime" and is_local


def _in_zone_of(moment: datetime, gps_time: datetime) -> datetime:
    """Give a local time the zone that its distance from the satellites' time shows."""
    away_s = (moment - gps_time.replace(tzinfo=None)).total_seconds()
    offset_s = round(away_s / _QUARTER_S) * _QUARTER_S
    if abs(offset_s) > _FARTHEST_ZONE_S or abs(away_s - offset_s) > _QUARTER_S / 3:
        return moment  # the camera's clock was wrong, not abroad
    return moment.replace(tzinfo=timezone(timedelta(seconds=offset_s)))


def first_fix(times: Sequence[str]) -> datetime | None:
    """Read the first satellite time of a clip, which is always UTC."""
    moments = (read_time(text, "Z") for text in times)
    return next((moment for moment in moments if moment is not None), None)
