"""Speech to text by a service that speaks OpenAI's protocol: theirs, or one of your own."""

import io
import math
import wave
from typing import Any

import numpy as np
import openai

from video_assets.media.errors import MediaError, ToolMissingError, UnreachableError
from video_assets.services.local_models import keep
from video_assets.services.speech_to_text import RATE, Answer, EngineSettings, Heard, Speech
from video_assets.settings import load_settings

RETRIES = 3
_OPENAI = "https://api.openai.com/"
_PASSING = {408, 409, 425, 429}  # and all from 500 on
_OF_THE_SOUND = {400, 413, 415, 422}


class SpeechService:
    """One service."""

    def __init__(self, client: openai.OpenAI, model: str) -> None:
        self._client, self._model = client, model

    def transcribe(self, speech: Speech, language: str | None) -> Answer:
        """Write down what is said.

        Raises UnreachableError for what passes, ToolMissingError for what the preset or the key
        must change, and MediaError if the service will not have this sound.
        """
        try:
            answer = self._client.audio.transcriptions.create(
                file=("speech.wav", as_wav(speech), "audio/wav"),
                model=self._model,
                response_format="verbose_json",
                timestamp_granularities=["segment"],
                language=language if language else openai.omit,
            )
        except openai.APIStatusError as error:
            raise _refused(error) from None
        except openai.APIConnectionError as error:  # a timeout is one of them
            raise UnreachableError(
                f"the speech service cannot be reached ({type(error).__name__}); "
                "start it or check base_url and the network, then run again"
            ) from None
        return _answer(answer, len(speech) / RATE)


def open_service(settings: EngineSettings) -> SpeechService:
    """Make a client of the service, or give the one that this worker holds.

    Raises ToolMissingError if it needs a key and there is none.
    """
    secret = load_settings().speech_api_key
    key = secret.get_secret_value() if secret else None
    if key is None and settings.base_url.startswith(_OPENAI):
        raise ToolMissingError(
            "OpenAI's service needs a key; set VIDEO_ASSETS_SPEECH_API_KEY, then run again"
        )
    client = keep(
        "speech_service",
        (settings.base_url, settings.timeout_s, key),
        lambda: openai.OpenAI(
            api_key=key or "none",
            base_url=settings.base_url,
            timeout=settings.timeout_s,
            max_retries=RETRIES,
        ),
    )
    return SpeechService(client, settings.model)


def as_wav(speech: Speech) -> bytes:
    """Write speech as a WAV file of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes((np.clip(speech, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _refused(error: openai.APIStatusError) -> MediaError:
    status = error.status_code
    if status in _PASSING or status >= 500:
        return UnreachableError(
            f"the speech service is busy or broken (HTTP {status}); run again later"
        )
    if status in _OF_THE_SOUND:
        return MediaError(f"the speech service refuses this sound (HTTP {status})")
    return ToolMissingError(
        f"the speech service refuses the request (HTTP {status}); check base_url, model and "
        "VIDEO_ASSETS_SPEECH_API_KEY, then run again"
    )


def _answer(answer: Any, length_s: float) -> Answer:
    """Read an answer; servers leave out what they do not know."""
    if isinstance(answer, str) or not hasattr(answer, "text"):
        raise ToolMissingError(
            "the speech service does not answer with verbose_json; use a model that does"
        )
    pieces = tuple(
        Heard(
            start_s=float(piece.start),
            end_s=float(piece.end),
            text=piece.text.strip(),
            mean_log_probability=_finite(getattr(piece, "avg_logprob", None)),
            no_speech_probability=_finite(getattr(piece, "no_speech_prob", None)),
        )
        for piece in getattr(answer, "segments", None) or ()
    )
    if not pieces and (answer.text or "").strip():
        pieces = (Heard(0.0, length_s, answer.text.strip()),)
    return Answer(pieces, getattr(answer, "language", None))


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
