"""What a clip says of its camera: who made it, how it was set, where it stood, when it ran."""

import math
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from video_assets.media.camera_place import (
    Location,
    describe_location,
    find_place,
    name_nearest_city,
    written_name,
)
from video_assets.media.camera_tags import Tags, acquisition_items
from video_assets.media.camera_telemetry import Moves, Telemetry, read_moves
from video_assets.media.capture_time import CaptureTime, find_capture_time
from video_assets.media.errors import UnreadableError
from video_assets.media.exiftool import read_tags

_ALL = ("-l", "-G1:4", "-a", "-api", "largefilesupport=1")
_MAKES = (
    *("Make", "DeviceManufacturer", "DeviceManufacturerName", "AndroidMake", "Manufacturer"),
    *("AppleProappsManufacturer", "Comapplequicktimemake"),
)
_MODELS = (
    *("Model", "DeviceModelName", "DeviceModel", "AndroidModel", "CameraModelName"),
    *("PentaxModelID", "AppleProappsCameraName", "ArriCameraCameraModel"),
    *("Blackmagic-designCameraCameraType", "Comapplequicktimemodel"),
)
_LENSES = (
    *("LensModel", "Composite:LensID", "LensType", "LensModelName", "Lens", "LensInfo"),
    "Blackmagic-designCameraLensType",
)
_SERIAL_NUMBERS = (
    *("SerialNumber", "CameraSerialNumber", "InternalSerialNumber", "DeviceSerialNo"),
    *("DeviceSerialNumber", "AppleProappsSerialno", "ArriCameraCameraSerialNumber"),
)
_MAKERS_OF_TELEMETRY = ("GoPro", "DJI", "Sony", "Insta360")
_SHUTTER_ERROR = 0.04
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
    """Read a clip's tags, and its telemetry if it has some.

    Raises ToolMissingError without exiftool, UnreadableError where that fails on the file.
    """
    tags = Tags(read_tags(path, _ALL))
    _refuse_without_index(tags)
    moves = read_moves(path, tags)
    place = find_place(tags) or moves.place
    nearest = name_nearest_city(path, place) if place and not written_name(tags) else None
    return describe_camera(tags, moves, nearest)


def _refuse_without_index(tags: Tags) -> None:
    is_movie = tags.has("QuickTime:MajorBrand") and not tags.has_group("Meta")  # HEIC has that
    if is_movie and not tags.has("QuickTime:MovieHeaderVersion"):
        raise UnreadableError("the part of the file that holds its tags (moov) is missing")


def describe_camera(tags: Tags, moves: Moves, nearest_city: str | None = None) -> CameraFacts:
    """Put together what the tags and the telemetry say."""
    make = _make(tags, moves)
    return CameraFacts(
        make=make,
        model=tags.text(*_MODELS) or moves.model,
        lens_model=tags.text(*_LENSES),
        serial_number=tags.text(*_SERIAL_NUMBERS) or moves.serial_number,
        focal_length=_focal_length(tags),
        settings=_settings(tags, moves),
        location=describe_location(tags, find_place(tags) or moves.place, nearest_city),
        capture=find_capture_time(tags, make, moves.begins),
        telemetry=moves.telemetry,
        picture_profile=_picture_profile(tags),
        software=tags.text("Software", "Comapplequicktimesoftware", "CreatorTool", "WritingApp")
        or _android(tags),
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
    """Write a time of exposure as photographers do: 1/50, 0.6s, 2s."""
    if seconds is None or not 0 < seconds < 3600:
        return None
    fraction = round(1 / seconds)
    is_fraction = fraction > 1 and abs(fraction * seconds - 1) < _SHUTTER_ERROR
    return f"1/{fraction}" if is_fraction else f"{round(seconds, 1):g}s"


def _picture_profile(tags: Tags) -> str | None:
    """Find the gamma or look, as the camera calls it."""
    gamma = acquisition_items(tags).get("CaptureGammaEquation")
    return gamma or tags.text(*_PROFILE_TAGS)


def _make(tags: Tags, moves: Moves) -> str | None:
    kind = moves.telemetry.kind if moves.telemetry else None
    named = kind if kind in _MAKERS_OF_TELEMETRY else None
    return tags.text(*_MAKES) or named or ("GoPro" if tags.has_group("GoPro") else None)


def _android(tags: Tags) -> str | None:
    version = tags.text("AndroidVersion")
    return f"Android {version}" if version else None


def _focal_length(tags: Tags) -> FocalLength:
    value = _positive(tags.number("FocalLength", "SRFocalLength", "LensFocalLength"))
    equivalent = _positive(
        tags.number(
            "FocalLengthIn35mmFormat",
            "CameraFocalLength35mmEquivalent",
        )
    )
    scale = tags.number("Composite:ScaleFactor35efl")
    if equivalent is None and value and scale:
        equivalent = round(value * scale, 1)
    source = "EXIF" if value or equivalent else None
    return FocalLength(
        value_mm=value,
        equivalent_35mm=equivalent,
        category=category_of(equivalent),
        source=source,
    )


def _settings(tags: Tags, moves: Moves) -> CameraSettings:
    iso = _positive(tags.number("ISO", "PhotographicSensitivity", "ISOSpeed")) or moves.iso
    exposure_s = _positive(tags.number("ExposureTime", "ShutterSpeedValue", "ShutterSpeed"))
    f_stop = _positive(tags.number("FNumber", "ApertureValue", "Aperture")) or moves.f_stop
    return CameraSettings(
        iso=round(iso) if iso else None,
        shutter_speed=write_shutter(exposure_s or moves.exposure_s),
        f_stop=round(f_stop, 2) if f_stop else None,
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


def _positive(number: float | None) -> float | None:
    """Drop what a camera writes for `not known`: zero, less, or what never was a number."""
    return number if number is not None and 0 < number < 1e6 else None
