"""What every model that turns text into vectors takes and gives, and which one a preset names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from video_assets.media.errors import ToolMissingError
from video_assets.services.api_keys import embedding_key
from video_assets.services.device import Wanted
from video_assets.services.naming import plain_address, without_folder
from video_assets.services.outgoing import PLACE_NAME, SAID, Outgoing
from video_assets.services.paid_model import Payment
from video_assets.services.tokens import Tokens
from video_assets.services.vectors import DIMENSIONS

TEXTS = (SAID, "the camera's make, model, lens and description", PLACE_NAME, "the month")
Vectors = NDArray[np.float32]
EngineName = Literal["openai_compatible", "transformers"]


class EmbedderSettings(BaseModel):
    """Which model turns text into vectors. A key is never part of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: EngineName = Field(
        default="openai_compatible",
        description="openai_compatible asks a service; transformers runs here (extra `local`)",
    )
    model: str = Field(
        default="BAAI/bge-m3",
        min_length=1,
        description="name, Hugging Face name or folder; vectors of two models are never compared",
        json_schema_extra={"variables": True},
    )
    base_url: str = Field(
        default="https://api.deepinfra.com/v1/openai",
        description="of an openai_compatible service",
        json_schema_extra={"variables": True},
    )
    dimensions: int | None = Field(
        default=None, ge=1, le=DIMENSIONS, description="asked of a service whose models can shorten"
    )
    token_limit: int = Field(default=3500, ge=16, description="longer texts are cut")
    device: Wanted = Field(default="auto", description="mps, cuda or cpu of a local model")
    timeout_s: float = Field(default=60, gt=0, description="of one request to a service")

    @field_validator("base_url")
    @classmethod
    def _has_no_secret(cls, url: str) -> str:
        return plain_address(url, key="DEEPINFRA_API_KEY or VIDEO_ASSETS_EMBEDDING_API_KEY")

    @property
    def model_name(self) -> str:
        """The model without the folder in which it lies on one machine; what it was cut to."""
        name = without_folder(self.model)
        return f"{name}@{self.dimensions}" if self.dimensions else name


@dataclass(frozen=True)
class Embedded:
    """The vectors of some texts.

    vectors  float32, (texts, 1024), each of length 1
    tokens   of all texts together, as the engine counts them; None: it does not say
    """

    vectors: Vectors
    tokens: int | None


class Embedder(Protocol):
    """Turns texts into vectors, several at once."""

    longest: int
    """The most tokens of one text."""

    @property
    def tokens(self) -> Tokens:
        """How the model's tokens are counted."""
        ...

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Give a vector for each text.

        Raises MediaError, UnreachableError or ToolMissingError when it cannot.
        """
        ...


def load_embedder(settings: EmbedderSettings, payment: Payment | None = None) -> Embedder:
    """Give the embedder that a preset names, loaded or still held from the last clip.

    payment  for what is asked about a clip; None: a question, of which no clip is

    Raises ToolMissingError if it cannot be had here.
    """
    if settings.engine == "transformers":
        from video_assets.services.transformers_embedder import load_model

        return load_model(settings)
    from video_assets.services.embedding_service import open_service

    return open_service(settings, payment)


def sent_texts(settings: EmbedderSettings) -> Outgoing | None:
    """Say what leaves for the service that a preset names."""
    return _sent(settings, TEXTS)


def sent_passages(settings: EmbedderSettings) -> Outgoing | None:
    """Say what leaves of the moments of a clip."""
    return _sent(settings, (SAID,))


def _sent(settings: EmbedderSettings, texts: tuple[str, ...]) -> Outgoing | None:
    if settings.engine == "transformers":
        return None
    key = embedding_key(settings.base_url)
    return Outgoing(settings.base_url, texts, secret=key.shown, has_key=key.value is not None)


def fit(found: Sequence[Sequence[float]] | Vectors, count: int) -> Vectors:
    """Bring a model's vectors to the stored form: length 1, and zeros behind them up to 1024.

    Neither changes which of two vectors is nearer to a third.

    Raises ToolMissingError if they are no such vectors.
    """
    try:
        vectors = np.asarray(found, dtype=np.float32)
    except ValueError:  # of different lengths, or no numbers
        vectors = np.empty((0, 0), np.float32)
    if vectors.ndim != 2 or len(vectors) != count:
        raise ToolMissingError(f"expected {count} vectors of one length; use another model")
    if not 1 <= vectors.shape[1] <= DIMENSIONS:
        raise ToolMissingError(
            f"the model gives vectors of {vectors.shape[1]} numbers, and at most {DIMENSIONS} are "
            "stored; use another model, or set dimensions if it can shorten them"
        )
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(vectors).all() or not (lengths > 0).all():
        raise ToolMissingError("the model gives vectors without a direction; use another one")
    return np.pad(vectors / lengths, ((0, 0), (0, DIMENSIONS - vectors.shape[1])))
