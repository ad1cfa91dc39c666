"""Vectors from a service that speaks OpenAI's protocol: DeepInfra, OpenAI, or one of your own."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import openai

from video_assets.media.errors import ToolMissingError
from video_assets.services.embedder import Embedded, EmbedderSettings, fit
from video_assets.services.openai_client import Service
from video_assets.services.tokens import Tokens, load_tokens
from video_assets.settings import load_settings

TEXTS_PER_REQUEST = 64
_KEYS = {
    "api.deepinfra.com": ("DEEPINFRA_API_KEY", "deepinfra_api_key"),
    "api.openai.com": ("OPENAI_API_KEY", "openai_api_key"),
}
_ANY = ("VIDEO_ASSETS_EMBEDDING_API_KEY", "embedding_api_key")


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
    variable, key = _key(urlsplit(settings.base_url).hostname or "")
    service = Service("embedding service", "text", variable)
    client = service.open(settings.base_url, key, settings.timeout_s)
    return EmbeddingService(service, client, settings)


def _key(host: str) -> tuple[str, str | None]:
    """Give the variable that holds the key of a host, and the key; nobody else gets it."""
    variable, name = _KEYS.get(host, _ANY)
    known = load_settings()
    secret = getattr(known, name) or known.embedding_api_key
    if secret is None and host in _KEYS:
        raise ToolMissingError(f"{host} needs a key; set {variable}, then run again")
    return variable, secret.get_secret_value() if secret else None
