"""Moments: the right passage at the right time, by its words and by what it means."""

import uuid
from datetime import datetime, timezone

import numpy as np
import pytest

from video_assets.search.queries import Hit, Leg, QueryVectors, Question, Weights, moments
from video_assets.storage.postgres import Postgres
from video_assets.storage.selection import parse
from video_assets_tests.search.shelves import Shelves, Told, as_stored, vector

TALK = ("Good morning everybody", "today we look at glaciers", "and then we go home again")


@pytest.fixture
def shelves(catalogue: Postgres, admin_url: str) -> Shelves:
    return Shelves(catalogue, admin_url)


def find(shelves, owner, text, numbers=None, question=None, **more) -> list[Hit]:
    vectors = None if numbers is None else QueryVectors(numbers, numbers)
    return moments(shelves.catalogue, owner, text, vectors, question or Question(), **more)


def told(hits: list[Hit]) -> list[tuple[str, float | None]]:
    return [(hit.file_name, hit.at_s) for hit in hits]


def test_a_moment_is_found_by_its_words_with_its_time(shelves: Shelves):
    owner = shelves.owner()
    shelves.add(owner, Told("talk.mp4", said=TALK, facts={"duration_seconds": 30}))
    shelves.add(owner, Told("walk.mp4", said=["a walk over glaciers and ice"]))
    assert told(find(shelves, owner, "glacier")) == [("walk.mp4", 0.0), ("talk.mp4", 10.0)]
    (hit,) = find(shelves, owner, "home")
    assert (hit.at_s, hit.until_s, hit.match_type, hit.places) == (20, 30, "fulltext", {"text": 1})
    assert hit.excerpt == "and then we go «home» again"
    assert find(shelves, owner, "submarine") == find(shelves, owner, "") == []
    assert told(find(shelves, owner, "a submarine at home")) == [("talk.mp4", 20.0)]


def test_words_and_meaning_are_fused_by_their_places(shelves: Shelves):
    owner = shelves.owner()
    shelves.add(
        owner, Told("a.mp4", said=TALK, moment_vectors=[vector(1), vector(0, 1), vector(0.1, 1)])
    )
    hits = find(shelves, owner, "home", vector(1))
    assert told(hits) == [("a.mp4", 20.0), ("a.mp4", 0.0), ("a.mp4", 10.0)]
    assert [hit.match_type for hit in hits] == ["hybrid", "semantic", "semantic"]
    assert hits[0].places == {"text": 1, "semantic": 2}
    assert hits[0].score == pytest.approx(1 / 51 + 0.8 / 52)
    assert hits[1].excerpt == "Good morning everybody"
    alone = find(shelves, owner, "home", vector(1), weights=Weights(fulltext=0.0))
    assert alone[0].at_s == 0.0


def test_a_passage_with_an_unwanted_word_is_in_no_list(shelves: Shelves):
    owner = shelves.owner()
    shelves.add(owner, Told("a.mp4", said=TALK, moment_vectors=[vector(1)] * 3))
    assert told(find(shelves, owner, "ice -glacier", vector(1))) == [("a.mp4", 0), ("a.mp4", 20)]
    assert told(find(shelves, owner, 'ice -"home again"', vector(1))) == [
        ("a.mp4", 0.0),
        ("a.mp4", 10.0),
    ]


def test_conditions_hold_for_both_lists(shelves: Shelves):
    owner = shelves.owner()
    for name, camera in (("a.mp4", "Sony"), ("b.mp4", "Canon")):
        shelves.add(
            owner,
            Told(
                name, said=["the bridge"], moment_vectors=[vector(1)], facts={"camera_make": camera}
            ),
        )
    found = find(shelves, owner, "bridge", vector(1), Question(parse("camera_make=sony")))
    assert told(found) == [("a.mp4", 0.0)]
    assert found[0].places == {"text": 1, "semantic": 1}


def test_pages_are_parts_of_one_list_and_the_order_is_that_of_likeness(shelves: Shelves):
    owner, random = shelves.owner(), np.random.default_rng(9)
    vectors = [random.normal(size=1024) / 32 for _ in range(30)]
    for number in range(10):
        mine = [each.tolist() for each in vectors[3 * number : 3 * number + 3]]
        shelves.add(owner, Told(f"{number}.mp4", said=("x y", "y z", "z x"), moment_vectors=mine))
    asked = random.normal(size=1024) / 32
    whole = find(shelves, owner, "", asked.tolist(), Question(limit=100))
    assert len(whole) == 30
    stored = sorted(
        vectors, key=lambda each: -float(as_stored(each.tolist()) @ as_stored(asked.tolist()))
    )
    places = [next(n for n, v in enumerate(vectors) if v is each) for each in stored]
    assert told(whole) == [(f"{n // 3}.mp4", 10.0 * (n % 3)) for n in places]
    pages = [
        find(shelves, owner, "", asked.tolist(), Question(limit=7, offset=offset))
        for offset in range(0, 35, 7)
    ]
    assert [hit for page in pages for hit in page] == whole


def test_of_many_moments_those_of_the_nearest_clips_are_read(shelves: Shelves):
    owner = shelves.owner()
    others = [Told(f"{n}.mp4", said=["x"], moment_vectors=[vector(0, 1)]) for n in range(3)]
    shelves.add(owner, *others, Told("near.mp4", said=["x"], moment_vectors=[vector(1)]))
    with shelves.changed("private.nearest_moments", "integer := 4000", "integer := 0"):
        assert told(find(shelves, owner, "", vector(1)))[0] == ("near.mp4", 0.0)
        assert len(find(shelves, owner, "", vector(1))) == 4
    with (
        shelves.changed("private.nearest_moments", "integer := 4000", "integer := 0"),
        shelves.changed(
            "private.nearest_moments", "LIMIT greatest(clips_read, at_most)", "LIMIT 1"
        ),
    ):
        assert told(find(shelves, owner, "", vector(1))) == [("near.mp4", 0.0)]


def test_nobody_finds_a_moment_of_another_s(shelves: Shelves):
    owner, stranger = shelves.owner(), shelves.owner()
    shelves.add(owner, Told("a.mp4", said=TALK, moment_vectors=[vector(1)] * 3))
    assert find(shelves, stranger, "glacier", vector(1)) == []
    assert len(find(shelves, owner, "glacier", vector(1))) == 3


def test_of_moments_that_nothing_tells_apart_the_newest_comes_first(shelves: Shelves):
    owner = shelves.owner()
    for number in range(5):
        alike = [vector(1), vector(1), vector(0, 1)]
        shelves.add(owner, Told(f"{number}.mp4", said=["a bridge"] * 3, moment_vectors=alike))
    pairs = [(f"{number}.mp4", at_s) for number in (4, 3, 2, 1, 0) for at_s in (0.0, 10.0)]
    assert told(find(shelves, owner, "", vector(1)))[:10] == pairs
    every = [(f"{number}.mp4", at) for number in (4, 3, 2, 1, 0) for at in (0.0, 10.0, 20.0)]
    assert told(find(shelves, owner, "bridge", question=Question(limit=15))) == every
    with shelves.changed("private.nearest_moments", "integer := 4000", "integer := 0"):
        assert told(find(shelves, owner, "", vector(1)))[:10] == pairs


def test_of_moments_that_an_index_finds_the_newest_comes_first_where_they_tie(shelves: Shelves):
    owner = shelves.owner()
    for number in (3, 0, 4, 1, 2):
        alike = [vector(0.5 - number / 20, 1), vector(1), vector(1)]
        made = {"created_at": datetime(2026, 11, 1 + number, tzinfo=timezone.utc)}
        shelves.add(owner, Told(f"{number}.mp4", said=["x"] * 3, moment_vectors=alike, facts=made))
    pairs = [(f"{number}.mp4", at_s) for number in (4, 3, 2, 1, 0) for at_s in (10.0, 20.0)]
    apart = [(f"{number}.mp4", 0.0) for number in (0, 1, 2)]
    with (
        shelves.changed("private.nearest_moments", "IF are_most THEN", "IF true THEN"),
        shelves.changed("private.nearest_moments", "greatest(200, 2 * at_most)", "15"),
        shelves.changed("private.nearest_moments", "LIMIT at_most;", "LIMIT 13;"),
    ):
        legs: list[Leg] = []
        hits = find(shelves, owner, "", vector(1), Question(limit=15, legs=legs))
        assert told(hits) == pairs + apart
        assert [leg.how for leg in legs if leg.leg == "semantic"] == ["neighbours"]


def test_an_owner_of_few_moments_has_all_compared_whatever_is_estimated(shelves: Shelves):
    # An owner is taken for one of many by a sample, and the index does not find enough.
    owner = shelves.owner()
    first = uuid.UUID(int=uuid.uuid4().int >> 8)
    shelves.add(owner, Told("near.mp4", said=["x"], moment_vectors=[vector(1)], id=first))
    shelves.add(owner, Told("far.mp4", said=["x"], moment_vectors=[vector(0, 1)]))
    with (
        shelves.changed("private.nearest_moments", "eighth > 4 * few", "true"),
        shelves.changed("private.nearest_moments", "OFFSET eighth / 64", "OFFSET 0"),
        shelves.changed(
            "private.nearest_moments", "LIMIT greatest(clips_read, at_most)", "LIMIT 1"
        ),
    ):
        legs: list[Leg] = []
        hits = find(shelves, owner, "", vector(1), Question(legs=legs))
        assert told(hits) == [("near.mp4", 0.0), ("far.mp4", 0.0)]
        assert [leg.how for leg in legs if leg.leg == "semantic"] == ["neighbours", "exact"]


def test_lists_that_tie_are_in_the_same_order(shelves: Shelves):
    # Each moment is the first of one list, so that all ranks are the same.
    for by_words in (0, 1):
        owner = shelves.owner()
        for number in range(2):
            said, numbers = ("bridge", None) if number == by_words else ("x", [vector(1)])
            shelves.add(owner, Told(f"{number}.mp4", said=[said], moment_vectors=numbers or ()))
        hits = find(shelves, owner, "bridge", vector(1), weights=Weights(keyword=1.0))
        assert hits[0].score == hits[1].score
        assert [hit.file_name for hit in hits] == ["1.mp4", "0.mp4"]


def test_moments_that_are_less_like_the_question_are_left_out(shelves: Shelves):
    owner = shelves.owner()
    vectors = [vector(0.9), vector(0.2), vector(-0.5)]
    shelves.add(owner, Told("a.mp4", said=TALK, moment_vectors=vectors))
    assert len(find(shelves, owner, "", vector(1))) == 3
    assert told(find(shelves, owner, "", vector(1), threshold=0.3)) == [("a.mp4", 0.0)]
    said = find(shelves, owner, "home", vector(1), threshold=0.3)
    assert [(hit.at_s, hit.places) for hit in said] == [(20, {"text": 1}), (0, {"semantic": 1})]
