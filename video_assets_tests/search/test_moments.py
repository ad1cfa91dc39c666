"""Moments: the right passage at the right time, by its words and by what it means."""

import numpy as np
import pytest

from video_assets.search.queries import Hit, QueryVectors, Question, Weights, moments
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
    with shelves.changed("private.nearest_moments", "integer := 4000", "integer := -1"):
        assert told(find(shelves, owner, "", vector(1)))[0] == ("near.mp4", 0.0)
        assert len(find(shelves, owner, "", vector(1))) == 4
    with (
        shelves.changed("private.nearest_moments", "integer := 4000", "integer := -1"),
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
