"""What searches should find: every vector of an owner is read, as the catalogue holds it."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from search_vectors import Connection, read_rows
from search_world import KEYWORD, SUMMARY, Array

from video_assets.search import exact
from video_assets.search.queries import RRF_K, Weights

TOP = 10
# Lists of the database for owners of more clips than it reads all of; others' lists are whole.
LISTED, MANY = 100, 8000

Grades = Mapping[uuid.UUID, float]


class Exact:
    """Every clip of an owner's."""

    def __init__(self, connection: Connection, owner: uuid.UUID) -> None:
        self.clips, self.summary = self._read(connection, owner, SUMMARY)
        _, self.keyword = self._read(connection, owner, KEYWORD)
        self.place_of = {clip: place for place, clip in enumerate(self.clips)}
        self.listed = LISTED if len(self.clips) > MANY else len(self.clips)

    @staticmethod
    def _read(connection: Connection, owner: uuid.UUID, kind: int) -> tuple[list[uuid.UUID], Array]:
        query = f"""SELECT clip_id, v FROM clip_vectors
                     WHERE user_id = '{owner}' AND space = 1 AND kind = {kind} ORDER BY clip_id"""  # noqa: S608
        blocks = list(read_rows(connection, query))
        return [each for ids, _ in blocks for each in ids], np.concatenate([v for _, v in blocks])

    def grades(
        self, text: Sequence[uuid.UUID], clip: uuid.UUID, vectors: Sequence[Array]
    ) -> dict[str, Grades]:
        """Grade what searches should find, hybrid by lists of its own length and by whole ones."""
        weights = Weights()
        summary, keyword = (
            stored @ half(asked)
            for stored, asked in zip((self.summary, self.keyword), vectors, strict=True)
        )
        combined = weights.summary * summary + weights.keyword * keyword
        combined[summary < 0] = -np.inf  # is not answered
        like = self.summary @ self.summary[self.place_of[clip]]
        like[like < 0] = like[self.place_of[clip]] = -np.inf
        return {
            "hybrid": self._best(self._fused(text, summary, keyword, self.listed)),
            "hybrid in full": self._best(self._fused(text, summary, keyword, len(self.clips))),
            "semantic": self._best(combined),
            "similar": self._best(like),
        }

    def _fused(self, text: Sequence[uuid.UUID], summary: Array, keyword: Array, length: int) -> Any:
        weights = Weights()
        fused = weights.summary * _shares(summary, length)
        fused += weights.keyword * _shares(keyword, length)
        for place, clip in enumerate(text, start=1):
            fused[self.place_of[clip]] += weights.fulltext / (RRF_K + place)
        return fused

    def _best(self, scores: Array) -> Grades:
        best = [each for each in np.argsort(-scores)[: 5 * TOP] if scores[each] > -np.inf]
        return exact.grade({self.clips[each]: float(scores[each]) for each in best}, TOP)


def best_moments(connection: Connection, owner: uuid.UUID, asked: Sequence[Array]) -> list[Grades]:
    """Grade the moments that are nearest to each question."""
    query = f"SELECT segment_id, v FROM moment_vectors WHERE user_id = '{owner}' AND space = 1"  # noqa: S608
    questions = half(np.stack(asked)).T
    best: list[dict[uuid.UUID, float]] = [{} for _ in asked]
    for ids, vectors in read_rows(connection, query):
        scores = vectors @ questions
        for question, found in enumerate(best):
            for each in np.argsort(-scores[:, question])[: 2 * TOP]:
                found[ids[each]] = float(scores[each, question])
    return [exact.grade(found, TOP) for found in best]


def half(asked: Array) -> Array:
    """Give a question as the database compares it: in half precision."""
    return np.asarray(asked, np.float16).astype(np.float32)


def _shares(scores: Array, length: int) -> Array:
    """Give what each clip's place in a ranked list of that length adds to its rank."""
    shares = np.zeros(len(scores))
    best = np.argsort(-scores)[:length]
    shares[best] = 1 / (RRF_K + np.arange(1, len(best) + 1))
    return shares
