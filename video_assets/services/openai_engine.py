"""Speech to text by a service that speaks OpenAI's protocol: theirs, or one of your own."""

import json
from typing import Any

import openai
from blake3 import blake3

from video_assets.media.errors import RefusedByServiceError, ToolMissingError
from video_assets.services.analysis_answers import InvalidAnswerError
from video_assets.services.api_keys import speech_key
from video_assets.services.client_errors import Errors
from video_assets.services.openai_client import Service
from video_assets.services.paid_call import PaidModel, Reply
from video_assets.services.paid_model import Payment, open_model
from video_assets.services.prices import here, price_of, provider_of
from video_assets.services.service_errors import BrokenError
from video_assets.services.speech_answers import most_of, read_answer, usage_of
from video_assets.services.speech_to_text import (
    LONGEST_REQUEST_S,
    RATE,
    Answer,
    EngineSettings,
    Speech,
    SpeechFormat,
)
from video_assets.services.voices import Voices
from video_assets.services.wav import as_wav

_TELLS_PROBABILITIES = ("gpt-4o-transcribe", "gpt-4o-mini-transcribe")


class SpeechService:
    """One model of one service, for one clip."""

    def __init__(
        self, client: openai.OpenAI, paid: PaidModel, errors: Errors, format: SpeechFormat
    ) -> None:
        self._client, self._paid, self._errors, self._format = client, paid, errors, format
        self._voices = Voices()
        self.longest_s = LONGEST_REQUEST_S[format]

    def transcribe(self, speech: Speech, language: str | None) -> Answer:
        """Write down what is said; raises what PaidModel.ask does."""
        sound, length_s = as_wav(speech), len(speech) / RATE
        options = self._options(language)
        reply = self._paid.ask(
            self._digest(sound, options),
            most_of(length_s),
            lambda: self._send(sound, length_s, options),
        )
        try:
            answer = read_answer(reply.answer, length_s)
        except InvalidAnswerError as error:
            if reply.call is not None:
                self._paid.billing.mark_invalid(reply.call, str(error))
            raise RefusedByServiceError(
                f"{self._paid.provider} does not answer with {self._format}, so choose another "
                f"model or response_format; the answer is kept with the call: {error}"
            ) from None
        return Answer(self._voices.name(answer.pieces, speech), answer.language)

    def _options(self, language: str | None) -> dict[str, Any]:
        """Give what the format takes, as each model documents it."""
        options: dict[str, Any] = {"model": self._paid.model, "response_format": self._format}
        if language:
            options["language"] = language
        if self._format == "verbose_json":
            options["timestamp_granularities"] = ["segment"]
        elif self._format == "diarized_json":
            options["chunking_strategy"] = "auto"
            if self._voices.samples:
                options["known_speaker_names"] = list(self._voices.samples)
                options["known_speaker_references"] = list(self._voices.samples.values())
        elif self._paid.model.startswith(_TELLS_PROBABILITIES):
            options["include"] = ["logprobs"]
        return options

    def _digest(self, sound: bytes, options: dict[str, Any]) -> str:
        asked = json.dumps([self._paid.account, options], sort_keys=True).encode()
        return blake3(asked + sound).hexdigest()

    def _send(self, sound: bytes, length_s: float, options: dict[str, Any]) -> Reply:
        with self._errors.told():
            answer = self._client.audio.transcriptions.with_raw_response.create(
                file=("speech.wav", sound, "audio/wav"), **options
            )
        try:
            # Some servers write NaN where they do not know a probability, which is no JSON.
            document = json.loads(answer.content, parse_constant=lambda _: None)
        except ValueError:
            raise BrokenError("its answer is no JSON", is_billed=True) from None
        return Reply(document, usage_of(document, length_s))


def open_service(settings: EngineSettings, payment: Payment) -> SpeechService:
    """Make a client of the service, or take the one that this worker holds, for one clip.

    Raises ToolMissingError if it needs a key and there is none, or if its price is not known.
    """
    key, provider = speech_key(settings.base_url), provider_of(settings.base_url)
    if key.is_needed and key.value is None:
        raise ToolMissingError(f"OpenAI's service needs a key; set {key.variable}, then run again")
    service = Service("speech service", "sound", key.variable)
    client = service.open(settings.base_url, key.value, settings.timeout_s)
    paid = open_model(
        *(provider, settings.model, settings.base_url, key.value or ""),
        price=price_of(provider, settings.model, settings.base_url),
        billing=payment.billing,
        beat=payment.beat,
    )
    errors = Errors(openai, key.variable, here(settings.base_url))
    return SpeechService(client.with_options(max_retries=0), paid, errors, settings.format)
