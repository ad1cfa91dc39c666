"""Selecting clips by what is known of them: `camera_make=Canon,duration>60`.

A selection is parsed into known facts, known signs and values; the values are parameters of one
statement, and nothing that a person writes becomes part of it.
"""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from video_assets.storage.named_queries import load
from video_assets.storage.way_in import WayIn

Kind = Literal["word", "name", "number", "date", "flag", "place"]

FACTS: Mapping[str, Kind] = {
    "file_name": "word",
    "path": "word",
    "camera_make": "word",
    "camera_model": "word",
    "lens_model": "word",
    "codec": "word",
    "container": "word",
    "language": "word",
    "preset": "word",
    "category": "word",
    "tag": "name",
    "place": "word",
    "exposure": "word",
    "hdr_format": "word",
    "status": "name",
    "orientation": "name",
    "is_hdr": "flag",
    "has_audio": "flag",
    "has_speech": "flag",
    "near": "place",
    "duration": "number",
    "width": "number",
    "height": "number",
    "frame_rate": "number",
    "size": "number",
    "scenes": "number",
    "captured": "date",
    "registered": "date",
}
SIGNS: Mapping[Kind, tuple[str, ...]] = {
    "word": ("=", "!=", "~"),
    "name": ("=", "!="),
    "place": ("=",),
    "flag": ("=", "!="),
    "number": ("=", "!=", ">", ">=", "<", "<="),
    "date": (">", ">=", "<", "<="),
}
_CONDITION = re.compile(r"\s*(\w+)\s*(!=|>=|<=|=|>|<|~)\s*(.*?)\s*", re.DOTALL)

_queries: Any = load(Path(__file__))


class SelectionError(ValueError):
    """A selection that cannot be meant; the text says what to write."""


@dataclass(frozen=True)
class Condition:
    """What one fact of a clip has to be: compared as a word in small letters, or as a number.

    latitude, longitude  degrees, of `near` alone, whose number is a distance in km
    """

    fact: str
    op: str
    word: str | None = None
    number: float | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class SelectedClip:
    """A clip, and the preset that it goes by; empty for one that tells none."""

    checksum: str
    preset: str


def parse(text: str) -> tuple[Condition, ...]:
    """Read conditions that are parted by commas, all of which have to hold.

    Raises SelectionError for a fact, sign or value that there is not.
    """
    return tuple(_condition(part) for part in text.split(",") if part.strip())


def select_clips(
    catalogue: WayIn, conditions: Sequence[Condition] = (), *, owner: UUID | None = None
) -> list[SelectedClip]:
    """List the clips of one owner, or of all, that meet the conditions; oldest first."""
    written = Jsonb([asdict(condition) for condition in conditions])
    with catalogue.transaction(owner) as connection:
        rows = _queries.select_clips(connection, conditions=written)
        return [SelectedClip(row["file_checksum"], row["preset"]) for row in rows]


def _condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise SelectionError(f"{text.strip()!r} is no condition; write one as duration>60")
    fact, op, value = found.groups()
    if fact not in FACTS:
        close = difflib.get_close_matches(fact, FACTS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(FACTS)}"
        raise SelectionError(f"clips have no fact {fact!r}; {hint}")
    kind = FACTS[fact]
    if op not in SIGNS[kind]:
        raise SelectionError(f"{fact} is a {kind}, which takes {' '.join(SIGNS[kind])}, not {op}")
    if not value:
        raise SelectionError(f"{text.strip()!r} names no value")
    if kind == "place":
        return _near(value)
    if kind in ("word", "name"):
        return Condition(fact, op, word=value.lower())
    if kind == "flag":
        return Condition(fact, op, word=_flag(fact, value))
    return Condition(fact, op, number=_number(fact, kind, value))


def _near(value: str) -> Condition:
    parts = value.split("/")
    latitude, longitude, km = map(_finite, parts if len(parts) == 3 else ["", "", ""])
    if (
        latitude is None
        or longitude is None
        or km is None
        or abs(latitude) > 90
        or abs(longitude) > 360
    ):
        raise SelectionError(f"near is latitude/longitude/km such as 47.37/8.54/10, not {value!r}")
    return Condition("near", "<=", number=km, latitude=latitude, longitude=longitude)


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _flag(fact: str, value: str) -> str:
    words = {"yes": "true", "true": "true", "no": "false", "false": "false"}
    if value.lower() not in words:
        raise SelectionError(f"{fact} is yes or no, not {value!r}")
    return words[value.lower()]


def _number(fact: str, kind: Kind, value: str) -> float:
    try:
        number = _finite(value) if kind == "number" else datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError, OSError):
        number = None
    if number is None:
        example = "60" if kind == "number" else "2026-05-31"
        raise SelectionError(f"{fact} is a {kind} such as {example}, not {value!r}")
    return number
