"""Counting a text in the tokens of a model, with the model's own tokenizer where it can be had."""

from pathlib import Path
from typing import Any, Protocol

from video_assets.media.errors import ToolMissingError
from video_assets.services.local_models import keep, load_library

_BYTES_PER_TOKEN = 4  # of English; of other scripts it is less, so texts are cut rather too short


class Tokens(Protocol):
    """Counts and cuts text by tokens."""

    is_exact: bool

    def ends(self, text: str) -> list[int]:
        """Give where each token of a text ends, in characters."""
        ...


class ModelTokens:
    """The tokens of one model."""

    is_exact = True

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def ends(self, text: str) -> list[int]:
        """Give where each token of a text ends, in characters."""
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        return [end for _, end in encoded.offsets]


class EstimatedTokens:
    """A token for every four bytes, where no tokenizer is at hand."""

    is_exact = False

    def ends(self, text: str) -> list[int]:
        """Give where each token of a text ends, in characters."""
        ends, written = [], 0
        for place, character in enumerate(text, start=1):
            written += len(character.encode("utf-8", "surrogatepass"))
            ends += [place] * (written // _BYTES_PER_TOKEN - len(ends))
        return ends


def load_tokens(model: str) -> Tokens:
    """Give the tokenizer of a model by name or folder; estimate where it cannot be had.

    A name is looked up on the hub once, which takes half a minute without a network.
    """
    return keep("tokens", model, lambda: _load(model))


def _load(model: str) -> Tokens:
    try:
        library = load_library("tokenizers").Tokenizer
        file = Path(model).expanduser() / "tokenizer.json"
        found = library.from_file(str(file)) if file.is_file() else library.from_pretrained(model)
    except (ToolMissingError, OSError, ValueError):  # not installed, no network, no such name
        return EstimatedTokens()
    found.no_truncation()
    found.no_padding()
    return ModelTokens(found)
