"""Texts that are too long for a model are cut, at the end of a sentence where there is one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from video_assets.services.embedder import Embedder
from video_assets.services.tokens import EstimatedTokens, Tokens

Method = Literal["none", "sentence_boundary", "token_boundary", "character_boundary"]
SENTENCE, DOTS = ". ", "..."
_KEPT_AT_LEAST = 0.7  # of what fits: a sentence that ends earlier leaves too much away


@dataclass(frozen=True)
class Truncated:
    """A text that fits, its length in tokens, and that of the whole."""

    text: str
    tokens: int
    original_tokens: int
    method: Method


def cut_to_fit(texts: Sequence[str], embedder: Embedder) -> list[Truncated]:
    """Cut texts to what a model takes; its tokenizer is only asked for where one may be too long.

    A token holds at least one byte.
    """
    may_be_too_long = any(len(text.encode()) > embedder.longest for text in texts)
    tokens = embedder.tokens if may_be_too_long else EstimatedTokens()
    return [truncate(text, embedder.longest, tokens) for text in texts]


def truncate(text: str, limit: int, tokens: Tokens) -> Truncated:
    """Cut a text to at most `limit` tokens.

    Whole sentences are kept while they fit. A first sentence that is too long is cut where its
    tokens end, with dots; by an estimate, the cut goes back to a sentence near it.
    """
    ends = tokens.ends(text)
    if len(ends) <= limit:
        return Truncated(text, len(ends), len(ends), "none")
    fits = ends[limit - 1]
    cut = text.rfind(SENTENCE, 0, fits)
    is_near = tokens.is_exact or cut > _KEPT_AT_LEAST * fits
    if cut > 0 and is_near:
        kept, method = text[: cut + 1], "sentence_boundary"
    else:
        room = limit - len(tokens.ends(DOTS)) - 1  # a cut inside a word may make a token more
        kept = text[: ends[max(room, 1) - 1]].rstrip() + DOTS
        method = "token_boundary" if tokens.is_exact else "character_boundary"
    return Truncated(kept, len(tokens.ends(kept)), len(ends), method)
