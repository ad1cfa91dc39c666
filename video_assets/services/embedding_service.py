"""Vectors from a service that speaks OpenAI's protocol: DeepInfra, OpenAI, or one of your own."""

from collections.abc import Sequence
from typing import Any

import openai
from blake3 import blake3

from video_assets.media.errors import ToolMissingError
from video_assets.services.api_keys import embedding_key
from video_assets.services.client_errors import Errors
from video_assets.services.embedder import Embedded, EmbedderSettings, fit
from video_assets.services.naming import host_of
from video_assets.services.openai_client import Service
from video_assets.services.paid_call import PaidModel, Reply
from video_assets.services.paid_model import NO_LIMIT, Payment, open_model
from video_assets.services.prices import Usage, here, price_of, provider_of
from video_assets.services.tokens import Tokens, load_tokens

TEXTS_PER_REQUEST = 64


class EmbeddingService:
    """One model of one service.

    paid  where it is asked about a clip; None: for a question, which nobody's caps count
    """

    def __init__(
        self,
        service: Service,
        client: openai.OpenAI,
        settings: EmbedderSettings,
        paid: PaidModel | None,
    ) -> None:
        self._service, self._client, self._settings = service, client, settings
        self._paid = paid
        self.longest = settings.token_limit

    @property
    def tokens(self) -> Tokens:
        """The tokenizer of the model, from the hub."""
        return load_tokens(self._settings.model)

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Give a vector for each text; raises what Service.ask does, or PaidModel.ask."""
        found: list[list[float]] = []
        tokens: int | None = 0
        for begin in range(0, len(texts), TEXTS_PER_REQUEST):
            part = texts[begin : begin + TEXTS_PER_REQUEST]
            answer = self._pay(part, self._paid) if self._paid else self._ask(part)
            found += answer["vectors"]
            used = answer["tokens"]
            tokens = tokens + used if tokens is not None and used else None
        return Embedded(fit(found, len(texts)), tokens)

    def _ask(self, texts: Sequence[str]) -> dict[str, Any]:
        return _read(self._service.ask(lambda: self._send(self._client, texts)))

    def _pay(self, texts: Sequence[str], paid: PaidModel) -> dict[str, Any]:
        most = Usage(sum(len(text.encode()) for text in texts))  # no token is less than a byte
        client = self._client.with_options(max_retries=0)
        errors = Errors(openai, self._service.secret, here(self._settings.base_url))

        def send() -> Reply:
            with errors.told():
                answer = _read(self._send(client, texts))
            used = answer["tokens"]
            return Reply(answer, most if used is None else Usage(used))

        asked = (self._settings.model, str(self._settings.dimensions), *texts)
        return paid.ask(blake3("\0".join(asked).encode()).hexdigest(), most, send).answer

    def _send(
        self, client: openai.OpenAI, texts: Sequence[str]
    ) -> openai.types.CreateEmbeddingResponse:
        dimensions = self._settings.dimensions
        return client.embeddings.create(
            model=self._settings.model,
            input=list(texts),
            encoding_format="float",  # the client's own choice, base64, is not every server's
            dimensions=dimensions if dimensions else openai.omit,
        )


def open_service(settings: EmbedderSettings, payment: Payment | None) -> EmbeddingService:
    """Make a client of the service, or give the one that this worker holds.

    Raises ToolMissingError if it needs a key and there is none, or its price is not known.
    """
    key, host = embedding_key(settings.base_url), host_of(settings.base_url)
    if key.is_needed and key.value is None:
        raise ToolMissingError(f"{host} needs a key; set {key.variable}, then run again")
    service = Service("embedding service", "text", key.variable)
    client = service.open(settings.base_url, key.value, settings.timeout_s)
    paid = _paid(settings, key.value, payment) if payment else None
    return EmbeddingService(service, client, settings, paid)


def _paid(settings: EmbedderSettings, key: str | None, payment: Payment) -> PaidModel:
    provider = provider_of(settings.base_url)
    return open_model(
        *(provider, settings.model, settings.base_url, key or ""),
        price=price_of(provider, settings.model, settings.base_url),
        billing=payment.billing,
        beat=payment.beat,
        usual=NO_LIMIT,  # each clip is a request of a few texts, and cheap
    )


def _read(answer: openai.types.CreateEmbeddingResponse) -> dict[str, Any]:
    """Take out of an answer what is kept of it, in the order of the texts."""
    ordered = sorted(answer.data or (), key=lambda each: each.index)
    return {
        "vectors": [each.embedding for each in ordered],
        "tokens": answer.usage.prompt_tokens if answer.usage else None,
    }
