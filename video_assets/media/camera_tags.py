"""exiftool's answer as something to look things up in: by tag, whichever group wrote it."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Facts about the file as it lies here, or worked out by exiftool for its own display.
_NOT_THE_CLIP = {"File", "System", "ExifTool"}
_UNKNOWN = re.compile(r"Unknown\b|\(none\)|n/a$|-+$", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def leading_number(value: Any) -> float | None:
    """Give a number, or the first of several that stand in a text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(value)
    found = _NUMBER.match(str(value).strip())
    return _finite(found[0]) if found else None


def _finite(number: float | str) -> float | None:
    """Refuse 1e999 and whole numbers of a thousand digits."""
    try:
        return value if math.isfinite(value := float(number)) else None
    except OverflowError:
        return None


@dataclass(frozen=True)
class Tag:
    """One tag: `shown` as exiftool writes it for people, `raw` before that."""

    group: str
    name: str
    shown: Any
    raw: Any

    @property
    def text(self) -> str | None:
        """Its words, unless they say that nothing is known."""
        words = str(self.shown).strip().strip("\0").strip()
        return words if words and not _UNKNOWN.match(words) else None

    @property
    def number(self) -> float | None:
        """Its value, or the one number that its words hold."""
        if isinstance(self.raw, int | float) and not isinstance(self.raw, bool):
            return _finite(self.raw)
        found = _NUMBER.findall(str(self.raw))
        return _finite(found[0]) if len(found) == 1 else None


class Tags:
    """All tags of one file, in the order in which exiftool gives them."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        """Take the JSON of `exiftool -j -l -G1:4 -a` for one file."""
        self._tags = list(_read(answer))

    def all(self, *names: str) -> Iterator[Tag]:
        """Give every tag of these names, the first name first; `Group:Name` asks for one group."""
        for wanted in names:
            group, _, name = wanted.rpartition(":")
            for tag in self._tags:
                if tag.name == name and (not group or tag.group == group):
                    yield tag

    def text(self, *names: str) -> str | None:
        """Give the first words that say something."""
        return next((words for tag in self.all(*names) if (words := tag.text)), None)

    def number(self, *names: str) -> float | None:
        """Give the first number; zero is one."""
        numbers = (tag.number for tag in self.all(*names))
        return next((number for number in numbers if number is not None), None)

    def has(self, *names: str) -> bool:
        """Tell whether one of these tags is there."""
        return any(True for _ in self.all(*names))

    def has_group(self, group: str) -> bool:
        """Tell whether a group wrote anything."""
        return any(tag.group == group for tag in self._tags)


def acquisition_items(tags: Tags) -> dict[str, str]:
    """Give Sony's list of how a recording began, whose names and values are tags in turn."""
    names, values = (
        [word.strip() for tag in tags.all(name) for word in str(tag.shown).split(", ")]
        for name in ("AcquisitionRecordGroupItemName", "AcquisitionRecordGroupItemValue")
    )
    return dict(zip(names, values, strict=False))


def _read(answer: Mapping[str, Any]) -> Iterator[Tag]:
    for key, value in answer.items():
        group, _, name = key.partition(":")
        name = name.rpartition(":")[2]  # a second one is written Group:Copy1:Name
        if not name or (group in _NOT_THE_CLIP and not name.startswith("Geolocation")):
            continue
        if isinstance(value, Mapping):
            yield Tag(group, name, value.get("val"), value.get("num", value.get("val")))
        else:
            yield Tag(group, name, value, value)
