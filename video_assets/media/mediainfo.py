"""What MediaInfo says of a file, track by track.

MediaInfo is given the bytes and not the name: so a name that it cannot take does not matter, the
files beside a clip are not read for it, and it reads no more than it may.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pymediainfo

from video_assets.media.errors import ToolMissingError, UnreachableError, UnreadableError
from video_assets.media.regular_file import explain_os_error, open_regular
from video_assets.media.tracks import clean_text

# Measured over real clips and 700 MB ones: 0.5, the default, tells only the GOP besides, which the
# packets tell better, and reads 134 MB of a transport stream where this reads 4.
PARSE_SPEED = 0.2
MOST_READ_BYTES = 96 * 2**20
_BUFFER_BYTES = 64 * 2**10
_LEAST_BUFFER_BYTES = 2**10
_LONGEST_TEXT = 2000
_MOST_DIGITS = 18
_FORBIDDEN_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMBER = re.compile(rf"-?\d{{1,{_MOST_DIGITS}}}(?:\.\d{{1,{_MOST_DIGITS}}})?")


@dataclass(frozen=True)
class Track:
    """What is said of one track, by MediaInfo's names of the facts in lower case."""

    facts: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Give a fact as it is written; None if nothing is said."""
        return clean_text(self.facts.get(name, "")[:_LONGEST_TEXT])

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a fact that can have several values, `Dolby Vision / SMPTE ST 2086`."""
        parts = self.facts.get(name, "")[:_LONGEST_TEXT].split(" / ")  # `06 / ` is two of them
        return tuple(clean_text(part) or "" for part in parts)

    def number(self, name: str) -> float | None:
        """Give the first number in a fact: 1000 of `1000 cd/m2`."""
        found = _NUMBER.search(self.text(name) or "")
        return float(found[0]) if found else None

    def count(self, name: str) -> int | None:
        """Give a number of things, of which there is at least one."""
        number = self.number(name)
        return round(number) if number is not None and number >= 1 else None

    def answer(self, name: str) -> bool | None:
        """Give a yes or a no."""
        return {"Yes": True, "No": False}.get(self.text(name) or "")

    @property
    def stream_index(self) -> int | None:
        """Which stream of the container it is; `0-1` is the second one of a programme."""
        order = (self.text("streamorder") or "").rpartition("-")[2]
        return int(order) if order.isdigit() and len(order) < _MOST_DIGITS else None


@dataclass(frozen=True)
class Report:
    """Everything that MediaInfo says of a file."""

    general: Track
    video: tuple[Track, ...]
    audio: tuple[Track, ...]
    text: tuple[Track, ...]

    @property
    def is_encrypted(self) -> bool:
        """Whether the file says that nobody without a key can see its picture."""
        return any(track.text("encryption") for track in (self.general, *self.video))


def is_encrypted(path: Path) -> bool:
    """Tell whether a file that does not decode says that it is encrypted."""
    try:
        return read_mediainfo(path).is_encrypted
    except (ToolMissingError, UnreadableError):
        return False


def read_mediainfo(path: Path) -> Report:
    """Ask MediaInfo about a file; a file that it does not know gives a report without tracks.

    Raises UnreadableError, and ToolMissingError if libmediainfo is not installed.
    """
    return parse_report(_ask(path))


def parse_report(xml: str) -> Report:
    """Take MediaInfo's answer apart.

    Raises UnreadableError if it is none.
    """
    try:
        root = ElementTree.fromstring(_FORBIDDEN_IN_XML.sub("", xml))  # noqa: S314  no DTD in it
    except ElementTree.ParseError:
        raise UnreadableError(
            "the file's own descriptions are too damaged for MediaInfo; copy it from the card again"
        ) from None
    tracks: dict[str, list[Track]] = {}
    for element in root.iterfind("File/track"):
        tracks.setdefault(element.get("type", ""), []).append(_track(element))
    return Report(
        general=next(iter(tracks.get("General", ())), Track()),
        video=tuple(tracks.get("Video", ())),
        audio=tuple(tracks.get("Audio", ())),
        text=tuple(tracks.get("Text", ())),
    )


def pair_tracks(tracks: Sequence[Track], indexes: Sequence[int]) -> list[Track]:
    """Find what is said of the streams with these numbers; nothing of those it does not list."""
    by_index = {track.stream_index: track for track in tracks}
    if all(index in by_index for index in indexes):
        return [by_index[index] for index in indexes]
    if len(tracks) == len(indexes):
        return list(tracks)
    return [Track()] * len(indexes)


def _track(element: ElementTree.Element) -> Track:
    facts: dict[str, str] = {}
    for fact in element:  # a name comes again with the same fact in words
        facts.setdefault(re.sub("_+", "_", fact.tag.lower()).strip("_"), fact.text or "")
    return Track(facts)


def _ask(path: Path) -> str:
    with open_regular(path) as descriptor:
        source: Any = _Bytes(descriptor)
        try:
            return pymediainfo.MediaInfo.parse(
                source,
                output="OLDXML",
                parse_speed=PARSE_SPEED,
                buffer_size=source.buffer_bytes,
            )
        except OSError as error:
            if source.is_broken:
                raise UnreachableError(explain_os_error(error)) from None
            raise ToolMissingError(
                "libmediainfo is not here; install the package pymediainfo again"
            ) from None
        except ValueError:  # a letter beyond Unicode
            raise UnreadableError(
                "the file's own descriptions are no text; copy it from the card again"
            ) from None


class _Bytes:
    """The bytes of a file for MediaInfo, up to a limit."""

    mode = "rb"

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = 0
        self._size = os.fstat(descriptor).st_size
        self._left = MOST_READ_BYTES
        self.is_broken = False
        # A file that fits in one buffer is not looked at again where MediaInfo asks for it.
        self.buffer_bytes = max(_LEAST_BUFFER_BYTES, min(_BUFFER_BYTES, self._size // 4))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + (self._size if whence == os.SEEK_END else 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, length: int) -> bytes:
        if self._at >= self._size or self._left <= 0:
            return b""
        try:
            found = os.pread(self._descriptor, length, self._at)
        except OSError:
            self.is_broken = True
            raise
        self._at += len(found)
        self._left -= len(found)
        return found
