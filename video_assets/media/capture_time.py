"""When a clip was taken, as its camera wrote it down: with its zone if that is known, or without.

A file's own dates are never a capture time, and a clock that was never set gives none.
"""

import re
from datetime import datetime, timedelta, timezone

from pydantic import BaseModel, ConfigDict, Field

from video_assets.media.camera_tags import Tag, Tags

# Where cameras write the time, the most telling first. Those above the line carry the zone or the
# camera's own record; what follows is the container's.
_TAGS = (
    "Keys:CreationDate",
    "Comapplequicktimecreationdate",
    "ItemList:ContentCreateDate",
    "Composite:SubSecDateTimeOriginal",
    "ExifIFD:DateTimeOriginal",
    "UserData:DateTimeOriginal",
    "UserData:ContentCreateDate",
    "XML:CreationDateValue",
    "H264:DateTimeOriginal",
    "XMP-exif:DateTimeOriginal",
    "Matroska:DateTimeOriginal",
    "DateTimeOriginal",
    "XMP-xmp:CreateDate",
    "QuickTime:CreateDate",
    "CreateDate",
    "ASF:CreationDate",
    "DateTimeUTC",
)
_IN_UTC = {"QuickTime", "Info"}  # by their standards: ISO/IEC 14496-12 and Matroska
# Makers whose cameras write their local time, some or all of them, where UTC should stand.
_LOCAL_IN_QUICKTIME = (
    *("gopro", "canon", "nikon", "panasonic", "fujifilm", "olympus", "om digital", "pentax"),
    *("asahi", "casio", "dji", "kodak", "eastman", "leica", "ricoh", "sanyo", "sigma"),
)
_ZONES_IN_MINUTES = ("GoPro:TimeZone", "Canon:TimeZone")
_WRITTEN = re.compile(
    r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)(\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?",
)
_YEARS = range(1950, 2200)
_UNSET = ("1970-01-01T00:00:00", "1980-01-01T00:00:00")
_CLOCK_ERROR_S = 5 * 60
_FARTHEST_ZONES = timedelta(hours=-12), timedelta(hours=14)
_BROKEN_HOURS = (-9.5, -3.5, -2.5, 3.5, 4.5, 5.5, 5.75, 6.5, 8.75, 9.5, 10.5, 12.75, 13.75)
_OFFSETS_S = [hours * 3600 for hours in (*range(-12, 15), *_BROKEN_HOURS)]


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

    gps_time  when the clip begins by the satellites, in UTC: tells the zone of a camera that
              does not
    """
    for tag in tags.all(*_TAGS):
        moment = read_time(str(tag.shown), _offset_tags(tags, tag))
        if moment is None:
            continue
        if moment.tzinfo is None and tag.group in _IN_UTC and not _writes_local(tag, maker):
            moment = moment.replace(tzinfo=timezone.utc)
        return describe(_in_known_zone(moment, tags, gps_time), f"{tag.group}:{tag.name}")
    return describe(gps_time, "GPS:GPSDateTime") if gps_time is not None else None


def read_time(text: str, offset: str | None = None) -> datetime | None:
    """Read exiftool's way to write a time; None for one that no clock that was set can show."""
    found = _WRITTEN.match(text.strip())
    if found is None or int(found[1]) not in _YEARS:
        return None
    try:
        year, month, day, hour, minute, second = (int(found[part]) for part in range(1, 7))
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  may be local
    except ValueError:  # a 13th month, a 61st second
        return None
    moment += timedelta(seconds=float(found[7] or 0))
    moment = moment.replace(tzinfo=_zone(found[8] or offset))
    in_utc = moment.astimezone(timezone.utc) if moment.tzinfo else moment
    return None if in_utc.isoformat().startswith(_UNSET) else moment


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


def _zone(written: str | None) -> timezone | None:
    """Read a zone; None for one that is not on earth, which stands for `not set`."""
    if written is None:
        return None
    if not re.fullmatch(r"[+-]\d\d:?\d\d", written):
        return timezone.utc if written in ("Z", "UTC") else None
    away = timedelta(hours=int(written[1:3]), minutes=int(written[-2:]))
    away = -away if written[0] == "-" else away
    return timezone(away) if _FARTHEST_ZONES[0] <= away <= _FARTHEST_ZONES[1] else None


def _offset_tags(tags: Tags, tag: Tag) -> str | None:
    """Give the zone that stands in a tag of its own, as EXIF has it."""
    if tag.group not in ("ExifIFD", "Composite"):
        return None
    text = tags.text("ExifIFD:OffsetTimeOriginal", "ExifIFD:OffsetTime")
    return text if text and re.fullmatch(r"Z|[+-]\d\d:\d\d", text) else None


def _writes_local(tag: Tag, maker: str | None) -> bool:
    is_local = (maker or "").lower().startswith(_LOCAL_IN_QUICKTIME)
    return tag.group == "QuickTime" and is_local


def _in_known_zone(moment: datetime, tags: Tags, gps_time: datetime | None) -> datetime:
    """Give a moment the zone that other tags or the satellites tell, if any does."""
    if moment.tzinfo is None:
        by_satellites = _in_zone_of(moment, gps_time) if gps_time is not None else moment
        if by_satellites.tzinfo is not None:
            return by_satellites
        minutes = next((tag.number for tag in tags.all(*_ZONES_IN_MINUTES)), None)
        if minutes:  # zero is also what a camera writes that was never told
            return moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    elif moment.tzinfo is timezone.utc:
        return moment.astimezone(_zone(tags.text("AndroidTimeZone")) or timezone.utc)
    return moment


def _in_zone_of(moment: datetime, gps_time: datetime) -> datetime:
    """Give a local time the zone that its distance from the satellites' time shows."""
    away_s = (moment - gps_time.replace(tzinfo=None)).total_seconds()
    offset_s = min(_OFFSETS_S, key=lambda offset_s: abs(away_s - offset_s))
    if abs(away_s - offset_s) > _CLOCK_ERROR_S:
        return moment  # the camera's clock was wrong, not abroad
    return moment.replace(tzinfo=timezone(timedelta(seconds=offset_s)))
