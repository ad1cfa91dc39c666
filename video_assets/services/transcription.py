"""Speech of any length through an engine, chunk by chunk, without what models make up."""

import math
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from video_assets.media.audio_chunks import gather, samples_of
from video_assets.media.audio_speech import Range
from video_assets.media.audio_tracks import short_language
from video_assets.services.speech_to_text import Heard, Speech, SpeechEngine

# Whisper's own thresholds.
_NO_SPEECH, _UNSURE = 0.6, -1.0
_REPEATS = 2.4


@dataclass(frozen=True)
class Said:
    """A piece of text on the clip's clock."""

    start_s: float
    end_s: float
    text: str
    confidence: float | None


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
    chunks = gather(ranges, sound, start_s)
    for number, chunk in enumerate(chunks):
        answer = engine.transcribe(samples_of(chunk, sound, start_s), language)
        length_s = chunk[1] - chunk[0]
        believed = [
            piece
            for piece in answer.pieces
            if piece.text and piece.start_s < length_s and not is_made_up(piece)
        ]
        refused += sum(bool(piece.text) for piece in answer.pieces) - len(believed)
        said += [_placed(piece, chunk) for piece in believed]
        if believed and (code := short_language(language or answer.language)):
            spoken[code] += sum(len(piece.text) for piece in believed)
        progress((number + 1) / len(chunks))
    return Transcription(tuple(said), max(spoken, key=lambda c: spoken[c], default=None), refused)


def is_made_up(piece: Heard) -> bool:
    """Tell text that a model writes over noise: unsure of any speech, or one phrase repeated."""
    data = piece.text.encode()
    if len(data) / len(zlib.compress(data)) > _REPEATS:
        return True
    return (
        piece.no_speech_probability is not None
        and piece.no_speech_probability > _NO_SPEECH
        and (piece.mean_log_probability or 0.0) < _UNSURE
    )


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
    )
