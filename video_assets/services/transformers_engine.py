"""Whisper, and models that speak like it, through transformers on torch."""

import math
from typing import Any

from video_assets.media.audio_chunks import LONGEST_S
from video_assets.media.errors import ToolMissingError
from video_assets.services.device import choose_device
from video_assets.services.local_models import keep, load_library
from video_assets.services.speech_to_text import RATE, Answer, EngineSettings, Heard, Speech

_SIZES = ("tiny", "base", "small", "medium", "large-v2", "large-v3", "large-v3-turbo")


class TransformersWhisper:
    """One loaded model with its processor."""

    longest_s = LONGEST_S

    def __init__(self, model: Any, processor: Any, device: str) -> None:
        self._model, self._processor, self._device = model, processor, device

    def transcribe(self, speech: Speech, language: str | None) -> Answer:
        """Write down what is said."""
        inputs = self._processor(
            speech, sampling_rate=RATE, return_tensors="pt", return_attention_mask=True
        )
        is_multilingual = bool(getattr(self._model.generation_config, "is_multilingual", False))
        made = self._model.generate(
            inputs.input_features.to(self._device, self._model.dtype),
            attention_mask=inputs.attention_mask.to(self._device),
            return_dict_in_generate=True,
            output_scores=True,
            return_segments=True,
            return_timestamps=True,
            **({"language": language, "task": "transcribe"} if is_multilingual else {}),
        )
        segments = made["segments"][0]
        pieces = tuple(self._piece(segment, len(speech) / RATE) for segment in segments)
        return Answer(pieces, language or self._language(segments))

    def _piece(self, segment: Any, length_s: float) -> Heard:
        """Read one segment: the stretch between two time stamps of the model."""
        text = self._processor.tokenizer.decode(segment["tokens"], skip_special_tokens=True)
        return Heard(
            start_s=float(segment["start"]),
            end_s=min(float(segment["end"]), length_s),
            text=text.strip(),
            mean_log_probability=_likelihood(segment),
        )

    def _language(self, segments: list[Any]) -> str | None:
        """Read the language that the model chose, which is among its first tokens."""
        names = getattr(self._model.generation_config, "lang_to_id", None) or {}
        by_token = {token: name for name, token in names.items()}
        first = segments[0]["result"]["sequences"][:4].tolist() if segments else []
        found = next((by_token[token] for token in first if token in by_token), None)
        return found.strip("<|>") if found else None


def _likelihood(segment: Any) -> float | None:
    """Give the mean logarithm of the probabilities of a segment's tokens."""
    tokens, scores = segment["result"]["sequences"], segment["result"]["scores"]
    prompt = len(tokens) - len(scores)
    begin, end = segment["idxs"]
    places = range(max(begin, prompt), min(end, len(tokens)))
    logs = [float(scores[at - prompt].float().log_softmax(-1)[tokens[at]]) for at in places]
    known = [log for log in logs if math.isfinite(log)]
    return sum(known) / len(known) if known else None


def load_transformers(settings: EngineSettings) -> TransformersWhisper:
    """Load a model, or give the one that this worker holds.

    Raises ToolMissingError if the library or the model is not here.
    """
    device = choose_device(settings.device)
    return keep("transformers_speech", (settings.model, device), lambda: _load(settings, device))


def _load(settings: EngineSettings, device: str) -> TransformersWhisper:
    library = load_library("transformers")
    name = f"openai/whisper-{settings.model}" if settings.model in _SIZES else settings.model
    try:
        processor = library.AutoProcessor.from_pretrained(name)
        model = library.AutoModelForSpeechSeq2Seq.from_pretrained(name)
    except (OSError, ValueError) as error:  # no network, no such name, no speech model
        raise ToolMissingError(
            f"the model {settings.model_name} of transformers cannot be loaded "
            f"({type(error).__name__}); it is downloaded on first use: check its name, its folder "
            "and the network, then run again"
        ) from error
    if getattr(model.generation_config, "no_timestamps_token_id", None) is None:
        raise ToolMissingError(
            f"{settings.model_name} is no Whisper model that tells times; name one that does"
        )
    return TransformersWhisper(model.to(device).eval(), processor, device)
