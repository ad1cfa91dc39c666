"""Analyzers for tests of the machinery: a clip is a small text file that says what is to happen."""

import math
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

from video_assets.clip_asset import clip_asset, clip_check
from video_assets.media.errors import UndecodableError
from video_assets.media.source import Source
from video_assets.storage.artifacts import ArtifactFolder

LONGEST = 200
BEGUN, DOOR = ".begun", ".door"
"""Suffixes of what lies beside a gated clip: a worker has it in hand, and may go on with it."""


class Words(BaseModel):
    """The words of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    first: str
    share: float = 0.0


class LoudSettings(BaseModel):
    """How loud."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    marks: int = Field(default=1, ge=1)


class Loud(BaseModel):
    """The first word, loudly, and where it was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    name: str


class Report(BaseModel):
    """What the others found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: int
    loud: str | None


def _raise(error: BaseException) -> Any:
    raise error


HOSTILE: dict[str, Callable[[Path], Any]] = {
    "not a number": lambda _: Words(count=1, first="word", share=math.nan),
    "infinite": lambda _: Words(count=1, first="word", share=-math.inf),
    "a nul": lambda _: Words(count=1, first="wo\x00rd"),
    "half a character": lambda _: Words(count=1, first="wo\udcffrd"),
    "a nul in the error": lambda _: _raise(UndecodableError("found \x00 and \udcff")),
    "leaves": lambda _: sys.exit(3),
    "leaves at once": lambda _: os._exit(0),
    "interrupts": lambda _: _raise(KeyboardInterrupt()),
    "generator": lambda _: _raise(GeneratorExit()),
    "nothing": lambda _: None,
    "another type": lambda _: Loud(text="a", name="b"),
    "names a place": lambda path: (path.parent / "deeper" / "x.txt").read_text(),
    "names itself": lambda path: _raise(ValueError(f"no frame in {path!r}")),
}
"""What an analyzer may do that no one thought of, by the text of the clip."""


@clip_asset(lane="metadata", code_version="1")
def words(source: Source) -> Words:
    """How many words each file has."""
    text = source.path.read_text()
    if text.startswith("bad"):
        raise UndecodableError("found the word bad, expected a good one")
    if text.startswith("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if text.startswith("hang"):
        time.sleep(60)
    if text.startswith("gated"):
        _wait_at_door(source.path)
    if text.startswith("bug"):
        raise RuntimeError(f"cannot handle {source.path}")
    if text in HOSTILE:
        return HOSTILE[text](source.path)
    return Words(count=len(text.split()), first=text.split()[0])


def _wait_at_door(path: Path) -> None:
    path.with_suffix(BEGUN).touch()
    while not path.with_suffix(DOOR).exists():
        time.sleep(0.01)


@clip_check(words)
def words_are_few(words: Words) -> str | None:
    """No file has more than 200 words."""
    return f"{words.count} words" if words.count > LONGEST else None


@clip_asset(lane="default", code_version="1")
def loud(words: Words, settings: LoudSettings, artifacts: ArtifactFolder) -> Loud:
    """The first word of each file, loudly."""
    if words.first == "mute":
        raise UndecodableError("found the word mute, which cannot be loud")
    text = words.first.upper() + "!" * settings.marks
    return Loud(text=text, name=artifacts.write("loud.txt", text.encode()))


@clip_asset(lane="default", code_version="1")
def report(words: Words, loud: Loud | None) -> Report:
    """What is known of each file, with or without the loud word."""
    return Report(words=words.count, loud=loud.text if loud else None)


ASSETS: list[dg.AssetsDefinition] = [words, loud, report]
