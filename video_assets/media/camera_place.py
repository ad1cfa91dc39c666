"""Where a clip was taken: as its file says, and what people call that place."""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from video_assets.media.camera_tags import Tag, Tags, acquisition_items
from video_assets.media.exiftool import read_tags

FARTHEST_CITY_KM = 30
LOWEST_M, HIGHEST_M = -12_000, 100_000
_ISO_6709 = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?(?:CRS\w+)?/?")
_SEXAGESIMAL = re.compile(r"\d+(?::\d+){0,2}(?:\.\d+)?")
_ISO_6709_TAGS = ("Location", "LocationEng", "Comapplequicktimelocationiso6709")
"""From other containers, into which FFmpeg copies a phone's tags as text."""


class Place(NamedTuple):
    """A place on earth."""

    latitude: float
    longitude: float
    altitude: float | None


class Location(BaseModel):
    """Where a camera stood when it began."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gps_latitude: float | None = Field(description="degrees, south negative")
    gps_longitude: float | None = Field(description="degrees, west negative")
    gps_altitude: float | None = Field(description="metres above the sea, below negative")
    location_name: str | None = Field(description="city, state, country")
    is_named_by_distance: bool = Field(description="the name is that of the nearest city")


def describe_location(tags: Tags, place: Place | None, nearest: str | None) -> Location:
    """Name a place as the file does, or else by the nearest city."""
    written = written_name(tags)
    return Location(
        gps_latitude=place.latitude if place else None,
        gps_longitude=place.longitude if place else None,
        gps_altitude=place.altitude if place else None,
        location_name=written or nearest,
        is_named_by_distance=written is None and nearest is not None,
    )


def find_place(tags: Tags) -> Place | None:
    """Give the first place that the file itself names."""
    return next((place for place in _candidates(tags) if place is not None), None)


def checked_place(
    latitude: float | None, longitude: float | None, altitude: float | None
) -> Place | None:
    """Refuse what is no place on earth; 0, 0 is what a receiver without a fix writes."""
    if latitude is None or longitude is None or (latitude, longitude) == (0, 0):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    is_on_earth = altitude is not None and LOWEST_M <= altitude <= HIGHEST_M
    return Place(round(latitude, 7), round(longitude, 7), altitude if is_on_earth else None)


def written_name(tags: Tags) -> str | None:
    """Give the place name that somebody wrote into the file."""
    return _join_names(tags, "City", ("Province-State", "State"), "Country") or tags.text(
        "LocationName"
    )


def name_nearest_city(path: Path, place: Place) -> str | None:
    """Ask exiftool's own gazetteer; None far from every city, and before exiftool 12.78."""
    where = ("-api", f"geolocation={place.latitude},{place.longitude}")
    near = ("-api", f"geolocmaxdist={FARTHEST_CITY_KM}")
    # -fast4 reads nothing of the file, whose own places would come first.
    tags = Tags(read_tags(path, ("-G1", "-fast4", *where, *near, "-Geolocation*")))
    return _join_names(tags, "GeolocationCity", ("GeolocationRegion",), "GeolocationCountry")


def read_iso_6709(text: str) -> Place | None:
    """Read `+40.6892-074.0445+010.000/`, also with minutes, or minutes and seconds."""
    found = _ISO_6709.fullmatch(text.strip())
    if found is None:
        return None
    altitude = float(found[3]) if found[3] else None
    return checked_place(_degrees(found[1], 2), _degrees(found[2], 3), altitude)


def _degrees(written: str, digits: int) -> float:
    """Read a sign, so many digits of degrees, then pairs for minutes and seconds."""
    pairs = (len(written[1:].partition(".")[0]) - digits) // 2
    degrees, minutes = abs(float(written)), 0.0
    for _ in range(pairs):
        degrees, last = divmod(degrees, 100)
        minutes = (minutes + last) / 60
    return math.copysign(degrees + minutes, -1 if written[0] == "-" else 1)


def _candidates(tags: Tags) -> Iterator[Place | None]:
    latitude, longitude = (
        tags.number("Composite:GPSLatitude"),
        tags.number("Composite:GPSLongitude"),
    )
    yield checked_place(latitude, longitude, _altitude(tags))
    for tag in tags.all("GPSCoordinates", "GPSPosition"):
        numbers = _numbers(tag)
        if len(numbers) in (2, 3):
            yield checked_place(numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else None)
    for tag in tags.all(*_ISO_6709_TAGS):
        yield read_iso_6709(str(tag.raw))
    yield _sony_place(acquisition_items(tags))


def _sony_place(items: Mapping[str, str]) -> Place | None:
    """Read what Sony's cameras write in XML, with degrees, minutes and seconds apart."""
    if items.get("Status") == "V":  # void: the receiver has no fix
        return None
    return checked_place(
        _sexagesimal(items.get("Latitude"), items.get("LatitudeRef") == "S"),
        _sexagesimal(items.get("Longitude"), items.get("LongitudeRef") == "W"),
        _sexagesimal(items.get("Altitude"), items.get("AltitudeRef") == "1"),
    )


def _sexagesimal(written: str | None, is_negative: bool) -> float | None:
    """Read `33:51:24.48`, or a plain number."""
    if written is None or not _SEXAGESIMAL.fullmatch(written):
        return None
    value = sum(float(part) / 60**power for power, part in enumerate(written.split(":")))
    return -value if is_negative else value


def _altitude(tags: Tags) -> float | None:
    """Give metres above the sea: a tag of its own says when they are below."""
    metres = tags.number("Composite:GPSAltitude")
    if metres == 0 and tags.has("LocationInformation") and not tags.has("GPSCoordinates"):
        return None  # 3GPP's record always holds one, so that writers who know none put zero
    is_below = tags.number("Composite:GPSAltitudeRef", "GPS:GPSAltitudeRef") == 1
    return -abs(metres) if metres is not None and is_below else metres


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
