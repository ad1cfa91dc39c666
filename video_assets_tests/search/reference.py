"""What each search has to answer, worked out in plain Python over every clip of an owner.

Only how well a text matches is asked of the database: which texts match at all is worked out here.
"""

import math
import operator
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from video_assets.search.queries import RRF_K, Weights
from video_assets.storage.selection import Condition
from video_assets_tests.search.shelves import Told

# Each is its own stem in English and in German, and none is a word of a name or a folder.
WORDS = ("red", "boat", "lamp")
OTHER_WORD = "zebra"  # of no clip

Numbers = Sequence[float]


@dataclass(frozen=True)
class Words:
    """A question in words: all of them, or one, and perhaps one that must not be there."""

    wanted: tuple[str, ...]
    unwanted: str | None = None
    is_one_enough: bool = False

    @property
    def text(self) -> str:
        """As a person types it."""
        without = [f"-{self.unwanted}"] if self.unwanted else []
        return (" OR " if self.is_one_enough else " ").join([*self.wanted, *without])

    def choose(self, texts: Mapping[Any, set[str]]) -> tuple[set[Any], bool]:
        """The texts that answer, and whether any of the words was enough."""
        enough = any if self.is_one_enough else all
        found = {
            clip
            for clip, text in texts.items()
            if enough(word in text for word in self.wanted) and self.unwanted not in text
        }
        if found or self.unwanted or not self.wanted:
            return (found if self.wanted or self.unwanted else set()), False
        return {clip for clip, text in texts.items() if not text.isdisjoint(self.wanted)}, True


@dataclass(frozen=True)
class Rank:
    """How well one text matches, as the database says: all of the words, and any of them."""

    by_all: float
    by_any: float
    created: float


@dataclass(frozen=True)
class Expected:
    """A clip that has to be found, or a moment of it by its time."""

    id: uuid.UUID
    score: float
    places: dict[str, int] = field(default_factory=dict)
    at_s: float | None = None


def words_of(told: Told) -> set[str]:
    """Every word that is written of a clip."""
    said = " ".join(told.said)
    return set(f"{' '.join(told.tags)} {told.summary or ''} {said} {told.name}".lower().split())


def likeness(a: Numbers | None, b: Numbers) -> float:
    """The inner product; of no vector it is 0."""
    return sum(map(operator.mul, a, b)) if a is not None else 0.0


def texts(clips: Iterable[Told], words: Words, ranks: Mapping[uuid.UUID, Rank]) -> list[Expected]:
    """The clips of which the words are written."""
    return _by_rank({told.id: words_of(told) for told in clips}, words, ranks)


def transcripts(
    clips: Iterable[Told], words: Words, ranks: Mapping[uuid.UUID, Rank], shortest: int
) -> list[Expected]:
    """The clips in which the words are said."""
    said = {told.id: " ".join(told.said) for told in clips if told.said}
    long = {clip: set(text.split()) for clip, text in said.items() if len(text) >= shortest}
    return _by_rank(long, words, ranks)


def _by_rank(
    written: Mapping[uuid.UUID, set[str]], words: Words, ranks: Mapping[uuid.UUID, Rank]
) -> list[Expected]:
    found, by_any = words.choose(written)
    score = {clip: ranks[clip].by_any if by_any else ranks[clip].by_all for clip in found}
    order = sorted(found, key=lambda clip: (-score[clip], -ranks[clip].created, clip))
    return [Expected(clip, score[clip]) for clip in order]


def nearest(clips: Iterable[Told], kind: str, asked: Numbers, threshold: float) -> list[uuid.UUID]:
    """The clips that have a vector of one kind that is so alike, the nearest first."""
    there = {each.id: getattr(each, f"{kind}_vector") for each in clips}
    near = {clip: likeness(numbers, asked) for clip, numbers in there.items() if numbers}
    alike = [clip for clip in near if near[clip] >= threshold]
    return sorted(alike, key=lambda clip: (-near[clip], clip))


def semantic(
    clips: Sequence[Told], asked: tuple[Numbers, Numbers], weights: Weights, threshold: float
) -> list[Expected]:
    """The clips by the weighted sum of both likenesses."""
    found = [
        Expected(told.id, summary * weights.summary + keyword * weights.keyword)
        for told in clips
        if told.summary_vector or told.keyword_vector
        for summary in [likeness(told.summary_vector, asked[0])]
        for keyword in [likeness(told.keyword_vector, asked[1])]
        if summary >= threshold
    ]
    return sorted(found, key=lambda each: (-each.score, each.id))


def hybrid(
    clips: Sequence[Told],
    by_words: Sequence[Expected],
    words: Words,
    asked: tuple[Numbers, Numbers] | None,
    weights: Weights,
    rrf_k: int,
    threshold: float,
) -> list[Expected]:
    """Three ranked lists as one: the sum of weight / (rrf_k + place)."""
    lists = {"text": [each.id for each in by_words]}
    if asked is not None:
        lists["summary"] = nearest(clips, "summary", asked[0], threshold)
        lists["keyword"] = nearest(clips, "keyword", asked[1], threshold)
    weight = {"text": weights.fulltext, "summary": weights.summary, "keyword": weights.keyword}
    found = [
        Expected(clip, sum(weight[name] / (rrf_k + place) for name, place in there.items()), there)
        for clip, there in _places(lists, {t.id: words_of(t) for t in clips}, words).items()
    ]
    return sorted(found, key=lambda each: (-each.score, each.id))


def _places(
    lists: Mapping[str, Sequence[Any]], texts: Mapping[Any, set[str]], words: Words
) -> dict[Any, dict[str, int]]:
    """Where each stands in each list; what has an unwanted word stands in none."""
    places: dict[Any, dict[str, int]] = {}
    for name, ranked in lists.items():
        for place, each in enumerate(ranked, start=1):
            if words.unwanted not in texts[each]:
                places.setdefault(each, {})[name] = place
    return places


Moment = tuple[uuid.UUID, int]
"""A clip, and which of its passages."""


def moments(
    clips: Sequence[Told],
    words: Words,
    ranks: Mapping[Moment, Rank],
    asked: Numbers | None,
    weights: Weights,
    threshold: float,
) -> list[Expected]:
    """The passages by their words and by what they mean; the newest of those that tie."""
    said = {(told.id, n): set(text.split()) for told in clips for n, text in _numbered(told.said)}
    found, by_any = words.choose(said)
    rank = {each: ranks[each].by_any if by_any else ranks[each].by_all for each in found}
    vectors = {(told.id, n): v for told in clips for n, v in _numbered(told.moment_vectors)}
    near = {each: likeness(v, asked) for each, v in vectors.items()} if asked is not None else {}
    alike = {each: like for each, like in near.items() if like >= threshold}

    def order(score: Mapping[Moment, float]) -> list[Moment]:
        return sorted(score, key=lambda each: (-score[each], -ranks[each].created, each))

    places = _places({"text": order(rank), "semantic": order(alike)}, said, words)
    weight = {"text": weights.fulltext, "semantic": weights.keyword}
    score = {
        each: sum(weight[name] / (RRF_K + place) for name, place in there.items())
        for each, there in places.items()
    }
    return [
        Expected(each[0], score[each], places[each], 10.0 * (each[1] - 1)) for each in order(score)
    ]


def _numbered(parts: Sequence[Any]) -> Iterable[tuple[int, Any]]:
    return enumerate(parts, start=1)


def similar(clips: Sequence[Told], source: uuid.UUID, threshold: float) -> list[Expected]:
    """The clips whose summary is like that of one of the owner's."""
    origin = next((told.summary_vector for told in clips if told.id == source), None)
    if origin is None:
        return []
    found = [
        Expected(told.id, likeness(told.summary_vector, origin))
        for told in clips
        if told.id != source and told.summary_vector
    ]
    alike = [each for each in found if each.score >= threshold]
    return sorted(alike, key=lambda each: (-each.score, each.id))


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
}
_COLUMNS = {"camera_make": "camera_make", "place": "location_name", "duration": "duration_seconds"}


def meets(told: Told, condition: Condition) -> bool:
    """Whether a clip is what one condition asks for."""
    if condition.fact == "tag":
        has = condition.word in [tag.lower() for tag in told.tags]
        return has == (condition.op == "=")
    if condition.fact == "near":
        return _is_near(told, condition)
    known = told.facts.get(_COLUMNS.get(condition.fact, condition.fact))
    if isinstance(known, bool):
        known = str(known).lower()
    if isinstance(known, str):
        known = known.lower()
    value = condition.word if condition.number is None else condition.number
    if condition.op == "!=":
        return known != value
    if known is None:
        return False
    if condition.op == "~":
        return str(value) in known
    return _COMPARE[condition.op](known, value)


def _is_near(told: Told, condition: Condition) -> bool:
    if told.facts.get("gps_latitude") is None:
        return False
    assert condition.latitude is not None
    assert condition.longitude is not None
    assert condition.number is not None
    here, there = (
        _direction(told.facts["gps_latitude"], told.facts["gps_longitude"]),
        _direction(condition.latitude, condition.longitude),
    )
    return 6371.0 * math.acos(min(1.0, likeness(here, there))) <= condition.number


def _direction(latitude: float, longitude: float) -> Numbers:
    """A place as a point of a sphere of radius 1."""
    north, east = math.radians(latitude), math.radians(longitude)
    flat = math.cos(north)
    return (flat * math.cos(east), flat * math.sin(east), math.sin(north))
