"""Speech to text by a service that speaks OpenAI's protocol: theirs, or one of your own."""

import io
import math
import wave
from dataclasses import asdict
from typing import Any

import numpy as np
import openai
from blake3 import blake3

from video_assets.media.errors import ToolMissingError
from video_assets.services.client_errors import Errors
from video_assets.services.openai_client import Service
from video_assets.services.paid_call import PaidModel, Reply
from video_assets.services.paid_model import Payment, open_model
from video_assets.services.prices import Usage, here, price_of, provider_of
from video_assets.services.speech_to_text import RATE, Answer, EngineSettings, Heard, Speech
from video_assets.settings import load_settings

_OPENAI = "https://api.openai.com/"
_SERVICE = Service("speech service", "sound", "VIDEO_ASSETS_SPEECH_API_KEY")


class SpeechService:
    """One model of one service."""

    def __init__(self, client: openai.OpenAI, paid: PaidModel, errors: Errors) -> None:
        self._client, self._paid, self._errors = client, paid, errors

    def transcribe(self, speech: Speech, language: str | None) -> Answer:
        """Write down what is said; raises what PaidModel.ask does."""
        wav, most = as_wav(speech), Usage(sound_s=len(speech) / RATE)

        def send() -> Reply:
            with self._errors.told():
                answer = self._send(wav, language)
            return Reply(asdict(_answer(answer, most.sound_s)), most)

        asked = f"{self._paid.model}\0{language}\0".encode() + wav
        answer = self._paid.ask(blake3(asked).hexdigest(), most, send).answer
        pieces = tuple(Heard(**piece) for piece in answer["pieces"])
        return Answer(pieces, answer["language"])

    def _send(self, wav: bytes, language: str | None) -> Any:
        return self._client.audio.transcriptions.create(
            file=("speech.wav", wav, "audio/wav"),
            model=self._paid.model,
            response_format="verbose_json",
            timestamp_granularities=["segment"],
            language=language if language else openai.omit,
        )


def open_service(settings: EngineSettings, payment: Payment) -> SpeechService:
    """Make a client of the service, or give the one that this worker holds.

    Raises ToolMissingError if it needs a key and there is none, or its price is not known.
    """
    secret = load_settings().speech_api_key
    key = secret.get_secret_value() if secret else None
    if key is None and settings.base_url.startswith(_OPENAI):
        raise ToolMissingError(
            f"OpenAI's service needs a key; set {_SERVICE.secret}, then run again"
        )
    client = _SERVICE.open(settings.base_url, key, settings.timeout_s).with_options(max_retries=0)
    provider = provider_of(settings.base_url)
    paid = open_model(
        *(provider, settings.model, settings.base_url, key or ""),
        price=price_of(provider, settings.model, settings.base_url),
        billing=payment.billing,
        beat=payment.beat,
    )
    return SpeechService(client, paid, Errors(openai, _SERVICE.secret, here(settings.base_url)))


def as_wav(speech: Speech) -> bytes:
    """Write speech as a WAV file of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes((np.clip(speech, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


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
