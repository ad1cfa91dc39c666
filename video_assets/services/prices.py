"""What services charge: a dated table in the package, which the user's own goes before.

The user's lies in `prices.yaml` in the home folder and looks the same. A model of which no price is
known is not called. A server on this machine is free.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from video_assets.media.errors import ToolMissingError
from video_assets.services.naming import is_here
from video_assets.settings import load_settings

FILE_NAME = "prices.yaml"
_MILLION = 1_000_000


@dataclass(frozen=True)
class Usage:
    """Tokens of one call.

    input_tokens   all that it was given, those from its cache included
    cached_tokens  of these, read from its cache
    audio_tokens   of these, sound
    output_tokens  what it wrote, its thinking included
    sound_s        sound that it transcribed, where that is what it charges for
    """

    input_tokens: int = 0
    cached_tokens: int = 0
    audio_tokens: int = 0
    output_tokens: int = 0
    sound_s: float = 0.0


class Price(BaseModel):
    """Dollars for a million tokens of one model, or for a minute of sound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Decimal = Field(default=Decimal(0), ge=0)
    output: Decimal = Field(default=Decimal(0), ge=0)
    cached_input: Decimal | None = Field(default=None, ge=0, description="None: as input")
    audio_input: Decimal | None = Field(default=None, ge=0, description="None: as input")
    minute: Decimal = Field(default=Decimal(0), ge=0, description="of sound that is transcribed")
    as_of: date | None = Field(default=None, description="None: free")

    def of(self, usage: Usage) -> Decimal:
        """Give what a call costs."""
        cached = self.input if self.cached_input is None else self.cached_input
        audio = self.input if self.audio_input is None else self.audio_input
        plain = usage.input_tokens - usage.cached_tokens - usage.audio_tokens
        tokens = plain * self.input + usage.cached_tokens * cached + usage.audio_tokens * audio
        tokens += usage.output_tokens * self.output
        return tokens / _MILLION + Decimal(usage.sound_s) / 60 * self.minute


FREE = Price()
_Table = TypeAdapter(dict[str, dict[str, Price]])


def price_of(provider: str, model: str, base_url: str | None = None) -> Price:
    """Find what a model costs.

    provider  gemini, anthropic, or the host of a service that speaks OpenAI's protocol
    base_url  of such a service

    Raises ToolMissingError for a model of which no price is known.
    """
    if is_here(base_url):
        return FREE
    for table in (_own(load_settings().home / FILE_NAME), _packaged()):
        if found := table.get(provider, {}).get(model):
            return found
    raise ToolMissingError(
        f"no price is known of the model {model} of {provider}, so it is not asked; write it into "
        f"{FILE_NAME} in the home folder (see the README), then run again"
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
