"""Subtitles as text: what a container's packets or a file beside the clip say, and when."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pysubs2
from pysubs2.exceptions import Pysubs2Error

_TAG = re.compile(
    r"</?(?:b|i|u|s|c|v|em|strong|font|ruby|rt|lang|span|br)(?:[\s.][^<>]*)?/?>", re.I
)
_VTT_TIME = re.compile(r"<(?:\d+:)?\d\d:\d\d\.\d{3}>")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]+)>", re.I)
_ASS_FIELDS = 8  # before the text, in Matroska's packets: ReadOrder, Layer, Style, Name, …
_ASS_NAME = 3
_BLINK_S = 0.1  # cues of one text that are closer are one cue
_BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


class NoSubtitlesError(ValueError):
    """A text is not in the format that its name claims."""


@dataclass(frozen=True)
class Cue:
    """One text on the screen, in seconds."""

    start_s: float
    end_s: float
    text: str
    speaker: str | None = None


def read_packet(codec: str, data: bytes) -> tuple[str, str | None]:
    """Give the text of a subtitle packet, and who speaks if it says so."""
    if codec == "mov_text":
        return plain_text(_mov_text(data)), None
    if codec == "webvtt" and data[4:8] in (b"vttc", b"vtte", b"vttx"):
        data = b"\n".join(_boxes(data, b"payl"))
    text = data.decode("utf-8", "replace").rstrip("\0")
    if codec in ("ass", "ssa"):
        return _ass_text(text)
    return plain_text(text), speaker_of(text)


def read_document(data: bytes, suffix: str) -> list[Cue]:
    """Read a file of SRT, WebVTT or ASS text.

    Raises NoSubtitlesError if it is none.
    """
    try:
        document = pysubs2.SSAFile.from_string(decode_text(data), format_=suffix.lstrip("."))
    except (Pysubs2Error, ValueError) as error:
        raise NoSubtitlesError(f"no {suffix} subtitles: {error}") from None
    return tidy(
        Cue(event.start / 1000, event.end / 1000, plain_text(event.plaintext), event.name or None)
        for event in document
        if event.type == "Dialogue" and not event.is_drawing
    )


def decode_text(data: bytes) -> str:
    """Decode what editors write: Unicode with or without a mark, else Windows' Latin."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def plain_text(text: str) -> str:
    """Drop styles and marks, and bring what is left into one line."""
    text = re.sub(r"\{\\[^{}]*\}", "", text).replace("\\N", "\n").replace("\\n", "\n")
    text = html.unescape(_TAG.sub(" ", _VTT_TIME.sub("", text)).replace("\\h", " "))
    kept = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(kept.replace("♪", " ").split())


def speaker_of(text: str) -> str | None:
    """Give the one voice that a WebVTT cue names."""
    voices = set(_VOICE.findall(text))
    return voices.pop().strip() if len(voices) == 1 else None


def tidy(cues: Iterable[Cue]) -> list[Cue]:
    """Sort cues, drop empty ones, and join what is shown twice."""
    known: list[Cue] = []
    for cue in sorted(cues, key=lambda each: (each.start_s, each.end_s)):
        if not cue.text:
            continue
        cue = replace(cue, end_s=max(cue.start_s, cue.end_s))
        place = _same_text(known, cue)
        if place is None:
            known.append(cue)
        else:
            known[place] = replace(known[place], end_s=max(known[place].end_s, cue.end_s))
    return known


def _same_text(known: Sequence[Cue], cue: Cue) -> int | None:
    """Find an earlier cue of the same words that is still, or was just, on the screen."""
    for place in range(len(known) - 1, max(-1, len(known) - 8), -1):
        other = known[place]
        if other.text == cue.text and cue.start_s <= other.end_s + _BLINK_S:
            return place
    return None


def _mov_text(data: bytes) -> str:
    """Read the text before the style boxes; its length comes first."""
    length = int.from_bytes(data[:2], "big")
    text = data[2 : 2 + length]
    encoding = "utf-16" if text[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8"
    return text.decode(encoding, "replace")


def _ass_text(line: str) -> tuple[str, str | None]:
    parts = line.split(",", _ASS_FIELDS)
    if len(parts) <= _ASS_FIELDS:
        return plain_text(line), None
    event = pysubs2.SSAEvent(text=parts[_ASS_FIELDS])
    if event.is_drawing:
        return "", None
    return plain_text(event.plaintext), parts[_ASS_NAME].strip() or None


def _boxes(data: bytes, wanted: bytes) -> Iterator[bytes]:
    """Give the content of MP4 boxes of one kind, looking into cue boxes too."""
    at = 0
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size < 8:
            return
        content = data[at + 8 : at + size]
        if kind == wanted:
            yield content
        elif kind == b"vttc":
            yield from _boxes(content, wanted)
        at += size
