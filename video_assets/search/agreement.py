"""How far analyzers agree about a clip: the same category, the same tags, the same words.

Each measure is 0 to 1. Of tags and of summaries it is the share that both have of all that either
has (Jaccard), after small letters, and of a summary without the words that say nothing. With the
vectors of a model of meaning, summaries are compared by the cosine between theirs instead. The
agreement of two is the mean of the three.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
_WORD = re.compile(r"[^\W_]+")
# Of English, in which analyzers answer; they are in every summary and would look like agreement.
_EMPTY_TEXT = """
    a an and are as at be been being but by can clip during each for from has have he her his in
    into is it its of off on one or over she shot shows some that the their them there these they
    this through to two under up video was were while who with
"""
_EMPTY = frozenset(_EMPTY_TEXT.split())


@dataclass(frozen=True)
class Opinion:
    """What is compared of an analysis.

    vector  of the summary, by a model of meaning, of length 1; None: compare the words
    """

    category: str | None
    tags: tuple[str, ...]
    summary: str
    vector: Sequence[float] | None = None


@dataclass(frozen=True)
class Agreement:
    """How far two agree; a measure is None where there is nothing to compare."""

    category: float | None
    tags: float | None
    summary: float | None

    @property
    def overall(self) -> float | None:
        """The mean of what could be compared."""
        return mean(each for each in (self.category, self.tags, self.summary) if each is not None)


def compare(first: Opinion, second: Opinion) -> Agreement:
    """Compare two analyses of one clip."""
    has_category = first.category and second.category
    return Agreement(
        category=float(first.category == second.category) if has_category else None,
        tags=overlap(same_tags(first.tags), same_tags(second.tags)),
        summary=_summaries(first, second),
    )


def pairs(opinions: Mapping[str, Opinion]) -> dict[tuple[str, str], Agreement]:
    """Compare each with each, in the order in which they are given."""
    return {
        (first, second): compare(opinions[first], opinions[second])
        for first, second in combinations(opinions, 2)
    }


def same_tags(tags: Iterable[str]) -> frozenset[str]:
    """Write tags as they are compared: B-Roll, b_roll and 'b roll' are one."""
    return frozenset(" ".join(_WORD.findall(tag.casefold())) for tag in tags)


def words(text: str) -> frozenset[str]:
    """Name the words of a sentence that say something."""
    return frozenset(_WORD.findall(text.casefold())) - _EMPTY


def overlap(first: frozenset[Item], second: frozenset[Item]) -> float | None:
    """Give the share that both have of all that either has; None where neither has any."""
    return len(first & second) / len(first | second) if first | second else None


def mean(values: Iterable[float]) -> float | None:
    """Give the mean, or None of nothing."""
    found = list(values)
    return sum(found) / len(found) if found else None


def _summaries(first: Opinion, second: Opinion) -> float | None:
    if not first.summary or not second.summary:
        return None
    if first.vector is None or second.vector is None:
        return overlap(words(first.summary), words(second.summary))
    return float(np.clip(np.dot(first.vector, second.vector), 0.0, 1.0))
