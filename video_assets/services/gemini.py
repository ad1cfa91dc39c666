"""Gemini, asked through Google's own client: a request, the stream of its answer, its tokens."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from video_assets.media.errors import ToolMissingError
from video_assets.services.gemini_errors import explain
from video_assets.services.local_models import keep
from video_assets.services.paid_call import Reply
from video_assets.services.prices import Usage
from video_assets.services.service_errors import BlockedError, BrokenError, CutShortError
from video_assets.settings import load_settings

PROVIDER, SECRET = "gemini", "GEMINI_API_KEY"
ADDRESS = "https://generativelanguage.googleapis.com"
VERSION = "v1beta"  # files, video metadata and JSON Schema are documented of this one
Detail = Literal["low", "default"]

# What Google's documentation says that a video takes.
FRAME_TOKENS: dict[Detail, int] = {"low": 66, "default": 258}
MARK_TOKENS = 10  # the time before each picture; counted from their round 300 tokens a second
SOUND_TOKENS = 32  # a second
CONTEXT_TOKENS = 1_000_000  # that a question may have
BYTES_PER_TOKEN = 2  # of a text at worst; of English it is four
_WHOLE = "STOP"


@dataclass(frozen=True)
class Manner:
    """How a model is asked.

    fps                   pictures a second that it looks at
    thinking_tokens       that it may think before it answers; None: as it likes
    timeout_s             for the whole answer
    processing_timeout_s  for an upload until it can be used
    inline_mb             a larger video is uploaded
    """

    model: str
    fps: float
    detail: Detail
    max_output_tokens: int
    thinking_tokens: int | None
    timeout_s: float
    processing_timeout_s: float
    inline_mb: float

    @property
    def told(self) -> list[Any]:
        """What of it is part of a request: asked otherwise, it is another question."""
        return [self.model, self.fps, self.detail, self.max_output_tokens, self.thinking_tokens]


def open_client(base_url: str | None, timeout_s: float) -> tuple[Any, str]:
    """Make a client, or give the one that this worker holds, and the key that it uses.

    Raises ToolMissingError if the library or the key is missing.
    """
    try:
        from google import genai
    except ImportError:
        raise ToolMissingError(
            "Gemini is asked through google-genai, which is not installed; install it with "
            "`pip install 'video-assets[ai]'`, then run again"
        ) from None
    secret = load_settings().gemini_api_key
    if secret is None:
        raise ToolMissingError(f"Gemini needs a key; set {SECRET}, then run again")
    key, address = secret.get_secret_value(), base_url or ADDRESS
    options: Any = {"base_url": address, "api_version": VERSION}
    options["timeout"] = round(timeout_s * 1000)

    def load() -> Any:
        return genai.Client(vertexai=False, api_key=key, http_options=options)

    return keep(PROVIDER, (address, timeout_s, key), load), key


def ask(
    client: Any,
    manner: Manner,
    parts: Sequence[dict[str, Any]],
    *,
    system: str,
    schema: dict[str, Any] | None,
    heard: Callable[[str], None],
) -> Reply:
    """Send one request and read the stream of its answer.

    schema  that the answer is held to; None: it is JSON of any shape
    heard   called with all the text that has arrived, whenever there is more

    Raises ServiceError. Whatever is raised closes the connection.
    """
    try:
        stream = client.models.generate_content_stream(
            model=manner.model,
            contents=[{"role": "user", "parts": list(parts)}],
            config=_config(manner, system, schema),
        )
        try:
            return read(stream, manner, heard)
        finally:
            stream.close()
    except (BlockedError, BrokenError):
        raise
    except Exception as error:  # noqa: BLE001 - explain raises what is none of the client's
        raise explain(error) from None


def hand_in(
    client: Any,
    manner: Manner,
    parts: Sequence[dict[str, Any]],
    *,
    system: str,
    schema: dict[str, Any] | None,
    name: str,
) -> str:
    """Hand in the same request as a batch of one, and give what Google calls the batch.

    name  by which it is found in Google's list

    Raises ServiceError.
    """
    request = {
        "contents": [{"role": "user", "parts": list(parts)}],
        "config": _config(manner, system, schema),
    }
    try:
        return client.batches.create(
            model=manner.model, src=[request], config={"display_name": name}
        ).name
    except Exception as error:  # noqa: BLE001 - explain raises what is none of the client's
        raise explain(error) from None


def most_of(manner: Manner, duration_s: float, has_sound: bool, texts: Sequence[str] = ()) -> Usage:
    """Count what a request takes at most. texts: all that is written in it."""
    pictures = int(duration_s * manner.fps) + 1 if duration_s else 0
    audio = int((duration_s + 1) * SOUND_TOKENS) if has_sound else 0
    written = sum(len(text.encode()) for text in texts) // BYTES_PER_TOKEN
    return Usage(
        input_tokens=pictures * (FRAME_TOKENS[manner.detail] + MARK_TOKENS) + audio + written,
        audio_tokens=audio,
        output_tokens=manner.max_output_tokens,
    )


def read(stream: Iterable[Any], manner: Manner, heard: Callable[[str], None]) -> Reply:
    """Read an answer, in one piece or several. Raises ServiceError."""
    began, text, usage, ending = time.monotonic(), "", None, None
    for piece in stream:
        usage = piece.usage_metadata or usage
        if piece.prompt_feedback and (reason := piece.prompt_feedback.block_reason):
            said = f"it was blocked before it was looked at ({_name(reason)})"
            raise BlockedError(said, **_charged(usage))
        for candidate in (piece.candidates or ())[:1]:
            more = _text(candidate)
            ending = _name(candidate.finish_reason) if candidate.finish_reason else ending
            if more:
                text += more
                heard(text)
        if time.monotonic() - began > manner.timeout_s:
            raise BrokenError(f"no end of its answer after {manner.timeout_s:g} s", is_billed=True)
    if ending is None:
        raise BrokenError("its answer breaks off in the middle", is_billed=True)
    if ending == "MAX_TOKENS":
        raise CutShortError(
            f"its answer is longer than max_output_tokens ({manner.max_output_tokens}); raise that "
            "in the preset, or lower window_s or thinking_tokens",
            **_charged(usage),
        )
    if ending != _WHOLE:
        raise BlockedError(f"it stopped ({ending})", **_charged(usage))
    if usage is None:
        raise BrokenError("it does not say how many tokens it took", is_billed=True)
    return Reply(text, _usage(usage))


def _config(manner: Manner, system: str, schema: dict[str, Any] | None) -> dict[str, Any]:
    config: dict[str, Any] = {
        "system_instruction": system,
        "response_mime_type": "application/json",
        "max_output_tokens": manner.max_output_tokens,
        "automatic_function_calling": {"disable": True},
        "automatic_continuation": False,  # each request is one reservation
    }
    if schema is not None:
        config["response_json_schema"] = schema
    if manner.detail == "low":
        config["media_resolution"] = "MEDIA_RESOLUTION_LOW"
    if manner.thinking_tokens is not None:
        config["thinking_config"] = {"thinking_budget": manner.thinking_tokens}
    return config


def _text(candidate: Any) -> str:
    parts = (candidate.content.parts or ()) if candidate.content else ()
    return "".join(part.text for part in parts if part.text and not part.thought)


def _charged(told: Any) -> dict[str, int]:
    used = _usage(told) if told is not None else Usage()
    return {
        "input_tokens": used.input_tokens,
        "cached_tokens": used.cached_tokens,
        "audio_tokens": used.audio_tokens,
        "output_tokens": used.output_tokens,
    }


def _usage(told: Any) -> Usage:
    """Count what is charged: thinking as output, and sound beside what came from the cache."""
    cached = _sound(told.cache_tokens_details)
    return Usage(
        input_tokens=told.prompt_token_count or 0,
        cached_tokens=told.cached_content_token_count or 0,
        audio_tokens=max(0, _sound(told.prompt_tokens_details) - cached),
        output_tokens=(told.candidates_token_count or 0) + (told.thoughts_token_count or 0),
    )


def _sound(details: Sequence[Any] | None) -> int:
    return sum(
        each.token_count or 0
        for each in details or ()
        if each.modality and _name(each.modality) == "AUDIO"
    )


def _name(value: Any) -> str:
    return str(getattr(value, "value", value))
