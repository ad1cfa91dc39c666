"""Transcript: what is said in each clip, with times, confidence and language.

Reads text subtitles of the source and the sound that audio_track took out of it; writes one
Transcript per clip. Subtitles go first unless the preset says otherwise; an engine hears only the
stretches in which somebody speaks. A clip in which nobody speaks has an empty Transcript.

A subtitle file beside the clip is read only when the preset says so: it is not part of the
clip's content, so a changed one is seen when the clip is next made, and every owner of the same
content shares what was read.
"""

import math
import re
from typing import Any, Literal

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.derive.audio_track import AudioTrackFile
from video_assets.assets.measure.probe import Probe
from video_assets.clip_asset import clip_asset, clip_check
from video_assets.media.audio_file import load_sound
from video_assets.media.source import Source
from video_assets.media.subtitle_tracks import TEXT_CODECS, Subtitles, read_sidecar, read_tracks
from video_assets.progress import Progress
from video_assets.services.paid_model import Payment
from video_assets.services.prices import provider_of
from video_assets.services.quotes import Quote, QuoteFacts
from video_assets.services.speech_answers import quoted_of
from video_assets.services.speech_to_text import (
    LONGEST_REQUEST_S,
    EngineSettings,
    load_engine,
    sent_sound,
)
from video_assets.services.transcription import Transcription, transcribe
from video_assets.storage.ai_calls import Billing
from video_assets.storage.artifacts import ArtifactFolder

PREVIEW = 500
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")  # Japanese, Chinese, Thai
_WORD = re.compile(r"[^\W_]+(?:['\u2019.-][^\W_]+)*")
NO_ENGINE = (
    "somebody speaks, but there are no subtitles and no engine is chosen; set engine of the step "
    "transcript in the preset to faster_whisper, transformers or openai_compatible"
)
Origin = Literal["subtitles", "sidecar", "faster_whisper", "transformers", "openai_compatible"]


class TranscriptSettings(EngineSettings):
    """Where the text comes from."""

    prefer_subtitles: bool = Field(
        default=True, description="take subtitles where there are some, and ask no engine then"
    )
    sidecar: bool = Field(
        default=False, description="read clip.srt, .vtt or .ass beside the clip; see the step"
    )


class Segment(BaseModel):
    """One stretch of speech."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start_time: float = Field(ge=0, description="seconds from the clip's start")
    end_time: float = Field(ge=0, description="seconds from the clip's start")
    speaker: str | None = Field(description="None unless subtitles or the engine name one")
    text: str
    confidence: float | None = Field(
        ge=0, le=1, description="mean probability of its words; None for subtitles"
    )


class Transcript(BaseModel):
    """What is said in one clip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    full_text: str = Field(description="all segments; empty: nothing is said, or nobody knows")
    segments: tuple[Segment, ...]
    word_count: int = Field(ge=0)
    language: str | None = Field(description="en, de, …; None: unknown")
    source: Origin | None = Field(description="where the text comes from; None: nothing was asked")
    model: str | None = Field(description="of the engine")
    has_speech: bool | None = Field(description="a voice was detected in the sound; None: no sound")
    warnings: tuple[str, ...]


def summarize(transcript: Transcript, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give the numbers that are worth plotting, and the beginning of the text."""
    confidences = [s.confidence for s in transcript.segments if s.confidence is not None]
    facts = {
        "words": transcript.word_count,
        "segments": len(transcript.segments),
        "confidence": sum(confidences) / len(confidences) if confidences else None,
        "language": transcript.language,
        "source": transcript.source,
        "model": transcript.model,
        "has_speech": transcript.has_speech,
        "text": dg.MetadataValue.text(transcript.full_text[:PREVIEW]),
    }
    return {name: value for name, value in facts.items() if value is not None}


def make_transcript(
    source: Source,
    probe: Probe,
    track: AudioTrackFile,
    settings: TranscriptSettings,
    artifacts: ArtifactFolder,
    progress: Progress,
    billing: Billing,
) -> Transcript:
    """Read subtitles, or write down what is said."""
    if settings.prefer_subtitles or settings.engine == "subtitles":
        if found := _in_file(source, probe, settings.language, track.language):
            return of_subtitles(found, "subtitles", track)
        if settings.sidecar and (found := read_sidecar(source.path, settings.language)):
            return of_subtitles(found, "sidecar", track)
    if settings.engine == "subtitles":
        return of_nothing(track, (NO_ENGINE,) if track.speech_ranges else ())
    if not track.speech_ranges or track.file is None:
        return of_nothing(track, ())
    done = 0.0

    def note(share: float) -> None:
        nonlocal done
        done = share
        progress(share)

    engine = load_engine(settings, Payment(billing, lambda: progress(done)))
    if engine is None:
        raise ValueError(f"no engine is called {settings.engine}")
    sound = load_sound(artifacts.upstream(track.file))
    heard = transcribe(engine, sound, track.start_s, track.speech_ranges, settings.language, note)
    return of_speech(heard, settings, track)


def _in_file(
    source: Source, probe: Probe, wanted: str | None, spoken: str | None
) -> Subtitles | None:
    """Read a text track; a file without one is not opened."""
    if not any(track.codec in TEXT_CODECS for track in probe.subtitle_tracks):
        return None
    return read_tracks(source.path, probe.start_time_s, wanted, spoken)


def of_subtitles(found: Subtitles, origin: Origin, track: AudioTrackFile) -> Transcript:
    """Take subtitles for what is said."""
    segments = tuple(
        Segment(
            start_time=round(cue.start_s, 3),
            end_time=round(cue.end_s, 3),
            speaker=cue.speaker,
            text=cue.text,
            confidence=None,
        )
        for cue in found.cues
    )
    return _transcript(segments, found.language, origin, None, track, ())


def of_speech(
    heard: Transcription, settings: TranscriptSettings, track: AudioTrackFile
) -> Transcript:
    """Take what an engine heard for what is said."""
    segments = tuple(
        Segment(
            start_time=said.start_s,
            end_time=said.end_s,
            speaker=said.speaker,
            text=said.text,
            confidence=said.confidence,
        )
        for said in heard.said
    )
    warnings = []
    if heard.refused:
        warnings.append(f"{heard.refused} pieces of text were left out as made up by the model")
    if settings.engine == "subtitles":
        raise ValueError("subtitles are no engine")
    model, name = settings.model_name, settings.engine
    return _transcript(segments, heard.language, name, model, track, tuple(warnings))


def of_nothing(track: AudioTrackFile, warnings: tuple[str, ...]) -> Transcript:
    """Say that there is no text."""
    return _transcript((), None, None, None, track, warnings)


def _transcript(
    segments: tuple[Segment, ...],
    language: str | None,
    origin: Origin | None,
    model: str | None,
    track: AudioTrackFile,
    warnings: tuple[str, ...],
) -> Transcript:
    text = "\n".join(segment.text for segment in segments)
    return Transcript(
        full_text=text,
        segments=segments,
        word_count=count_words(text),
        language=language,
        source=origin,
        model=model,
        has_speech=None if track.file is None else bool(track.speech_ranges),
        warnings=warnings,
    )


def count_words(text: str) -> int:
    """Count words; of a script that leaves no space between them, its letters."""
    unspaced = len(_UNSPACED.findall(text))
    return unspaced + len(_WORD.findall(_UNSPACED.sub(" ", text)))


def find_text_on_silence(transcript: Transcript) -> str | None:
    """Say that an engine wrote text where nobody speaks, or None.

    Subtitles may well tell what is sung, shown or heard.
    """
    is_heard = transcript.source not in (None, "subtitles", "sidecar")
    if is_heard and transcript.full_text and not transcript.has_speech:
        return f"{transcript.word_count} words, but no voice in the sound; the model made them up"
    return None


def find_missing_text(transcript: Transcript) -> str | None:
    """Say why a clip in which somebody speaks has no text, or None."""
    if transcript.has_speech and not transcript.full_text:
        return "; ".join(transcript.warnings) or "somebody speaks, but the engine heard no words"
    return None


def quote(facts: QuoteFacts, settings: TranscriptSettings) -> Quote | None:
    """Estimate what a service takes for a clip without subtitles; None if none is asked."""
    sent = sent_sound(settings)
    if sent is None or not facts.has_sound:
        return None
    return Quote(
        provider=provider_of(settings.base_url),
        model=settings.model,
        usage=quoted_of(facts.duration_s),
        base_url=settings.base_url,
        sends=sent.sends,
        assumes="somebody speaks all the time, and there are no subtitles",
        calls=math.ceil(facts.duration_s / LONGEST_REQUEST_S[settings.format]),
    )


@clip_asset(lane="ai_analysis", code_version="2", metadata=summarize, quote=quote, sends=sent_sound)
def transcript(
    source: Source,
    probe: Probe,
    audio_track: AudioTrackFile,
    settings: TranscriptSettings,
    artifacts: ArtifactFolder,
    progress: Progress,
    billing: Billing,
) -> Transcript:
    """What is said in each clip: from its subtitles, or written down by the preset's engine."""
    return make_transcript(source, probe, audio_track, settings, artifacts, progress, billing)


@clip_check(transcript)
def transcript_has_a_voice(transcript: Transcript) -> str | None:
    """Where an engine wrote text, somebody speaks."""
    return find_text_on_silence(transcript)


@clip_check(transcript)
def speech_has_text(transcript: Transcript) -> str | None:
    """Where somebody speaks there is text."""
    return find_missing_text(transcript)
