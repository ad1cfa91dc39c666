"""Searching one owner's catalogue: by words, by meaning, by both, by what is said, by likeness.

Each search is a function of the database under its own name (`sql/migrations`), called as the
owner: who asks is known from the connection's claims and from nothing else. Errors are raised.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from video_assets.services.vectors import written
from video_assets.storage.named_queries import load, together
from video_assets.storage.selection import Condition
from video_assets.storage.way_in import WayIn

RRF_K = 50
ANY_LIKENESS = float("-inf")

VectorState = Literal["there", "of the next model", "none", "failed", "waits", "blocked"]
"""Of a clip's vector: `none` is there of a clip of which nothing is known in words.

`blocked` says a reader who knows that an earlier step failed; the search itself says `waits`.
"""

_queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class Hit:
    """A clip that was found.

    score   how good it is: higher is better; only comparable within one answer
    places  where it stands in each ranked list that found it, from 1: text, summary, keyword
    at_s    where in the clip the answer lies, in seconds; None for the clip as a whole
    moment  the id of the part of the clip, of a search for moments
    """

    id: UUID
    file_name: str
    local_path: str
    content_summary: str | None
    content_tags: list[str] | None
    duration_seconds: Decimal | None
    camera_make: str | None
    camera_model: str | None
    content_category: str | None
    processed_at: datetime | None
    score: float
    match_type: str
    places: dict[str, int] | None = None
    at_s: float | None = None
    until_s: float | None = None
    excerpt: str | None = None
    moment: UUID | None = None


@dataclass(frozen=True)
class Leg:
    """One ranked list of a search as it was made.

    leg    text, transcripts, summary, keyword, semantic (of moments), means (of clips' moments)
    how    exact: every vector was read; neighbours: the index was asked, which may find too few;
           nearest clips: the moments of some clips were read; None: of a search by words
    found  how many it holds
    scans  what the database read, and by which index
    words  what a search by words looked for
    """

    leg: str
    how: str | None
    found: int
    scans: list[str] | None
    words: str | None


@dataclass(frozen=True)
class Question:
    """What is asked of every search: which clips come into question, and which hits are wanted.

    legs  where the search writes down how it went; None: nobody wants to know
    """

    conditions: Sequence[Condition] = ()
    limit: int = 10
    offset: int = 0
    legs: list[Leg] | None = None

    @property
    def filters(self) -> Jsonb:
        """Give the conditions as the database reads them."""
        return Jsonb([asdict(condition) for condition in self.conditions])

    def parameters(self) -> dict[str, Any]:
        """Give it as parameters of a search."""
        return {"filters": self.filters, "limit": self.limit, "offset": self.offset}


@dataclass(frozen=True)
class Weights:
    """How much each ranked list counts."""

    fulltext: float = 1.0
    summary: float = 1.0
    keyword: float = 0.8


@dataclass(frozen=True)
class QueryVectors:
    """A question as vectors, by the model whose space is in use."""

    summary: Sequence[float]
    keyword: Sequence[float]


@dataclass(frozen=True)
class Statistics:
    """What an owner has in numbers."""

    total_clips: int
    total_duration_hours: Decimal
    total_storage_gb: Decimal
    clips_with_transcripts: int
    clips_in_progress: int
    clips_completed: int


@dataclass(frozen=True)
class Visible:
    """What a search of an owner can find: clips and moments, with vectors, and by which model.

    clips_in_question  that meet the conditions of the question
    """

    clips: int
    clips_in_question: int
    clips_with_vectors: int
    clips_with_speech: int
    moments: int
    moments_with_vectors: int
    model: str | None


@dataclass(frozen=True)
class Space:
    """The vectors of one model, of one owner's clips."""

    model: str
    is_in_use: bool
    clips: int


def fulltext(catalogue: WayIn, owner: UUID, text: str, question: Question) -> list[Hit]:
    """Find clips by words: of names, tags, summaries, cameras, places, folders and speech."""
    return _hits(catalogue, owner, _queries.fulltext, question, text=text)


def transcripts(
    catalogue: WayIn, owner: UUID, text: str, question: Question, *, shortest: int = 50
) -> list[Hit]:
    """Find clips by what is said in them; a hit names the time and quotes the words."""
    return _hits(catalogue, owner, _queries.transcripts, question, text=text, shortest=shortest)


def semantic(
    catalogue: WayIn,
    owner: UUID,
    vectors: QueryVectors,
    question: Question,
    *,
    weights: Weights | None = None,
    threshold: float = 0.0,
) -> list[Hit]:
    """Find clips by what they are about."""
    chosen = weights or Weights()
    parameters = {
        **_vectors(vectors),
        "summary_weight": chosen.summary,
        "keyword_weight": chosen.keyword,
        "threshold": threshold,
    }
    return _hits(catalogue, owner, _queries.semantic, question, **parameters)


def hybrid(
    catalogue: WayIn,
    owner: UUID,
    text: str,
    vectors: QueryVectors | None,
    question: Question,
    *,
    weights: Weights | None = None,
    rrf_k: int = RRF_K,
    threshold: float = ANY_LIKENESS,
) -> list[Hit]:
    """Find clips by words and meaning together; by words alone where there are no vectors.

    threshold  how like the question a vector must be to be in a list of its own
    """
    chosen = weights or Weights()
    parameters = {
        **_vectors(vectors),
        "fulltext_weight": chosen.fulltext,
        "summary_weight": chosen.summary,
        "keyword_weight": chosen.keyword,
        "rrf_k": rrf_k,
        "threshold": threshold,
    }
    return _hits(catalogue, owner, _queries.hybrid, question, text=text, **parameters)


def moments(
    catalogue: WayIn,
    owner: UUID,
    text: str,
    vectors: QueryVectors | None,
    question: Question,
    *,
    weights: Weights | None = None,
    threshold: float = ANY_LIKENESS,
) -> list[Hit]:
    """Find parts of clips by what is said in them and what it means; a hit names the time.

    By words alone where there are no vectors.
    """
    chosen = weights or Weights()
    parameters = {
        "vector": _vectors(vectors)["keyword"],
        "fulltext_weight": chosen.fulltext,
        "semantic_weight": chosen.keyword,
        "threshold": threshold,
    }
    return _hits(catalogue, owner, _queries.moments, question, text=text, **parameters)


def similar(
    catalogue: WayIn, owner: UUID, clip: UUID, question: Question, *, threshold: float = 0.5
) -> list[Hit]:
    """Find clips that are about the same as one of the owner's."""
    return _hits(catalogue, owner, _queries.similar, question, clip=clip, threshold=threshold)


def statistics(catalogue: WayIn, owner: UUID) -> Statistics:
    """Count what an owner has."""
    with catalogue.transaction(owner) as connection:
        return Statistics(**_queries.statistics(connection))


def visible(catalogue: WayIn, owner: UUID, question: Question | None = None) -> Visible:
    """Count what an owner's searches can find, of all clips and of those that are asked for."""
    filters = (question or Question()).filters
    with catalogue.transaction(owner) as connection:
        return Visible(**_queries.visible(connection, filters=filters))


def words(catalogue: WayIn, owner: UUID) -> list[str]:
    """Give the words of an owner's latest clips."""
    with catalogue.transaction(owner) as connection:
        return [row["word"] for row in _queries.words(connection)]


def model_in_use(catalogue: WayIn, owner: UUID) -> str | None:
    """Name the model whose vectors an owner's questions are compared with; None: there are none."""
    with catalogue.transaction(owner) as connection:
        return _queries.model_in_use(connection)


def spaces(catalogue: WayIn, owner: UUID) -> list[Space]:
    """Give the models by which clips were embedded, the one that is searched first."""
    with catalogue.transaction(owner) as connection:
        return [Space(**row) for row in _queries.spaces(connection)]


def vector_state(catalogue: WayIn, owner: UUID, clip: UUID) -> VectorState:
    """Say whether a clip can be compared with others, and if not, why."""
    with catalogue.transaction(owner) as connection:
        return _queries.vector_state(connection, clip=clip)


def stills(catalogue: WayIn, owner: UUID, hits: Sequence[Hit]) -> list[str | None]:
    """Name a still for each hit, relative to the artifact store: of its time, if it has one."""
    asked = {"ids": [hit.id for hit in hits], "times": [hit.at_s for hit in hits]}
    with catalogue.transaction(owner) as connection:
        return [row["still"] for row in _queries.stills(connection, **asked)]


def _vectors(vectors: QueryVectors | None) -> dict[str, str | None]:
    """Write vectors as Postgres reads them."""
    if vectors is None:
        return {"summary": None, "keyword": None}
    return {"summary": written(vectors.summary), "keyword": written(vectors.keyword)}


def _hits(
    catalogue: WayIn, owner: UUID, query: Any, question: Question, **parameters: Any
) -> list[Hit]:
    search = partial(query, **question.parameters(), **parameters)
    with catalogue.transaction(owner) as connection:
        if question.legs is None:
            return [Hit(**row) for row in search(connection)]
        _, rows, legs = together(connection, _queries.note_legs, search, _queries.legs)
    question.legs.extend(Leg(**each) for each in legs)
    return [Hit(**row) for row in rows]
