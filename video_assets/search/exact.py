"""Exact search: every vector of an owner is read, and nothing is left to an index or a short list.

Read as the owner, under row level security. What it finds is what the searches are held against.
"""

import heapq
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql
import numpy as np
from numpy.typing import NDArray

from video_assets.search.queries import RRF_K, QueryVectors, Weights
from video_assets.storage.postgres import Postgres

BLOCK = 2_000  # vectors that are read at once: 4 MB
HEADER_BYTES = 4  # before the numbers of a halfvec in its binary form
TIED = 1e-6  # the database sums in single precision, in an order of its own
DIGITS = 9  # by which two equal vectors are equally like, wherever they were read

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Sampled:
    """A clip of an owner's as a question, its vectors and the words of its name; or a moment."""

    text: str
    vectors: QueryVectors


Scores = Mapping[UUID, float]
"""Of every clip or moment that is found."""


@dataclass(frozen=True)
class Likeness:
    """How like every vector of one kind is to each of some questions: (questions, clips)."""

    clips: Sequence[UUID]
    values: NDArray[np.float64]

    def of(self, question: int) -> Scores:
        """Give one question's answer."""
        return dict(zip(self.clips, self.values[question].tolist(), strict=True))


def owners_with_vectors(catalogue: Postgres, *, at_most: int) -> list[UUID]:
    """Choose owners who have vectors, others each day where there are more."""
    with catalogue.transaction() as connection:
        return [row["user_id"] for row in _queries.owners(connection, at_most=at_most)]


def sample_clips(catalogue: Postgres, owner: UUID, size: int) -> list[Sampled]:
    """Choose so many of an owner's clips with vectors, the same ones each time."""
    with catalogue.transaction(owner) as connection:
        return [
            Sampled(
                " ".join(re.findall(r"\w+", Path(row["file_name"]).stem.replace("_", " "))),
                QueryVectors(json.loads(row["summary"]), json.loads(row["keyword"])),
            )
            for row in _queries.sample(connection, size=size)
        ]


def sample_moments(catalogue: Postgres, owner: UUID, size: int) -> list[Sampled]:
    """Choose the middle moments of so many clips, the same ones each time."""
    with catalogue.transaction(owner) as connection:
        rows = [
            (row["content"] or "", json.loads(row["v"]))
            for row in _queries.sample_moments(connection, size=size)
        ]
    return [Sampled(text, QueryVectors(numbers, numbers)) for text, numbers in rows]


def nearest_moments(
    catalogue: Postgres, owner: UUID, asked: Sequence[Sequence[float]], at_most: int
) -> list[Scores]:
    """Compare questions with all of an owner's moments, and keep so many of the best of each."""
    targets = np.array(asked, np.float64).T
    best: list[list[tuple[float, UUID]]] = [[] for _ in asked]
    with catalogue.transaction(owner) as connection:
        for ids, values in _blocks(connection, targets, _queries.moments.sql, {}):
            for kept, alike in zip(best, values.T, strict=True):
                least = kept[-1][0] if len(kept) == at_most else -np.inf
                better = [(float(alike[n]), ids[n]) for n in np.flatnonzero(alike > least)]
                kept[:] = heapq.nlargest(at_most, [*kept, *better])
    return [{moment: alike for alike, moment in kept} for kept in best]


def read_likeness(
    catalogue: Postgres, owner: UUID, asked: Sequence[QueryVectors]
) -> tuple[Likeness, Likeness]:
    """Compare questions with all of an owner's vectors, of the summary and of the keyword text."""
    with catalogue.transaction(owner) as connection:
        return (
            _read(connection, 1, [each.summary for each in asked]),
            _read(connection, 2, [each.keyword for each in asked]),
        )


def _read(connection: Any, kind: int, asked: Sequence[Sequence[float]]) -> Likeness:
    targets = np.array(asked, np.float64).T
    clips: list[UUID] = []
    values = [np.empty((0, len(asked)))]
    for ids, found in _blocks(connection, targets, _queries.vectors.sql, {"kind": kind}):
        clips += ids
        values.append(found)
    return Likeness(clips, np.concatenate(values).T)


def _blocks(
    connection: Any, targets: NDArray[np.float64], query: str, values: Mapping[str, Any]
) -> Iterator[tuple[list[UUID], NDArray[np.float64]]]:
    """Yield ids, and how like each of theirs is to each question: (vectors, questions)."""
    with connection.cursor("vectors", binary=True) as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(BLOCK):
            numbers = [np.frombuffer(row["v"], ">f2", offset=HEADER_BYTES) for row in rows]
            alike = (np.array(numbers, np.float64) @ targets).round(DIGITS)
            yield [row["id"] for row in rows], alike


def weigh(summary: Scores, keyword: Scores, weights: Weights, *, threshold: float = 0.0) -> Scores:
    """Score as the semantic search does: the weighted sum of both likenesses."""
    return {
        clip: summary.get(clip, 0.0) * weights.summary + keyword.get(clip, 0.0) * weights.keyword
        for clip in summary.keys() | keyword.keys()
        if summary.get(clip, 0.0) >= threshold
    }


def fuse(text: Sequence[UUID], summary: Scores, keyword: Scores, weights: Weights) -> Scores:
    """Score as the hybrid search does: by the places in three ranked lists, of every length."""
    fused: dict[UUID, float] = {}
    for weight, ranked in (
        (weights.fulltext, text),
        (weights.summary, ranked_by(summary)),
        (weights.keyword, ranked_by(keyword)),
    ):
        for place, clip in enumerate(ranked, start=1):
            fused[clip] = fused.get(clip, 0.0) + weight / (RRF_K + place)
    return fused


def ranked_by(scores: Scores) -> list[UUID]:
    """Order clips, the best first."""
    return sorted(scores, key=lambda clip: (-scores[clip], clip))


def grade(scores: Scores, k: int) -> dict[UUID, float]:
    """Grade the clips of the first k places: k for the best, 1 for the last.

    Those that are tied share the better place, so that none is missed for another just as good.
    """
    grades: dict[UUID, float] = {}
    place, above = 0, np.inf
    for number, clip in enumerate(ranked_by(scores), start=1):
        if scores[clip] < above - TIED:
            place, above = number, scores[clip]
        if place > k:
            break
        grades[clip] = float(k - place + 1)
    return grades
