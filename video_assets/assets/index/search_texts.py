"""Search texts: what each clip is about, in words for models that compare meanings.

Reads what the other assets found; writes one SearchTexts per clip: a summary in sentences, the
keywords, and the moments: passages of what is said. The texts hold no file name or folder, nothing
that an owner set and nobody's choice but the preset's: what is made of them is shared by all
owners of the same content. The rest is found by the search for words.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.analyze.scenes import Scenes
from video_assets.assets.analyze.transcript import Segment, Transcript
from video_assets.assets.describe.description import Candidate, Description
from video_assets.assets.measure.camera import Camera
from video_assets.assets.measure.color import Color
from video_assets.assets.measure.probe import Probe
from video_assets.clip_asset import clip_asset
from video_assets.storage.artifacts import ArtifactFolder

KEY_PHRASES = 200  # characters of the transcript that stand for it among the keywords
LONGEST_PASSAGE_S = 30.0
LONGEST_PAUSE_S = 4.0  # a longer one begins another passage
_PAUSES = re.compile(r"\s+")


class Passage(BaseModel):
    """A stretch of speech that is found by itself; it crosses no cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(ge=1)
    start_s: float = Field(ge=0)
    end_s: float = Field(ge=0)
    text: str


class SearchTexts(BaseModel):
    """What one clip is about, in words; a text is empty where nothing is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: str
    keywords: str
    passages: tuple[Passage, ...]
    language: str | None = Field(description="of what is said")


def summarize(texts: SearchTexts, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give the texts, and how many passages there are."""
    return {
        "summary": dg.MetadataValue.text(texts.summary),
        "keywords": dg.MetadataValue.text(texts.keywords),
        "passages": len(texts.passages),
    }


@clip_asset(lane="default", code_version="3", metadata=summarize)
def search_texts(
    probe: Probe,
    color: Color | None,
    camera: Camera | None,
    scenes: Scenes | None,
    transcript: Transcript | None,
    description: Description | None,
) -> SearchTexts:
    """What each clip is about, in words: a summary, keywords, and passages of what is said."""
    cuts = scenes.scene_changes if scenes else ()
    told = description.preferred if description else None
    speech = speech_of(transcript, description)
    is_told = told is not None or tells_anything(camera, speech)
    summary = summary_of(told, camera, speech) if is_told else ()
    keywords = keywords_of(probe, color, told, camera, speech) if is_told else ()
    return SearchTexts(
        summary=". ".join(summary),
        keywords=" ".join(keywords),
        passages=tuple(passages_of(speech.segments, cuts)),
        language=speech.language,
    )


class Speech(NamedTuple):
    """What is said in a clip."""

    text: str = ""
    segments: tuple[Segment, ...] = ()
    language: str | None = None


def speech_of(transcript: Transcript | None, description: Description | None) -> Speech:
    """Give what is said: by the transcript, else by what an analyzer heard."""
    if description is not None and description.heard:
        text = "\n".join(each.text for each in description.heard)
        return Speech(text, description.heard, description.language)
    if transcript is None:
        return Speech()
    return Speech(transcript.full_text or "", transcript.segments, transcript.language)


def tells_anything(camera: Camera | None, speech: Speech) -> bool:
    """Tell whether a clip is about something; a month or a shape alone is like any other."""
    if speech.text:
        return True
    if camera is None:
        return False
    return any((camera.description, camera.location.location_name, camera.make, camera.model))


def summary_of(told: Candidate | None, camera: Camera | None, speech: Speech) -> Iterator[str]:
    """Yield the sentences of a summary, without their full stops."""
    if told is not None:
        yield f"This is {_words(told.content_category)} content"
        yield _in_one_line(told.content_summary).rstrip(".")
        if told.key_activities:
            yield f"Key activities include: {', '.join(told.key_activities)}"
        if told.locations:
            yield "Filmed at: " + ", ".join(f"{at.name} ({at.type})" for at in told.locations)
    if camera is not None:
        if camera.description:
            yield _in_one_line(camera.description)
        if camera.location.location_name:
            yield f"Filmed at: {camera.location.location_name}"
        if month := month_of(camera):
            yield f"Filmed in {month}"
        if taken_with := camera_name(camera):
            yield f"Filmed with {taken_with}"
    if speech.text:
        yield f"What is said: {_in_one_line(speech.text)}"


def keywords_of(
    probe: Probe,
    color: Color | None,
    told: Candidate | None,
    camera: Camera | None,
    speech: Speech,
) -> Iterator[str]:
    """Yield keywords."""
    if speech.text:
        yield _in_one_line(speech.text)[:KEY_PHRASES]
    if told is not None:
        for at in told.locations:
            yield f"{at.name} {at.type}"
        yield from told.objects
        yield from told.content_tags
    if camera is not None:
        words = (
            camera.location.location_name,
            month_of(camera),
            camera_name(camera),
            camera.lens_model,
            camera.focal_length.category,
            _in_one_line(camera.description or ""),
        )
        yield from (word for word in words if word)
    if probe.video.display_height > probe.video.display_width:
        yield "portrait"
    if color is not None and color.hdr.hdr_format:
        yield color.hdr.hdr_format


def passages_of(segments: Sequence[Segment], cuts: Sequence[float]) -> Iterator[Passage]:
    """Join what is said into passages: up to a cut, a pause, or half a minute."""
    gathered: list[Segment] = []
    number = 0
    for segment in segments:
        if gathered and _begins_another(gathered, segment, cuts):
            number += 1
            yield _passage(number, gathered)
            gathered = []
        if segment.text.strip():
            gathered.append(segment)
    if gathered:
        yield _passage(number + 1, gathered)


def _begins_another(gathered: Sequence[Segment], segment: Segment, cuts: Sequence[float]) -> bool:
    begin, end = gathered[0].start_time, gathered[-1].end_time
    return (
        segment.end_time - begin > LONGEST_PASSAGE_S
        or segment.start_time - end > LONGEST_PAUSE_S
        or any(begin < cut <= segment.start_time for cut in cuts)
    )


def _passage(number: int, segments: Sequence[Segment]) -> Passage:
    texts = [_in_one_line(segment.text) for segment in segments]
    # Captions that roll show a line twice.
    said = [text for place, text in enumerate(texts) if place == 0 or text != texts[place - 1]]
    return Passage(
        number=number,
        start_s=segments[0].start_time,
        end_s=max(segment.end_time for segment in segments),
        text=" ".join(said),
    )


def month_of(camera: Camera) -> str | None:
    """Write the month in which a clip was taken: June 2026."""
    if camera.capture is None:
        return None
    return f"{datetime.fromisoformat(camera.capture.time):%B %Y}"


def camera_name(camera: Camera) -> str:
    """Name a camera; some models begin with their make."""
    make, model = camera.make, camera.model
    parts = [model] if make and model and model.startswith(make) else [make, model]
    return " ".join(part for part in parts if part)


def _words(label: str) -> str:
    return label.replace("_", " ")


def _in_one_line(text: str) -> str:
    return _PAUSES.sub(" ", text).strip()
