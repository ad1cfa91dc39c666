"""What services charge: a dated table in the package, which the user's own goes before.

The user's lies in `prices.yaml` in the home folder and looks the same. A model of which no price is
known is not called, unless the settings name it. A server on this machine is free.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from video_assets.media.errors import ToolMissingError
from video_assets.services.naming import is_here
from video_assets.settings import load_settings

FILE_NAME = "prices.yaml"
_MILLION = 1_000_000
_HOSTS = {  # of services that have a name
    "generativelanguage.googleapis.com": "gemini",
    "api.anthropic.com": "anthropic",
    "api.openai.com": "openai",
    "api.deepinfra.com": "deepinfra",
}


@dataclass(frozen=True)
class Usage:
    """Tokens of one call.

    input_tokens   all that it was given, those from its cache included
    cached_tokens  of these, read from its cache
    written_tokens of these, written to its cache
    audio_tokens   of these, sound
    output_tokens  what it wrote, its thinking included
    sound_s        sound that it transcribed, where that is what it charges for
    """

    input_tokens: int = 0
    cached_tokens: int = 0
    written_tokens: int = 0
    audio_tokens: int = 0
    output_tokens: int = 0
    sound_s: float = 0.0


class Rates(BaseModel):
    """Dollars for a million tokens of one model, or for a minute of sound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Decimal = Field(default=Decimal(0), ge=0)
    output: Decimal = Field(default=Decimal(0), ge=0)
    cached_input: Decimal | None = Field(default=None, ge=0, description="None: as input")
    cache_write: Decimal | None = Field(default=None, ge=0, description="None: as input")
    audio_input: Decimal | None = Field(default=None, ge=0, description="None: as input")
    minute: Decimal = Field(default=Decimal(0), ge=0, description="of sound that is transcribed")

    def of(self, usage: Usage) -> Decimal:
        """Give what a call costs."""
        special = (
            (usage.cached_tokens, self.cached_input),
            (usage.written_tokens, self.cache_write),
            (usage.audio_tokens, self.audio_input),
        )
        plain = max(0, usage.input_tokens - sum(count for count, _ in special))
        tokens = plain * self.input + usage.output_tokens * self.output
        tokens += sum(
            (count * (self.input if rate is None else rate) for count, rate in special), Decimal(0)
        )
        return tokens / _MILLION + Decimal(usage.sound_s) / 60 * self.minute

    def shared(self, share: Decimal, cached: Decimal) -> "Rates":
        """Give a share of these rates, and another one of what is read from a cache."""
        kept = self.input if self.cached_input is None else self.cached_input
        parts = {name: getattr(self, name) for name in ("cache_write", "audio_input")}
        return Rates(
            input=self.input * share,
            output=self.output * share,
            cached_input=kept * cached,
            minute=self.minute * share,
            **{name: rate if rate is None else rate * share for name, rate in parts.items()},
        )


class Price(Rates):
    """What one model costs.

    Some charge more for every token of a request whose input is longer than so many tokens, and
    most charge less for requests that are handed in as a batch.
    """

    as_of: date | None = Field(default=None, description="None: free, or not known")
    is_known: bool = True
    long_over: int | None = Field(default=None, ge=1, description="tokens of input")
    long: Rates | None = Field(default=None, description="of such a request")
    batch: Decimal | None = Field(
        default=None, ge=0, le=1, description="share of all this in a batch; None: as much"
    )
    batch_cached: Decimal | None = Field(
        default=None, ge=0, le=1, description="of what is read from a cache there; None: as batch"
    )

    def in_batch(self) -> "Price":
        """Give what it costs where requests are handed in as a batch."""
        if self.batch is None:
            return self
        shares = self.batch, self.batch if self.batch_cached is None else self.batch_cached
        rates = self.shared(*shares).model_dump()
        long = self.long and self.long.shared(*shares)
        return self.model_copy(update={**rates, "long": long, "batch": None})

    def of(self, usage: Usage) -> Decimal:
        """Give what a call costs."""
        is_long = self.long_over is not None and usage.input_tokens > self.long_over
        return self.long.of(usage) if is_long and self.long is not None else super().of(usage)


FREE = Price()
UNKNOWN = Price(is_known=False)
_Table = TypeAdapter(dict[str, dict[str, Price]])


def provider_of(base_url: str) -> str:
    """Name the service at an address: by its name, else by its host."""
    host = urlsplit(base_url).hostname or base_url
    return _HOSTS.get(host, host)


def host_of(provider: str, base_url: str | None = None) -> str:
    """Name the host that a service's requests go to."""
    hosts = {name: host for host, name in _HOSTS.items()}
    return (urlsplit(base_url).hostname if base_url else None) or hosts.get(provider, provider)


def here(base_url: str) -> str | None:
    """Give the address of a service on this machine; None for any other."""
    return base_url if is_here(base_url) else None


def price_of(provider: str, model: str, base_url: str | None = None) -> Price:
    """Find what a model costs.

    provider  gemini, anthropic, openai, deepinfra, or the host of another service
    base_url  of a service that may be one of one's own

    Raises ToolMissingError for a model whose price nobody knows and that the settings do not allow.
    """
    settings = load_settings()
    if own := _own(settings.home / FILE_NAME).get(provider, {}).get(model):
        return own  # even of a server here, which may pass on what it is asked
    if is_here(base_url):
        return FREE
    if found := _packaged().get(provider, {}).get(model):
        return found
    name = f"{provider}/{model}"
    if name in settings.budget.unpriced:
        return UNKNOWN
    raise ToolMissingError(
        f"no price is known of {name}, so it is not asked; write it into {FILE_NAME} in the home "
        "folder, or allow it without one by budget.unpriced in the settings, then run again"
    )


@cache
def _packaged() -> dict[str, dict[str, Price]]:
    text = files(__package__ or "video_assets.services").joinpath(FILE_NAME).read_text("utf-8")
    return _Table.validate_python(yaml.safe_load(text))


def _own(path: Path) -> dict[str, dict[str, Price]]:
    if not path.is_file():
        return {}
    try:
        return _Table.validate_python(yaml.safe_load(path.read_text("utf-8")) or {})
    except (yaml.YAMLError, ValidationError) as error:
        raise ToolMissingError(f"{FILE_NAME} in the home folder cannot be read: {error}") from None
