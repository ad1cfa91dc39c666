"""What a clip says of its camera: who made it, how it was set, where it stood, when it ran."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from video_assets.media.camera_tags import Tag, Tags
from video_assets.media.capture_time import CaptureTime, find_capture_time, first_fix
from video_assets.media.exiftool import read_tags

_ALL = ("-l", "-G1", "-a", "-api", "geolocation=1", "-api", "largefilesupport=1")
_TELEMETRY = ("-GPSDateTime", "-GPSLatitude", "-GPSLongitude", "-GPSAltitude", "-GPSSpeed")
TELEMETRY_TRACKS = {"gpmd": "GoPro", "djmd": "DJI", "rtmd": "Sony", "camm": "Android camera motion"}
"""Formats of tracks in which cameras write where they are while they run."""
_TELEMETRY_S = 120.0

_PROFILE_TAGS = ("CanonLogVersion", "GammaCurve", "PictureProfile", "PhotoStyle", "ColorMode")
_EXPOSURE_MODES = {0: "Auto", 1: "Manual", 2: "Auto bracket"}
_WHITE_BALANCES = {0: "Auto", 1: "Manual"}
CATEGORIES = (
    (18, "ULTRA-WIDE"),
    (35, "WIDE"),
    (70, "MEDIUM"),
    (200, "LONG-LENS"),
    (math.inf, "TELEPHOTO"),
)
"""Upper ends, of the focal length that a full frame would need for the same view."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FocalLength(_Facts):
    """How wide a lens sees."""

    value_mm: float | None
    equivalent_35mm: float | None = Field(description="mm that give the same view on full frame")
    category: str | None = Field(description="from the equivalent; None where that is unknown")
    source: str | None = Field(description="EXIF where the clip says it")


class CameraSettings(_Facts):
    """How a camera was set."""

    iso: int | None
    shutter_speed: str | None = Field(description="1/50, 2s")
    f_stop: float | None
    exposure_mode: str | None
    white_balance: str | None
    light_source: str | None


class Location(_Facts):
    """Where a camera stood when it began."""

    gps_latitude: float | None = Field(description="degrees, south negative")
    gps_longitude: float | None = Field(description="degrees, west negative")
    gps_altitude: float | None = Field(description="metres above the sea, below negative")
    location_name: str | None = Field(description="city, state, country")
    is_named_by_distance: bool = Field(description="the name is that of the nearest city")


class Telemetry(_Facts):
    """What a camera wrote of its own movement."""

    kind: str
    sample_count: int
    max_speed_m_s: float | None
    bounds: tuple[float, float, float, float] | None = Field(
        description="least latitude and longitude, greatest latitude and longitude"
    )


class CameraFacts(_Facts):
    """Everything that a clip says of its camera; None where it says nothing."""

    make: str | None
    model: str | None
    lens_model: str | None
    serial_number: str | None
    focal_length: FocalLength
    settings: CameraSettings
    location: Location
    capture: CaptureTime | None
    telemetry: Telemetry | None
    picture_profile: str | None = Field(description="gamma or look, as the camera calls it")
    software: str | None
    artist: str | None
    copyright: str | None
    description: str | None


def read_camera(path: Path) -> CameraFacts:
    """Read a clip's tags, and its telemetry if it has a track of it.

    Raises ToolMissingError without exiftool, UnreadableError where that fails on the file.
    """
    tags = Tags(read_tags(path, _ALL))
    tracks = {tag.text for tag in tags.all("MetaFormat", "OtherFormat")}
    kind = next((name for track, name in TELEMETRY_TRACKS.items() if track in tracks), None)
    if kind is None and any("DJI" in str(tag.shown) for tag in tags.all("HandlerDescription")):
        kind = "DJI"  # drones write theirs as subtitles
    moves: Mapping[str, Any] = {}
    if kind is not None:
        arguments = ("-ee", "-n", "-G3", "-a", *_TELEMETRY)
        moves = read_tags(path, arguments, timeout_s=_TELEMETRY_S)
    return describe_camera(tags, kind, moves)


def describe_camera(tags: Tags, kind: str | None, moves: Mapping[str, Any]) -> CameraFacts:
    """Put together what the tags say."""
    make = tags.text("Make", "DeviceManufacturer", "AndroidMake", "Manufacturer") or (
        "GoPro" if tags.has_group("GoPro") else None
    )
    times = [str(value) for key, value in moves.items() if key.endswith(":GPSDateTime")]
    return CameraFacts(
        make=make,
        model=tags.text(
            "Model", "DeviceModelName", "AndroidModel", "CameraModelName", "PentaxModelID"
        ),
        lens_model=tags.text(
            "LensModel", "Composite:LensID", "LensType", "LensModelName", "Lens", "LensInfo"
        ),
        serial_number=tags.text(
            "SerialNumber", "CameraSerialNumber", "InternalSerialNumber", "DeviceSerialNo"
        ),
        focal_length=_focal_length(tags),
        settings=_settings(tags),
        location=_location(tags, moves),
        capture=find_capture_time(tags, make, first_fix(times)),
        telemetry=_telemetry(kind, moves),
        picture_profile=_picture_profile(tags),
        software=tags.text("Software", "CreatorTool", "WritingApp") or _android(tags),
        artist=tags.text("Artist", "Author", "Creator", "By-line"),
        copyright=tags.text("Copyright", "Rights", "CopyrightNotice"),
        description=tags.text("ImageDescription", "Description", "Caption-Abstract", "Comment"),
    )


def category_of(equivalent_mm: float | None) -> str | None:
    """Name the view of a focal length in terms of full frame."""
    if equivalent_mm is None or equivalent_mm <= 0:
        return None
    return next(name for upper, name in CATEGORIES if equivalent_mm < upper)


def write_shutter(seconds: float | None) -> str | None:
    """Write a time of exposure as photographers do."""
    if seconds is None or not 0 < seconds < 3600:
        return None
    return f"{seconds:g}s" if seconds >= 1 else f"1/{round(1 / seconds)}"


def _picture_profile(tags: Tags) -> str | None:
    """Find the gamma; Sony lists it among others: CaptureGammaEquation's value is `s-log3-cine`."""
    names = tags.text("AcquisitionRecordGroupItemName") or ""
    values = tags.text("AcquisitionRecordGroupItemValue") or ""
    pairs = zip(names.split(", "), values.split(", "), strict=False)
    listed = {name.strip(): value.strip() for name, value in pairs}
    return listed.get("CaptureGammaEquation") or tags.text(*_PROFILE_TAGS)


def _android(tags: Tags) -> str | None:
    version = tags.text("AndroidVersion")
    return f"Android {version}" if version else None


def _focal_length(tags: Tags) -> FocalLength:
    value = _positive(tags.number("FocalLength", "SRFocalLength", "LensFocalLength"))
    equivalent = _positive(
        tags.number(
            "FocalLengthIn35mmFormat",
            "FocalLengthIn35mmFilm",
            "CameraFocalLength35mmEquivalent",
        )
    )
    scale = tags.number("Composite:ScaleFactor35efl", "CropFactor")
    if equivalent is None and value and scale:
        equivalent = round(value * scale, 1)
    source = "EXIF" if value or equivalent else None
    return FocalLength(
        value_mm=value,
        equivalent_35mm=equivalent,
        category=category_of(equivalent),
        source=source,
    )


def _settings(tags: Tags) -> CameraSettings:
    iso = _positive(tags.number("ISO", "PhotographicSensitivity", "ISOSpeed"))
    return CameraSettings(
        iso=round(iso) if iso else None,
        shutter_speed=write_shutter(
            tags.number("ExposureTime", "ShutterSpeedValue", "ShutterSpeed")
        ),
        f_stop=_positive(tags.number("FNumber", "ApertureValue", "Aperture")),
        exposure_mode=_named(tags, _EXPOSURE_MODES, "ExposureMode", "ExposureType"),
        white_balance=_named(tags, _WHITE_BALANCES, "ExifIFD:WhiteBalance", "WhiteBalance"),
        light_source=tags.text("LightSource"),
    )


def _named(tags: Tags, names: Mapping[int, str], *wanted: str) -> str | None:
    """Name a code of EXIF's, or give another group's own words."""
    for tag in tags.all(*wanted):
        number = tag.raw if isinstance(tag.raw, int) else None
        if tag.group == "ExifIFD" and number is not None:
            return names.get(number, f"Unknown ({number})")
        if words := tag.text:
            return words.capitalize() if words.isupper() else words
    return None


def _location(tags: Tags, moves: Mapping[str, Any]) -> Location:
    place = _place(tags) or _first_place(moves) or (None, None, None)
    written = _join_names(tags, "City", ("Province-State", "State"), "Country")
    nearest = None
    if place[0] is not None:
        nearest = _join_names(tags, "GeolocationCity", ("GeolocationRegion",), "GeolocationCountry")
    return Location(
        gps_latitude=place[0],
        gps_longitude=place[1],
        gps_altitude=place[2],
        location_name=written or nearest,
        is_named_by_distance=written is None and nearest is not None,
    )


def _place(tags: Tags) -> tuple[float, float, float | None] | None:
    """Find the place that the file itself names; 0, 0 is what a receiver without a fix writes."""
    found = (
        tags.number("Composite:GPSLatitude"),
        tags.number("Composite:GPSLongitude"),
        _altitude(tags),
    )
    if found[0] is None or found[1] is None:
        numbers = [_numbers(tag) for tag in tags.all("GPSCoordinates", "GPSPosition")]
        found = next(((*n, None)[:3] for n in numbers if len(n) in (2, 3)), found)
    return checked_place(*found)


def _altitude(tags: Tags) -> float | None:
    """Give metres above the sea: a tag of its own says when they are below."""
    metres = tags.number("Composite:GPSAltitude")
    is_below = tags.number("Composite:GPSAltitudeRef", "GPS:GPSAltitudeRef") == 1
    return -abs(metres) if metres is not None and is_below else metres


def checked_place(
    latitude: float | None, longitude: float | None, altitude: float | None
) -> tuple[float, float, float | None] | None:
    """Refuse what is no place on earth."""
    if latitude is None or longitude is None or (latitude, longitude) == (0, 0):
        return None
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return round(latitude, 7), round(longitude, 7), altitude


def _first_place(moves: Mapping[str, Any]) -> tuple[float, float, float | None] | None:
    places = [
        checked_place(_float(lat), _float(moves.get(f"{key.partition(':')[0]}:GPSLongitude")), None)
        for key, lat in moves.items()
        if key.endswith(":GPSLatitude")
    ]
    return next((place for place in places if place is not None), None)


def _telemetry(kind: str | None, moves: Mapping[str, Any]) -> Telemetry | None:
    if kind is None:
        return None
    columns = {
        name: [v for k, value in moves.items() if k.endswith(f":{name}") and (v := _float(value))]
        for name in ("GPSLatitude", "GPSLongitude", "GPSSpeed")
    }
    south_north, west_east = columns["GPSLatitude"], columns["GPSLongitude"]
    bounds = None
    if south_north and west_east:
        bounds = (min(south_north), min(west_east), max(south_north), max(west_east))
    return Telemetry(
        kind=kind,
        sample_count=len(south_north),
        max_speed_m_s=round(max(columns["GPSSpeed"]) / 3.6, 3) if columns["GPSSpeed"] else None,
        bounds=bounds,
    )


def _join_names(tags: Tags, city: str, states: tuple[str, ...], country: str) -> str | None:
    names = (
        tags.text(city),
        tags.text(*states),
        tags.text(country, f"{country}-PrimaryLocationName"),
    )
    return ", ".join(dict.fromkeys(name for name in names if name)) or None


def _numbers(tag: Tag) -> list[float]:
    try:
        return [float(word) for word in str(tag.raw).replace(",", " ").split()]
    except ValueError:
        return []


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _positive(number: float | None) -> float | None:
    """Drop what a camera writes for `not known`: zero, less, or what never was a number."""
    return number if number is not None and 0 < number < 1e6 else None
