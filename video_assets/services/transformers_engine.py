"""Whisper, and models that speak like it, through transformers on torch."""

from typing import Any

from video_assets.media.errors import ToolMissingError
from video_assets.services.device import choose_device
from video_assets.services.local_models import keep, load_library
from video_assets.services.speech_to_text import RATE, Answer, EngineSettings, Heard, Speech

_SIZES = ("tiny", "base", "small", "medium", "large-v2", "large-v3", "large-v3-turbo")


class TransformersWhisper:
    """One loaded model with its processor."""

    def __init__(self, model: Any, processor: Any, device: str) -> None:
        self._model, self._processor, self._device = model, processor, device

    def transcribe(self, speech: Speech, language: str | None) -> Answer:
        """Write down what is said."""
        config = self._model.generation_config
        has_times = getattr(config, "no_timestamps_token_id", None) is not None
        is_multilingual = bool(getattr(config, "is_multilingual", False))
        inputs = self._processor(
            speech, sampling_rate=RATE, return_tensors="pt", return_attention_mask=True
        )
        made = self._model.generate(
            inputs.input_features.to(self._device, self._model.dtype),
            attention_mask=inputs.attention_mask.to(self._device),
            return_dict_in_generate=True,
            output_scores=True,
            return_timestamps=has_times,
            **({"language": language, "task": "transcribe"} if is_multilingual else {}),
        )
        pieces = self._pieces(made.sequences[0].tolist(), len(speech) / RATE, _likelihood(made))
        return Answer(pieces, language or self._language(made.sequences[0].tolist()))

    def _pieces(
        self, tokens: list[int], length_s: float, likelihood: float | None
    ) -> tuple[Heard, ...]:
        """Cut the text where the model put time stamps."""
        decoded = self._processor.tokenizer.decode(
            tokens, skip_special_tokens=True, output_offsets=True
        )
        offsets = decoded["offsets"] or [{"text": decoded["text"], "timestamp": (0.0, None)}]
        return tuple(
            Heard(
                start_s=float(part["timestamp"][0] or 0.0),
                end_s=float(part["timestamp"][1] or length_s),
                text=part["text"].strip(),
                mean_log_probability=likelihood,
            )
            for part in offsets
        )

    def _language(self, tokens: list[int]) -> str | None:
        """Read the language that the model chose, if it is among its first tokens."""
        names = getattr(self._model.generation_config, "lang_to_id", None) or {}
        by_token = {token: name for name, token in names.items()}
        found = next((by_token[token] for token in tokens[:3] if token in by_token), None)
        return found.strip("<|>") if found else None


def _likelihood(made: Any) -> float | None:
    """Give the mean logarithm of the chosen tokens' probabilities."""
    if not made.scores:
        return None
    chosen = made.sequences[0][-len(made.scores) :]
    logs = [
        float(score[0].log_softmax(-1)[token])
        for score, token in zip(made.scores, chosen, strict=False)
    ]
    return sum(logs) / len(logs)


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
    return TransformersWhisper(model.to(device).eval(), processor, device)
