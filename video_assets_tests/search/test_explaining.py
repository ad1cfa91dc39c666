"""A search says how it went: which lists were made, by which plan, and what they held."""

import uuid

import psycopg
import pytest

from video_assets.search import queries
from video_assets.search.queries import Leg, QueryVectors, Question
from video_assets.storage.postgres import Postgres
from video_assets.storage.selection import parse
from video_assets_tests.search.shelves import Shelves, Told, vector

ASKED = QueryVectors(vector(1), vector(1))


@pytest.fixture(scope="module")
def shelves(catalogue: Postgres, admin_url: str) -> Shelves:
    return Shelves(catalogue, admin_url)


@pytest.fixture(scope="module")
def owner(shelves: Shelves) -> uuid.UUID:
    """The owner of two clips of which vectors are known, and one of which there are none."""
    owner = shelves.owner()
    for name, number in (("red boat.mp4", 1), ("red lamp.mp4", 0.5)):
        shelves.add(
            owner,
            Told(
                name,
                said=["a red boat", "a lamp"],
                summary_vector=vector(number),
                keyword_vector=vector(number),
                moment_vectors=[vector(number), vector(0, 1)],
            ),
        )
    shelves.add(owner, Told("red.mp4"))
    return owner


def told(legs: list[Leg]) -> list[tuple[str, str | None, int]]:
    return [(leg.leg, leg.how, leg.found) for leg in legs]


def test_each_list_of_a_search_is_told(shelves: Shelves, owner: uuid.UUID):
    legs: list[Leg] = []
    queries.hybrid(shelves.catalogue, owner, "red", ASKED, Question(legs=legs))
    assert told(legs) == [("text", None, 3), ("summary", "exact", 2), ("keyword", "exact", 2)]
    assert legs[0].words == "'red'"
    assert legs[0].scans is not None
    assert "clip_texts_" in legs[0].scans[0]
    assert legs[1].scans == ["Index Scan on clip_vectors_pkey"]
    assert legs[1].words is None


def test_words_that_no_clip_has_together_are_told_twice(shelves: Shelves, owner: uuid.UUID):
    legs: list[Leg] = []
    queries.fulltext(shelves.catalogue, owner, "red zebra", Question(legs=legs))
    assert [(leg.words, leg.found) for leg in legs] == [
        ("'red' & 'zebra'", 0),
        ("'red' | 'zebra'", 3),
    ]


def test_lists_that_are_not_made_are_not_told(shelves: Shelves, owner: uuid.UUID):
    legs: list[Leg] = []
    queries.hybrid(shelves.catalogue, owner, "red", None, Question(legs=legs))
    assert told(legs) == [("text", None, 3)]


def test_the_other_searches_tell_theirs(shelves: Shelves, owner: uuid.UUID):
    ask = (shelves.catalogue, owner)
    legs: list[Leg] = []
    queries.transcripts(*ask, "boat", Question(legs=legs), shortest=0)
    assert told(legs) == [("transcripts", None, 2)]
    legs.clear()
    queries.semantic(*ask, ASKED, Question(legs=legs))
    assert told(legs) == [("summary", "exact", 2), ("keyword", "exact", 2)]
    legs.clear()
    with shelves.catalogue.transaction(owner) as connection:
        row = connection.execute("SELECT id FROM clips WHERE file_name = 'red boat.mp4'").fetchone()
    assert row is not None
    queries.similar(*ask, row["id"], Question(legs=legs))
    assert told(legs) == [("summary", "exact", 2)]
    legs.clear()
    queries.moments(*ask, "boat", ASKED, Question(legs=legs))
    assert told(legs) == [("text", None, 2), ("semantic", "exact", 4)]


def test_an_index_that_is_asked_is_named(shelves: Shelves, owner: uuid.UUID):
    legs: list[Leg] = []
    with shelves.changed("private.nearest", "integer := 8000;", "integer := -1;"):
        queries.similar(
            shelves.catalogue, owner, uuid.uuid4(), Question(limit=1, legs=legs), threshold=-1
        )
        assert legs == []  # nothing is like a clip that there is not
        queries.semantic(shelves.catalogue, owner, ASKED, Question(legs=legs))
    assert told(legs) == [
        ("summary", "neighbours", 2),
        ("summary", "exact", 2),  # because those are fewer than were wanted
        ("keyword", "neighbours", 2),
        ("keyword", "exact", 2),
    ]
    assert legs[0].scans == ["Index Scan on clip_vectors_11"]
    assert legs[2].scans == ["Index Scan on clip_vectors_12"]


@pytest.mark.parametrize(
    ("few", "ids", "moments", "plan"),
    [
        pytest.param(4, "ffff", 5, "nearest clips", id="too many"),
        pytest.param(5, "0000", 5, "exact", id="as many as are read"),
    ],
)
def test_moments_are_counted_one_by_one(
    shelves: Shelves, few: int, ids: str, moments: int, plan: str
):
    # How the id of their clip begins tells nothing of how many there are.
    owner, legs = shelves.owner(), list[Leg]()
    clip = uuid.UUID(ids + uuid.uuid4().hex[4:])
    numbers = [vector(1, number) for number in range(moments)]
    shelves.add(owner, Told(said=["x"] * moments, moment_vectors=numbers, id=clip))
    with shelves.changed("private.nearest_moments", "integer := 4000", f"integer := {few}"):
        hits = queries.moments(shelves.catalogue, owner, "", ASKED, Question(legs=legs))
    assert len(hits) == moments
    assert told(legs)[-1] == ("semantic", plan, moments)
    asked_before = [("semantic", "neighbours", moments)] if plan == "nearest clips" else []
    assert told(legs)[: len(asked_before)] == asked_before
    assert [leg.leg for leg in legs[len(asked_before) : -1]] == ["means"] * len(asked_before)


def test_many_moments_are_found_by_their_signs_and_ordered_by_likeness(shelves: Shelves):
    owner, legs = shelves.owner(), list[Leg]()
    like = [vector(number / 10) for number in range(1, 7)]
    shelves.add(owner, Told(said=["like"] * 6, moment_vectors=like))
    shelves.add(owner, Told(said=["most like"], moment_vectors=[vector(0.9, 0.1)]))
    with (
        shelves.changed("private.nearest_moments", "integer := 4000", "integer := 0"),
        shelves.changed("private.nearest_moments", "greatest(200, 2 * at_most)", "7"),
    ):
        hits = queries.moments(shelves.catalogue, owner, "", ASKED, Question(legs=legs))
    assert [hit.excerpt for hit in hits] == ["most like", *["like"] * 6]
    assert told(legs) == [("semantic", "neighbours", 7)]
    assert legs[0].scans == ["Index Scan on moment_vectors_signs_1"]


def test_nobody_is_told_unless_they_ask(shelves: Shelves, owner: uuid.UUID):
    with shelves.catalogue.transaction(owner) as connection:
        connection.execute("SELECT * FROM fulltext_search_clips('red')")
        row = connection.execute("SELECT current_setting('video_assets.legs', true) AS s")
        assert row.fetchone() in ({"s": None}, {"s": ""})
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        shelves.catalogue.transaction(owner) as connection,
    ):
        connection.execute("SELECT private.note_leg('', '', 1, 'SELECT 1', NULL, 1, 1)")


def test_clips_in_question_are_counted(shelves: Shelves, owner: uuid.UUID):
    seen = queries.visible(shelves.catalogue, owner, Question(parse("file_name~boat")))
    assert (seen.clips, seen.clips_in_question, seen.clips_with_vectors) == (3, 1, 2)
    assert queries.visible(shelves.catalogue, owner).clips_in_question == 3
