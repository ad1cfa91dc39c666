"""Speech of any length through an engine, chunk by chunk, without what models make up."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from video_assets.media.audio_chunks import gather, samples_of
from video_assets.media.audio_speech import Range
from video_assets.media.audio_tracks import short_language
from video_assets.services.made_up import believed
from video_assets.services.speech_to_text import Heard, Speech, SpeechEngine


@dataclass(frozen=True)
class Said:
    """A piece of text on the clip's clock."""

    start_s: float
    end_s: float
    text: str
    confidence: float | None
    speaker: str | None


@dataclass(frozen=True)
class Transcription:
    """What was said, and how much of the engine's text was not believed."""

    said: tuple[Said, ...]
    language: str | None
    refused: int


def transcribe(
    engine: SpeechEngine,
    sound: Speech,
    start_s: float,
    ranges: Sequence[Range],
    language: str | None,
    progress: Callable[[float], None],
) -> Transcription:
    """Let the engine hear the stretches in which somebody speaks, and nothing else.

    start_s  when the sound begins on the clip's clock, which the stretches are on
    """
    said: list[Said] = []
    spoken: Counter[str] = Counter()
    refused = 0
    chunks = gather(ranges, sound, start_s, engine.longest_s)
    for number, chunk in enumerate(chunks):
        answer = engine.transcribe(samples_of(chunk, sound, start_s), language)
        kept = believed(answer.pieces, _within(ranges, chunk), chunk[1] - chunk[0])
        refused += sum(bool(piece.text) for piece in answer.pieces) - len(kept)
        said += [_placed(piece, chunk) for piece in kept]
        if kept and (code := short_language(language or answer.language)):
            spoken[code] += sum(len(piece.text) for piece in kept)
        progress((number + 1) / len(chunks))
    return Transcription(tuple(said), max(spoken, key=lambda c: spoken[c], default=None), refused)


def _within(ranges: Sequence[Range], chunk: Range) -> list[Range]:
    """Give the stretches of a chunk, counted from its beginning."""
    begin, end = chunk
    return [(start - begin, stop - begin) for start, stop in ranges if start < end and stop > begin]


def _placed(piece: Heard, chunk: Range) -> Said:
    """Move a piece to the clip's clock; a model may end it behind the sound it was given."""
    begin, end = chunk
    start_s = min(max(begin + piece.start_s, begin), end)
    likelihood = piece.mean_log_probability
    return Said(
        start_s=round(start_s, 3),
        end_s=round(min(max(begin + piece.end_s, start_s), end), 3),
        text=piece.text,
        confidence=None if likelihood is None else round(min(1.0, math.exp(likelihood)), 4),
        speaker=piece.speaker,
    )
