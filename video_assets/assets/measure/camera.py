"""Camera: which camera took each clip, how it was set, where it stood and when.

Reads the tags of the source with exiftool; writes one Camera per clip. What a clip does not say is
None: a place without a fix, a date of the file, a lens that nobody named are not facts.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzfpy import get_tzs

from video_assets.clip_asset import clip_asset, clip_check
from video_assets.media.camera import CameraFacts, read_camera
from video_assets.media.source import Source
from video_assets.storage.artifacts import ArtifactFolder


class Camera(CameraFacts):
    """What one clip says of its camera."""


def summarize(camera: Camera, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give what is worth plotting and filtering by."""
    facts = {
        "make": camera.make,
        "model": camera.model,
        "lens": camera.lens_model,
        "captured": camera.capture.time if camera.capture else None,
        "place": camera.location.location_name,
        "latitude": camera.location.gps_latitude,
        "longitude": camera.location.gps_longitude,
        "iso": camera.settings.iso,
        "equivalent_35mm": camera.focal_length.equivalent_35mm,
    }
    return {name: value for name, value in facts.items() if value is not None}


def find_time_conflict(camera: Camera) -> str | None:
    """Say where the camera's clock was set to another zone than it stood in, or None."""
    place, capture = camera.location, camera.capture
    if place.gps_latitude is None or place.gps_longitude is None or capture is None:
        return None
    if not capture.utc_offset_minutes:  # none, or UTC, which a container writes everywhere
        return None
    names = get_tzs(place.gps_longitude, place.gps_latitude)
    offsets = {name: _offset_minutes(capture.time, name) for name in names}
    if not offsets or capture.utc_offset_minutes in offsets.values():
        return None
    name, minutes = next(iter(offsets.items()))
    if minutes is None or name.startswith("Etc/"):  # at sea a ship keeps whatever time it likes
        return None
    return (
        f"the camera's clock is {_hours(capture.utc_offset_minutes)} from UTC, but it stood in "
        f"{name}, which is {_hours(minutes)}; was it set for another place?"
    )


def _offset_minutes(time: str, zone: str) -> int | None:
    try:
        there = datetime.fromisoformat(time).astimezone(ZoneInfo(zone)).utcoffset()
    except ZoneInfoNotFoundError:
        return None
    return round(there.total_seconds() / 60) if there is not None else None


def _hours(minutes: int) -> str:
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


@clip_asset(lane="metadata", code_version="3", metadata=summarize)
def camera(source: Source) -> Camera:
    """Which camera took each clip, with which lens and settings, where and when."""
    return Camera.model_validate(dict(read_camera(source.path)))


@clip_check(camera)
def clock_fits_place(camera: Camera) -> str | None:
    """The zone of the capture time is the one of the place."""
    return find_time_conflict(camera)
