"""More answers than are ranked at once: as many as are asked for, while there are so many."""

import uuid
from collections.abc import Callable

import pytest

from video_assets.search import queries
from video_assets.search.queries import Hit, Question
from video_assets.storage.postgres import Postgres
from video_assets_tests.search.shelves import Shelves, Told, vector

CLIPS = 1_150
SEARCHES = ["fulltext", "transcripts", "hybrid", "moments"]

Ask = Callable[[Question], list[Hit]]


@pytest.fixture(scope="module")
def shelves(catalogue: Postgres, admin_url: str) -> Shelves:
    return Shelves(catalogue, admin_url)


@pytest.fixture(scope="module")
def owner(shelves: Shelves) -> uuid.UUID:
    """The owner of clips with a word, of which those that come last tell it least often."""
    owner = shelves.owner()
    for begin in range(0, CLIPS, 115):
        street = " ".join(["street"] * (CLIPS - begin))
        shelves.add(
            owner,
            *(Told(f"{n}.mp4", "street", said=[street[:2000]]) for n in range(begin, begin + 115)),
        )
    return owner


@pytest.fixture
def searches(shelves: Shelves, owner: uuid.UUID) -> dict[str, Ask]:
    """Each search that goes by words."""
    ask = (shelves.catalogue, owner, "street")
    return {
        "fulltext": lambda q: queries.fulltext(*ask, q),
        "transcripts": lambda q: queries.transcripts(*ask, q, shortest=0),
        "hybrid": lambda q: queries.hybrid(*ask, None, q),
        "moments": lambda q: queries.moments(*ask, None, q),
    }


@pytest.mark.parametrize("search", SEARCHES)
def test_all_are_found_when_all_are_asked_for(searches: dict[str, Ask], search: str):
    hits = searches[search](Question(limit=2 * CLIPS))
    assert len({hit.id for hit in hits}) == len(hits) == CLIPS


@pytest.mark.parametrize("search", SEARCHES)
def test_what_comes_first_does_not_depend_on_how_much_is_asked_for(
    searches: dict[str, Ask], search: str
):
    whole = [hit.id for hit in searches[search](Question(limit=CLIPS))]
    assert [hit.id for hit in searches[search](Question(limit=40))] == whole[:40]
    pages = [
        hit.id
        for offset in range(900, CLIPS, 50)
        for hit in searches[search](Question(limit=50, offset=offset))
    ]
    assert pages == whole[900:]


def test_a_page_of_hybrid_that_lies_beyond_is_full(shelves: Shelves):
    owner = shelves.owner()
    shelves.add(owner, *(Told(f"{n}.mp4", "street") for n in range(CLIPS)))
    shelves.add(owner, Told("near.mp4", summary_vector=vector(1)))
    asked = queries.QueryVectors(vector(1), vector(1))
    question = Question(limit=100, offset=1_020)
    hits = queries.hybrid(shelves.catalogue, owner, "street", asked, question)
    assert len(hits) == 100
