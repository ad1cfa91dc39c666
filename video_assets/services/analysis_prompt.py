"""What a model is told: the versioned instructions, and the facts of the clip that may leave here.

A place on the map, a serial number, a path or a file name stays here unless the settings say that
it may leave.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from blake3 import blake3

PACKAGE, FILE_NAME = "video_assets.services.prompts", "analysis.md"
VERSION_LENGTH = 12


@dataclass(frozen=True)
class ClipFacts:
    """What a model is told of a clip beside its pictures and sound.

    said  lines of the transcript, with their times in seconds
    cuts  in seconds
    more  name to value of what the settings allow to leave: a file name, a place, a camera
    """

    duration_s: float
    has_sound: bool
    language: str | None = None
    said: tuple[tuple[float, float, str], ...] = ()
    cuts: tuple[float, ...] = ()
    more: tuple[tuple[str, str], ...] = ()


@cache
def instructions() -> str:
    """Read what every model is told first."""
    return files(PACKAGE).joinpath(FILE_NAME).read_text("utf-8")


@cache
def version() -> str:
    """Name the instructions by their content, so that other ones make results stale."""
    return digest_of(instructions())


def digest_of(text: str) -> str:
    """Name a text by its content."""
    return blake3(text.encode()).hexdigest()[:VERSION_LENGTH]


def told_of(facts: ClipFacts, window: tuple[float, float] | None = None) -> str:
    """Write the facts of a clip, or of a stretch of it with times counted from its beginning."""
    begin, end = window or (0.0, facts.duration_s)
    lines = [f"Length: {end - begin:.2f} s"]
    if window is not None:
        lines.append(
            f"This is a part of a longer clip, cut out of it at {begin:.2f} s; its times begin at 0"
        )
    lines.append("It has sound" if facts.has_sound else "It has no sound")
    lines += [f"{name}: {value}" for name, value in facts.more]
    if cuts := [f"{cut - begin:.2f}" for cut in facts.cuts if begin < cut < end]:
        lines.append(f"Cuts at (s): {', '.join(cuts)}")
    lines += _said(facts, begin, end)
    return "\n".join(lines)


def repair_of(complaint: str) -> str:
    """Ask for a better answer."""
    return (
        "Your last answer could not be used. Answer again, with the whole JSON document. What was "
        f"wrong: {complaint}"
    )


def _said(facts: ClipFacts, begin: float, end: float) -> Sequence[str]:
    lines = [
        f"[{max(start, begin) - begin:.2f}-{min(stop, end) - begin:.2f}] {text}"
        for start, stop, text in facts.said
        if start < end and stop > begin
    ]
    if not lines:
        return ()
    spoken = f" ({facts.language})" if facts.language else ""
    return (f"Transcript{spoken}:", *lines)
