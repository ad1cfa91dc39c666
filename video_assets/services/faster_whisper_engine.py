"""Whisper on CTranslate2, through faster-whisper."""

from typing import Any

from video_assets.media.audio_chunks import LONGEST_S
from video_assets.media.errors import ToolMissingError
from video_assets.services.device import choose_ctranslate_device
from video_assets.services.local_models import keep, load_library
from video_assets.services.speech_to_text import Answer, EngineSettings, Heard, Speech


class FasterWhisper:
    """One loaded model."""

    longest_s = LONGEST_S

    def __init__(self, model: Any, beam_size: int) -> None:
        self._model, self._beam_size = model, beam_size

    def transcribe(self, speech: Speech, language: str | None) -> Answer:
        """Write down what is said."""
        pieces, info = self._model.transcribe(
            speech,
            language=language if self._model.model.is_multilingual else None,
            beam_size=self._beam_size,
            condition_on_previous_text=False,
        )
        heard = tuple(
            Heard(
                piece.start,
                piece.end,
                piece.text.strip(),
                mean_log_probability=piece.avg_logprob,
                no_speech_probability=piece.no_speech_prob,
                compression=piece.compression_ratio,
            )
            for piece in pieces
        )
        return Answer(heard, info.language)


def load_faster_whisper(settings: EngineSettings) -> FasterWhisper:
    """Load a model, or give the one that this worker holds.

    Raises ToolMissingError if the library or the model is not here.
    """
    device = choose_ctranslate_device(settings.device)
    key = (settings.model, device, settings.compute_type)
    model = keep("faster_whisper", key, lambda: _load(settings, device))
    return FasterWhisper(model, settings.beam_size)


def _load(settings: EngineSettings, device: str) -> Any:
    library = load_library("faster_whisper")
    try:
        return library.WhisperModel(
            settings.model, device=device, compute_type=settings.compute_type
        )
    except (OSError, ValueError, RuntimeError) as error:  # no network, no such name, no such file
        raise ToolMissingError(
            f"the model {settings.model_name} of faster_whisper cannot be loaded "
            f"({type(error).__name__}); it is downloaded on first use: check its name, its folder "
            "and the network, then run again"
        ) from error
