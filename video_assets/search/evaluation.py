"""How good and how quick an owner's searches are, against exact search and against people.

Everything is asked as the owner, under row level security, by the functions that programs use.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from uuid import UUID

import numpy as np

from video_assets.search import exact, queries
from video_assets.search.judged import JudgedQuery, resolve
from video_assets.search.measures import ndcg_at, recall_at
from video_assets.search.queries import Hit, QueryVectors, Question, Weights
from video_assets.storage.postgres import Postgres

MOST_RANKED = 1_000  # in a fused list, unless more answers are asked for
TIED_MOMENTS = 10  # people say the same again: so many times k are looked at for ties

Embed = Callable[[str], QueryVectors]
"""Turns a question into vectors of the model whose space is in use."""
Ask = Callable[[Question], list[Hit]]


@dataclass(frozen=True)
class Answered:
    """How one question was answered, and how long its search took."""

    text: str
    recall: float
    ndcg: float
    ms: float


@dataclass(frozen=True)
class Evaluation:
    """How one search answered all questions: means, and the worst recall of any of them."""

    search: str
    k: int
    questions: int
    recall: float
    lowest_recall: float
    ndcg: float
    median_ms: float
    p95_ms: float
    answers: tuple[Answered, ...]


@dataclass(frozen=True)
class OwnerRecall:
    """How much of what exact search finds an owner's searches find too."""

    owner: UUID
    evaluations: tuple[Evaluation, ...]

    @property
    def recall(self) -> float:
        """Of the search that misses most."""
        return min(each.recall for each in self.evaluations)


def check_recall(
    catalogue: Postgres, owners: Iterable[UUID], *, sample: int = 20, k: int = 10
) -> list[OwnerRecall]:
    """Hold the searches of some owners against exact search; owners without vectors are left out.

    Moments are left to whoever asks for them: there may be a million, and all would be read.

    sample  how many of an owner's clips are asked about
    """
    found = ((owner, evaluate_clips(catalogue, owner, sample=sample, k=k)) for owner in owners)
    return [OwnerRecall(owner, tuple(made)) for owner, made in found if made]


def evaluate_exact(
    catalogue: Postgres, owner: UUID, *, sample: int = 20, k: int = 10
) -> list[Evaluation]:
    """Hold searches against exact search, asking for clips and moments like some of the owner's.

    A question is a clip's stored vectors and the words of its name, or the vector of a moment.
    Empty when the owner has none.
    """
    return [
        *evaluate_clips(catalogue, owner, sample, k),
        *evaluate_moments(catalogue, owner, sample, k),
    ]


def evaluate_clips(catalogue: Postgres, owner: UUID, sample: int, k: int) -> list[Evaluation]:
    """Hold `semantic` and `hybrid` against exact search."""
    sampled = exact.sample_clips(catalogue, owner, sample)
    if not sampled:
        return []
    summary, keyword = exact.read_likeness(catalogue, owner, [each.vectors for each in sampled])
    answers: dict[str, list[Answered]] = {"semantic": [], "hybrid": []}
    for number, each in enumerate(sampled):
        asks = asks_of(catalogue, owner, each.text, each.vectors)
        text = [hit.id for hit in asks["fulltext"](Question(limit=MOST_RANKED))]
        like = summary.of(number), keyword.of(number)
        for search, scores in (
            ("semantic", exact.weigh(*like, Weights())),
            ("hybrid", exact.fuse(text, *like, Weights())),
        ):
            answers[search].append(measure(each.text, asks[search], exact.grade(scores, k), k))
    return [summarize(search, k, made) for search, made in answers.items()]


def evaluate_moments(catalogue: Postgres, owner: UUID, sample: int, k: int) -> list[Evaluation]:
    """Hold `moments` against exact search, by meaning: an index of words misses nothing."""
    sampled = exact.sample_moments(catalogue, owner, sample)
    if not sampled:
        return []
    asked = [each.vectors.keyword for each in sampled]
    answers = [
        measure(
            each.text,
            lambda wish, each=each: queries.moments(catalogue, owner, "", each.vectors, wish),
            exact.grade(scores, k),
            k,
        )
        for each, scores in zip(
            sampled,
            exact.nearest_moments(catalogue, owner, asked, TIED_MOMENTS * k),
            strict=True,
        )
    ]
    return [summarize("moments", k, answers)]


def evaluate_judged(
    catalogue: Postgres,
    owner: UUID,
    judged: Sequence[JudgedQuery],
    *,
    k: int = 10,
    embed: Embed | None = None,
) -> list[Evaluation]:
    """Hold searches against what people say answers their questions.

    embed  without it `fulltext` alone is asked, with it `semantic` and `hybrid` too

    Raises JudgedSetError for a clip that the owner does not have.
    """
    wanted = resolve(catalogue, owner, judged)
    answers: dict[str, list[Answered]] = {}
    for query, grades in zip(judged, wanted, strict=True):
        vectors = embed(query.text) if embed is not None else None
        for search, ask in asks_of(catalogue, owner, query.text, vectors).items():
            answers.setdefault(search, []).append(measure(query.text, ask, grades, k))
    return [summarize(search, k, made) for search, made in answers.items()]


def asks_of(
    catalogue: Postgres, owner: UUID, text: str, vectors: QueryVectors | None
) -> dict[str, Ask]:
    """Give the searches that can be asked so."""
    asks: dict[str, Ask] = {"fulltext": lambda wish: queries.fulltext(catalogue, owner, text, wish)}
    if vectors is not None:
        asks["semantic"] = lambda wish: queries.semantic(catalogue, owner, vectors, wish)
        asks["hybrid"] = lambda wish: queries.hybrid(catalogue, owner, text, vectors, wish)
    return asks


def measure(text: str, ask: Ask, grades: Mapping[UUID, float], k: int) -> Answered:
    """Ask once, and hold the first k places against the clips or moments that should be there."""
    began = time.perf_counter()
    found = [hit.moment or hit.id for hit in ask(Question(limit=k))]
    took_ms = (time.perf_counter() - began) * 1000
    return Answered(text, recall_at(found, grades, k), ndcg_at(found, grades, k), took_ms)


def summarize(search: str, k: int, answers: Sequence[Answered]) -> Evaluation:
    """Take the answers of one search together."""
    median_ms, p95_ms = np.percentile([each.ms for each in answers], (50, 95)).tolist()
    recalls = [each.recall for each in answers]
    return Evaluation(
        search=search,
        k=k,
        questions=len(answers),
        recall=fmean(recalls),
        lowest_recall=min(recalls),
        ndcg=fmean(each.ndcg for each in answers),
        median_ms=median_ms,
        p95_ms=p95_ms,
        answers=tuple(answers),
    )
