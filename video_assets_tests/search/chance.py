"""Catalogues and questions that chance makes, small enough that every search finds ties."""

import itertools
import uuid
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from video_assets.search.queries import Weights
from video_assets.storage.selection import Condition
from video_assets_tests.search.reference import OTHER_WORD, WORDS, Words
from video_assets_tests.search.shelves import Told

SEARCHES = ("fulltext", "transcripts", "semantic", "hybrid", "similar", "moments")
_serial = itertools.count(1)


@dataclass(frozen=True)
class Asked:
    """One question of any search."""

    search: str
    owner: int
    words: Words
    summary: tuple[float, ...]
    keyword: tuple[float, ...]
    has_vectors: bool
    source: tuple[int, int]
    weights: Weights
    rrf_k: int
    threshold: float
    shortest: int
    conditions: tuple[Condition, ...]
    limit: int
    offset: int


def some_words(most: int, *, least: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(WORDS), min_size=least, max_size=most)


def mostly(usual: Any, other: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from((usual, usual, usual, other))


# Quarters are exact in half precision, so that what is equally near is so for everybody.
numbers = st.tuples(*[st.sampled_from((-0.25, 0.0, 0.25, 0.5))] * 3)
weight = st.sampled_from((0.0, 0.8, 1.0))
facts = st.fixed_dictionaries(
    {
        "created_at": st.sampled_from(("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")),
        "camera_make": st.sampled_from((None, "Sony", "Canon")),
        "duration_seconds": st.sampled_from((None, 0, 60, 61.5)),
        "location_name": st.sampled_from((None, "Bern", "Bern West")),
        "is_hdr": st.sampled_from((None, True, False)),
    }
)
here = st.sampled_from(
    (
        {},
        {"gps_latitude": 47.3, "gps_longitude": 8.5},
        {"gps_latitude": -47.3, "gps_longitude": 8.5},
        {"gps_latitude": 0.1, "gps_longitude": 179.9},
    )
)


@st.composite
def clips(draw: st.DrawFn) -> Told:
    name = " ".join([*draw(some_words(1)), "clip"])
    number = draw(st.integers(0, 2**32 - 1))  # ids in another order than that of coming
    said = draw(st.lists(some_words(3, least=1).map(" ".join), max_size=3))
    moments = [draw(numbers) for _ in said] if draw(mostly(True, False)) else []
    return Told(
        name,
        " ".join(draw(some_words(3))) or None,
        [tag.title() for tag in draw(some_words(2))],
        said,
        draw(st.sampled_from(("en", "de", "ja"))),
        draw(numbers) if draw(mostly(True, False)) else None,
        draw(numbers) if draw(mostly(True, False)) else None,
        facts={**draw(facts), **draw(here)},
        id=uuid.UUID(int=(number << 96) | next(_serial)),
        moment_vectors=moments,
    )


conditions = st.one_of(
    st.builds(
        Condition,
        st.just("camera_make"),
        st.sampled_from(("=", "!=", "~")),
        st.sampled_from(("sony", "on")),
    ),
    st.builds(
        Condition, st.just("place"), st.sampled_from(("=", "!=", "~")), st.sampled_from(("bern",))
    ),
    st.builds(Condition, st.just("tag"), st.sampled_from(("=", "!=")), st.sampled_from(WORDS)),
    st.builds(
        Condition,
        st.just("is_hdr"),
        st.sampled_from(("=", "!=")),
        st.sampled_from(("true", "false")),
    ),
    st.builds(
        Condition,
        st.just("duration"),
        st.sampled_from(("=", "!=", ">", ">=", "<", "<=")),
        st.none(),
        st.sampled_from((0.0, 60.0)),
    ),
    st.builds(
        Condition,
        st.just("near"),
        st.just("<="),
        st.none(),
        st.sampled_from((30.0, 15_000.0)),
        st.sampled_from((47.37, 0.0)),
        st.sampled_from((8.54, -179.9)),
    ),
)


@st.composite
def questions_in_words(draw: st.DrawFn) -> Words:
    known = draw(st.permutations(WORDS))[: draw(st.sampled_from((0, 1, 2, 2)))]
    wanted = (*known, *draw(mostly((), (OTHER_WORD,))))
    others = [word for word in WORDS if word not in wanted]
    is_one_enough = len(wanted) > 1 and draw(mostly(False, True))
    unwanted = None if is_one_enough else draw(mostly(None, others[0]))
    return Words(wanted, unwanted, is_one_enough)


questions = st.builds(
    Asked,
    search=st.sampled_from(SEARCHES),
    owner=mostly(0, 1),
    words=questions_in_words(),
    summary=numbers,
    keyword=numbers,
    has_vectors=st.booleans(),
    source=st.tuples(mostly(0, 1), st.integers(0, 7)),
    weights=st.builds(Weights, weight, weight, weight),
    rrf_k=st.sampled_from((1, 50, 60)),
    threshold=st.sampled_from((-1.0, 0.0, 0.25)),
    shortest=st.sampled_from((3, 4, 8)),
    conditions=st.lists(conditions, max_size=2).map(tuple),
    limit=st.integers(0, 5),
    offset=st.integers(0, 4),
)

libraries = st.tuples(
    st.lists(clips(), min_size=4, max_size=9), st.lists(clips(), min_size=0, max_size=5)
)
