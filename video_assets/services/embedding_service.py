"""Vectors from a service that speaks OpenAI's protocol: DeepInfra, OpenAI, or one of your own."""

from collections.abc import Sequence

import openai

from video_assets.media.errors import ToolMissingError
from video_assets.services.api_keys import embedding_key
from video_assets.services.embedder import Embedded, EmbedderSettings, fit
from video_assets.services.naming import host_of
from video_assets.services.openai_client import Service
from video_assets.services.tokens import Tokens, load_tokens

TEXTS_PER_REQUEST = 64


class EmbeddingService:
    """One model of one service."""

    def __init__(self, service: Service, client: openai.OpenAI, settings: EmbedderSettings) -> None:
        self._service, self._client, self._settings = service, client, settings
        self.longest = settings.token_limit

    @property
    def tokens(self) -> Tokens:
        """The tokenizer of the model, from the hub."""
        return load_tokens(self._settings.model)

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Give a vector for each text; raises what Service.ask does."""
        found: list[list[float]] = []
        tokens: int | None = 0
        for begin in range(0, len(texts), TEXTS_PER_REQUEST):
            answer = self._ask(texts[begin : begin + TEXTS_PER_REQUEST])
            ordered = sorted(answer.data or (), key=lambda each: each.index)
            found += [each.embedding for each in ordered]
            used = answer.usage.prompt_tokens if answer.usage else None
            tokens = tokens + used if tokens is not None and used else None
        return Embedded(fit(found, len(texts)), tokens)

    def _ask(self, texts: Sequence[str]) -> openai.types.CreateEmbeddingResponse:
        dimensions = self._settings.dimensions
        return self._service.ask(
            lambda: self._client.embeddings.create(
                model=self._settings.model,
                input=list(texts),
                encoding_format="float",  # the client's own choice, base64, is not every server's
                dimensions=dimensions if dimensions else openai.omit,
            )
        )


def open_service(settings: EmbedderSettings) -> EmbeddingService:
    """Make a client of the service, or give the one that this worker holds.

    Raises ToolMissingError if it needs a key and there is none.
    """
    key, host = embedding_key(settings.base_url), host_of(settings.base_url)
    if key.is_needed and key.value is None:
        raise ToolMissingError(f"{host} needs a key; set {key.variable}, then run again")
    service = Service("embedding service", "text", key.variable)
    client = service.open(settings.base_url, key.value, settings.timeout_s)
    return EmbeddingService(service, client, settings)
