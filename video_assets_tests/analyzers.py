"""Analyzers for tests of the machinery: a clip is a small text file that says what is to happen."""

import os
import signal
import time

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

from video_assets.clip_asset import clip_asset, clip_check
from video_assets.media.errors import UndecodableError
from video_assets.media.source import Source
from video_assets.storage.artifacts import ArtifactFolder

LONGEST = 200


class Words(BaseModel):
    """The words of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    first: str


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
    if text.startswith("bug"):
        raise RuntimeError(f"cannot handle {source.path}")
    return Words(count=len(text.split()), first=text.split()[0])


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
