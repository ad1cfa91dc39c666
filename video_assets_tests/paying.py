"""An analyzer for tests of what costs money: it has a chat service say something of each clip."""

from decimal import Decimal
from functools import cache

import dagster as dg
import openai
from pydantic import BaseModel, ConfigDict, Field

from video_assets.clip_asset import clip_asset
from video_assets.progress import Progress
from video_assets.services.client_errors import Errors
from video_assets.services.paid_call import PaidModel, Reply
from video_assets.services.prices import Price, Usage
from video_assets.services.quotes import Quote, QuoteFacts
from video_assets.services.service_errors import BlockedError
from video_assets.settings import RateLimit
from video_assets.storage.ai_calls import Billing
from video_assets.storage.fingerprints import digest
from video_assets_tests.analyzers import Words

PRICE = Price(input=Decimal(1000), output=Decimal(10_000))  # a tenth of a cent, and a cent, a word
MOST = Usage(200, output_tokens=5)


class OpinionSettings(BaseModel):
    """Which service is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(default="http://127.0.0.1:9/v1")
    model: str = "opinionated"
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    most_words: int = MOST.input_tokens

    @property
    def most(self) -> Usage:
        """What a call takes at most."""
        return Usage(self.most_words, output_tokens=min(self.most_words, MOST.output_tokens))


class Opinion(BaseModel):
    """What a service says of a clip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    cost_usd: float


def quote(facts: QuoteFacts, settings: OpinionSettings) -> Quote:
    used = Usage(1, output_tokens=1)
    return Quote("tests", settings.model, used, settings.base_url, ("first word",), "one word each")


@clip_asset(lane="ai_opinions", code_version="1", quote=quote)
def opinion(
    words: Words, settings: OpinionSettings, billing: Billing, progress: Progress
) -> Opinion:
    """What a service says of the first word of each file."""
    limit = RateLimit(
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
    )
    model = PaidModel(
        *("tests", settings.model, "account of tests", PRICE, limit, billing),
        beat=lambda: progress(0.5),
    )
    asked = {"model": settings.model, "messages": [{"role": "user", "content": words.first}]}
    if (kept := billing.kept([digest(asked)])) is not None:
        return Opinion.model_validate(kept)
    reply = model.ask(digest(asked), settings.most, lambda: send(settings.base_url, words.first))
    billing.use([reply.call] if reply.call else [])
    return Opinion(text=reply.answer, cost_usd=float(reply.usd))


def send(base_url: str, word: str, model: str = "opinionated") -> Reply:
    """Make one attempt; the service's word is what it was asked."""
    with Errors(openai, "KEY_OF_TESTS").told():
        answer = open_client(base_url).chat.completions.create(
            model=model, messages=[{"role": "user", "content": word}]
        )
    assert answer.usage is not None
    used = Usage(answer.usage.prompt_tokens, output_tokens=answer.usage.completion_tokens)
    if answer.choices[0].finish_reason == "content_filter":
        raise BlockedError("it will not talk of this", used.input_tokens, used.output_tokens)
    return Reply(answer.choices[0].message.content, used)


@cache
def open_client(base_url: str) -> openai.OpenAI:
    """Make the client of a service, once."""
    return openai.OpenAI(api_key="none", base_url=base_url, max_retries=0, timeout=10)


ASSETS: list[dg.AssetsDefinition] = [opinion]
