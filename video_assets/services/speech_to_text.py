"""What every engine that turns speech into text takes and gives, and which one a preset names."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from video_assets.media.audio_chunks import LONGEST_S
from video_assets.services.api_keys import speech_key
from video_assets.services.device import Wanted
from video_assets.services.naming import plain_address, without_folder
from video_assets.services.outgoing import SOUND, Outgoing
from video_assets.services.paid_model import Payment

Speech = NDArray[np.float32]
RATE = 16_000
SpeechFormat = Literal["json", "verbose_json", "diarized_json"]
EngineName = Literal["subtitles", "faster_whisper", "transformers", "openai_compatible"]


# The documented limit of an upload is 25 MB, 13 minutes of our sound; longer requests are longer
# to repeat. Without times in the answer a chunk is the time, so it is short.
LONGEST_REQUEST_S: dict[SpeechFormat, float] = {
    "json": LONGEST_S,
    "verbose_json": 300.0,
    "diarized_json": 600.0,
}


@dataclass(frozen=True)
class Heard:
    """A piece of text, in seconds from the first sample that the engine was given.

    compression  how many times shorter the text is when it is compressed
    speaker      a name of the voice within the clip, where the engine tells voices apart
    """

    start_s: float
    end_s: float
    text: str
    mean_log_probability: float | None = None
    no_speech_probability: float | None = None
    compression: float | None = None
    speaker: str | None = None


@dataclass(frozen=True)
class Answer:
    """What an engine heard, and in which language as far as it knows."""

    pieces: tuple[Heard, ...]
    language: str | None


class SpeechEngine(Protocol):
    """Turns 16 kHz speech into text."""

    @property
    def longest_s(self) -> float:
        """The most that it takes at once."""
        ...

    def transcribe(self, speech: Speech, language: str | None) -> Answer:
        """Write down what is said; language None: find out.

        Raises MediaError, UnreachableError, ToolMissingError or PostponedError when it cannot.
        """
        ...


class EngineSettings(BaseModel):
    """Which engine writes down what is said. A key is never part of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: EngineName = Field(
        default="subtitles",
        description="subtitles: none, only what the file holds; faster_whisper and transformers "
        "run here (extra `local`); openai_compatible asks a service",
    )
    model: str = Field(
        default="small",
        min_length=1,
        description="name, Hugging Face name or folder",
        json_schema_extra={"variables": True},
    )
    language: str | None = Field(default=None, description="spoken, as en; None: found out")
    device: Wanted = Field(default="auto", description="mps, cuda or cpu of a local engine")
    compute_type: str = Field(
        default="default", description="of faster_whisper: int8, float16, …; default: as stored"
    )
    beam_size: int = Field(default=5, ge=1, le=20, description="of faster_whisper")
    base_url: str = Field(
        default="https://api.openai.com/v1",
        description="of an openai_compatible service",
        json_schema_extra={"variables": True},
    )
    response_format: Literal["auto"] | SpeechFormat = Field(
        default="auto",
        description="of a service: diarized_json tells speakers apart, json tells no times; "
        "auto: what the model is known for, else verbose_json",
    )
    timeout_s: float = Field(default=120, gt=0, description="of one request to a service")

    @field_validator("base_url")
    @classmethod
    def _has_no_secret(cls, url: str) -> str:
        return plain_address(url, key="VIDEO_ASSETS_SPEECH_API_KEY")

    @property
    def model_name(self) -> str:
        """The model without the folder in which it lies on one machine."""
        return without_folder(self.model)

    @property
    def format(self) -> SpeechFormat:
        """In which form a service is to answer."""
        if self.response_format != "auto":
            return self.response_format
        if "transcribe" not in self.model:
            return "verbose_json"
        return "diarized_json" if "diarize" in self.model else "json"


def load_engine(settings: EngineSettings, payment: Payment) -> SpeechEngine | None:
    """Give the engine that a preset names, loaded or still held from the last clip.

    payment  for what a service is asked

    Raises ToolMissingError if it cannot be had here.
    """
    if settings.engine == "faster_whisper":
        from video_assets.services.faster_whisper_engine import load_faster_whisper

        return load_faster_whisper(settings)
    if settings.engine == "transformers":
        from video_assets.services.transformers_engine import load_transformers

        return load_transformers(settings)
    if settings.engine == "openai_compatible":
        from video_assets.services.openai_engine import open_service

        return open_service(settings, payment)
    return None


def sent_sound(settings: EngineSettings) -> Outgoing | None:
    """Say what leaves for the service that a preset names."""
    if settings.engine != "openai_compatible":
        return None
    key = speech_key(settings.base_url)
    return Outgoing(settings.base_url, (SOUND,), secret=key.shown, has_key=key.value is not None)
