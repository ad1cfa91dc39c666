"""Reading what a speech service answers: `json`, `verbose_json` and `diarized_json`."""

import math
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from video_assets.services.analysis_answers import InvalidAnswerError
from video_assets.services.prices import Usage
from video_assets.services.speech_to_text import Answer, Heard

# Sound is a token for each tenth of a second or so, and nobody speaks ten words a second.
TOKENS_HEARD_A_SECOND, TOKENS_SAID_A_SECOND, TOKENS_AROUND = 50, 30, 300


class _Lenient(BaseModel):
    """Servers add fields of their own, and leave out what they do not know."""

    model_config = ConfigDict(extra="ignore")


class _Piece(_Lenient):
    start: float
    end: float
    text: str
    speaker: str | None = None
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None


class _Word(_Lenient):
    start: float
    end: float


class _Token(_Lenient):
    logprob: float | None = None


class _Language(_Lenient):
    code: str


class _Document(_Lenient):
    text: str
    language: str | None = None
    languages: list[_Language] | None = None
    segments: list[_Piece] | None = None
    words: list[_Word] | None = None
    logprobs: list[_Token] | None = None


class _Counted(_Lenient):
    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    input_token_details: dict[str, Any] | None = None
    seconds: float | None = Field(default=None, ge=0)


def read_answer(document: Any, length_s: float) -> Answer:
    """Read what was heard in so many seconds; raises InvalidAnswerError."""
    try:
        found = _Document.model_validate(document)
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, each['loc'])) or 'the answer'}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)[:3]
        )
        raise InvalidAnswerError("; ".join(faults)) from None
    pieces = tuple(map(_heard, found.segments or ())) or _whole(found, length_s)
    spoken = found.language or next((each.code for each in found.languages or ()), None)
    return Answer(pieces, spoken)


def most_of(length_s: float) -> Usage:
    """Estimate, too high, what it takes to hear so many seconds."""
    heard = math.ceil(length_s * TOKENS_HEARD_A_SECOND)
    said = math.ceil(length_s * TOKENS_SAID_A_SECOND) + TOKENS_AROUND
    return Usage(heard + TOKENS_AROUND, audio_tokens=heard, output_tokens=said, sound_s=length_s)


def quoted_of(length_s: float) -> Usage:
    """Estimate what it is likely to take to hear so many seconds: words as people speak them."""
    heard, said = round(length_s * 10), round(length_s * 4)
    return Usage(heard, audio_tokens=heard, output_tokens=said, sound_s=length_s)


def usage_of(document: Any, length_s: float) -> Usage:
    """Read what is charged for: tokens, or seconds; servers that do not say count seconds."""
    told = document.get("usage") if isinstance(document, dict) else None
    try:
        counted = _Counted.model_validate(told)
    except ValidationError:
        return Usage(sound_s=length_s)
    sound = (counted.input_token_details or {}).get("audio_tokens")
    return Usage(
        input_tokens=counted.input_tokens,
        audio_tokens=sound if isinstance(sound, int) else 0,
        output_tokens=counted.output_tokens,
        sound_s=length_s if counted.seconds is None else counted.seconds,
    )


def _heard(piece: _Piece) -> Heard:
    return Heard(
        start_s=piece.start,
        end_s=piece.end,
        text=piece.text.replace("\0", "").strip(),
        mean_log_probability=piece.avg_logprob,
        no_speech_probability=piece.no_speech_prob,
        compression=piece.compression_ratio,
        speaker=piece.speaker,
    )


def _whole(found: _Document, length_s: float) -> tuple[Heard, ...]:
    """Take a text without pieces for one."""
    text = found.text.replace("\0", "").strip()
    if not text:
        return ()
    words = found.words or [_Word(start=0.0, end=length_s)]
    known = [each.logprob for each in found.logprobs or () if each.logprob is not None]
    mean = sum(known) / len(known) if known else None
    return (Heard(words[0].start, words[-1].end, text, mean_log_probability=mean),)
