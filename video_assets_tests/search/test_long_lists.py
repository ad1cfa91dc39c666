"""Owners with more clips than a search ranks at once, and so many that an index is asked."""

import uuid
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from video_assets.search import queries
from video_assets.search.evaluation import check_recall
from video_assets.search.queries import Hit, QueryVectors, Question, moments
from video_assets.storage.postgres import Postgres
from video_assets.storage.selection import parse
from video_assets_tests.search.shelves import Shelves, Told, vector

CLIPS = 300

Ask = Callable[[Question], list[Hit]]


@pytest.fixture(scope="module")
def shelves(catalogue: Postgres, admin_url: str) -> Shelves:
    return Shelves(catalogue, admin_url)


def some_clips(random: np.random.Generator, name: str, clips: int) -> list[Told]:
    """Clips of which every third has a word, with vectors all around, two alike of each."""
    about = random.normal(size=(clips, 8))
    noise = random.normal(scale=0.5, size=about.shape)
    return [
        Told(
            f"{name} {number}.mp4",
            "street" if number % 3 == 0 else None,
            said=["in the street" if number % 3 == 0 else "on the road"],
            summary_vector=vector(*about[number]),
            keyword_vector=vector(*about[number] + noise[number]),
            moment_vectors=[vector(*about[number] - noise[number])],
            facts={"camera_make": "Sony" if number % 2 else "Canon"},
        )
        for number in range(clips)
    ]


@pytest.fixture(scope="module")
def owner(shelves: Shelves) -> uuid.UUID:
    """The owner of many clips, whose neighbour has as many."""
    random, owner = np.random.default_rng(3), shelves.owner()
    shelves.add(owner, *some_clips(random, "mine", CLIPS))
    shelves.add(shelves.owner(), *some_clips(random, "another's", CLIPS))
    return owner


@pytest.fixture
def searches(shelves: Shelves, owner: uuid.UUID) -> dict[str, Ask]:
    """Each search that uses vectors."""
    random = np.random.default_rng(4)
    asked = QueryVectors(vector(*random.normal(size=8)), vector(*random.normal(size=8)))
    with shelves.catalogue.transaction(owner) as connection:
        row = connection.execute("SELECT min(id::text) AS id FROM clips").fetchone()
    assert row is not None
    source, ask = uuid.UUID(row["id"]), (shelves.catalogue, owner)
    return {
        "semantic": lambda q: queries.semantic(*ask, asked, q, threshold=-1e9),
        "hybrid": lambda q: queries.hybrid(*ask, "street", asked, q),
        "similar": lambda q: queries.similar(*ask, source, q, threshold=-1e9),
        "moments": lambda q: moments(*ask, "street", asked, q),
    }


@pytest.mark.parametrize("search", ["semantic", "hybrid", "similar", "moments"])
def test_pages_of_a_long_list_are_parts_of_it(searches: dict[str, Ask], search: str):
    whole = [hit.id for hit in searches[search](Question(limit=CLIPS))]
    pages = [
        hit.id
        for offset in range(0, CLIPS, 50)
        for hit in searches[search](Question(limit=50, offset=offset))
    ]
    assert len(set(whole)) == CLIPS - (search == "similar")
    assert pages == whole


@pytest.fixture
def indexed(shelves: Shelves) -> Iterator[None]:
    """An owner has more clips than are read, so that the index of neighbours is asked."""
    with shelves.changed("private.nearest", "integer := 8000;", "integer := -1;"):
        yield


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize("where", ["", "camera_make=sony"])
@pytest.mark.parametrize("search", ["semantic", "hybrid", "similar"])
def test_an_index_shows_as_many_and_none_of_another(
    shelves: Shelves, owner: uuid.UUID, searches: dict[str, Ask], search: str, where: str
):
    question = Question(parse(where), limit=40)
    hits = searches[search](question)
    assert len({hit.id for hit in hits}) == 40
    assert {hit.file_name.split()[0] for hit in hits} == {"mine"}
    assert {hit.camera_make for hit in hits} == ({"Sony"} if where else {"Sony", "Canon"})
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert searches[search](question) == hits


@pytest.mark.usefixtures("indexed")
def test_an_index_misses_little(shelves: Shelves, owner: uuid.UUID):
    [found] = check_recall(shelves.catalogue, [owner])
    assert found.recall >= 0.95


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize(("missed_by", "is_found"), [("1", True), ("2", True), ("1, 2", False)])
def test_what_one_index_misses_the_other_finds(
    shelves: Shelves, searches: dict[str, Ask], missed_by: str, is_found: bool
):
    def vector_places() -> dict[uuid.UUID, list[int | None]]:
        places = {hit.id: hit.places or {} for hit in searches["hybrid"](Question(limit=40))}
        return {
            clip: [legs.get("summary"), legs.get("keyword")]
            for clip, legs in places.items()
            if legs.keys() != {"text"}
        }

    before = vector_places()
    [nearest] = [clip for clip, (summary, _) in before.items() if summary == 1]
    lost = f"WHERE NOT (x.kind IN ({missed_by}) AND x.clip_id = ''{nearest}'') AND x.user_id = $1"
    with shelves.changed("private.nearest", "WHERE x.user_id = $1", lost):
        after = vector_places()
    assert after.get(nearest) == (before[nearest] if is_found else None)


@pytest.mark.usefixtures("indexed")
def test_a_clip_whose_index_is_stuck_elsewhere_is_compared_with_all(
    shelves: Shelves, searches: dict[str, Ask]
):
    question = Question(limit=40)
    near = "ORDER BY x.v OPERATOR(extensions.<#>) $2 LIMIT"
    before = searches["similar"](question)
    with shelves.changed("private.nearest", near, near.replace(" LIMIT", " DESC LIMIT")):
        assert searches["similar"](question) == before
