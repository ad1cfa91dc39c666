"""Judging searches: a perfect one has 1, and what one misses is seen."""

import json
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from video_assets.assets.index.embeddings import judge_searches
from video_assets.search.evaluation import check_recall, evaluate_exact, evaluate_judged
from video_assets.search.exact import grade
from video_assets.search.judged import JudgedSetError, load_judged, resolve
from video_assets.search.measures import ndcg_at, recall_at
from video_assets.search.queries import QueryVectors
from video_assets.storage.postgres import Postgres
from video_assets_tests.search.shelves import Shelves, Told, vector

A, B, C, D, E, F, G, H = (uuid.UUID(int=number) for number in range(1, 9))


@pytest.mark.parametrize(
    ("found", "k", "recall"),
    [
        pytest.param([A, B, C], 3, 2 / 3, id="two of three"),
        pytest.param([A, B, C], 2, 1 / 2, id="one of the two that have room"),
        pytest.param([D, C, A], 10, 1.0, id="all, in any order"),
        pytest.param([B], 10, 0.0, id="none"),
        pytest.param([], 10, 0.0, id="nothing found"),
    ],
)
def test_recall_is_the_share_of_the_relevant(found: list[uuid.UUID], k: int, recall: float):
    assert recall_at(found, {A, C, D}, k) == pytest.approx(recall)


def test_ndcg_is_that_of_the_textbook():
    # https://en.wikipedia.org/wiki/Discounted_cumulative_gain: 6.861 of 8.740 that were possible
    grades = dict(zip([A, B, C, D, E, F, G, H], [3.0, 2, 3, 0, 1, 2, 3, 2], strict=True))
    assert ndcg_at([A, B, C, D, E, F], grades, 6) == pytest.approx(0.785, abs=5e-4)
    assert ndcg_at([C, A, G, B, F, H], grades, 6) == pytest.approx(1.0)
    assert ndcg_at([D], grades, 6) == 0.0


def test_what_is_tied_is_graded_alike():
    assert grade({A: 0.9, B: 0.5, C: 0.5, D: 0.4}, 2) == {A: 2.0, B: 1.0, C: 1.0}


@pytest.fixture(scope="module")
def shelves(catalogue: Postgres, admin_url: str) -> Shelves:
    return Shelves(catalogue, admin_url)


@pytest.fixture(scope="module")
def owner(shelves: Shelves) -> uuid.UUID:
    """The owner of 40 clips, some of which nothing tells apart.

    Their ids are the same in every run, and so are the clips that are asked about.
    """
    random, ids = np.random.default_rng(6), np.random.default_rng(7)
    owner, stranger = shelves.owner(), shelves.owner()
    for number in range(40):
        numbers = vector(*random.normal(size=8).round(2))
        keyword = vector(*random.normal(size=8).round(2)) if number % 4 else None
        both: dict[str, Any] = {"summary_vector": numbers, "keyword_vector": keyword}
        shelves.add(
            owner, Told(f"clip_{number // 2}.mp4", **both, id=uuid.UUID(bytes=ids.bytes(16)))
        )
        if number % 5 == 0:
            shelves.add(owner, Told("again.mp4", **both, id=uuid.UUID(bytes=ids.bytes(16))))
        shelves.add(stranger, Told("another's.mp4", summary_vector=vector(9), keyword_vector=None))
    shelves.add(owner, Told("of no vector.mp4"))
    return owner


def test_a_search_that_reads_everything_misses_nothing(shelves: Shelves, owner: uuid.UUID):
    made = evaluate_exact(shelves.catalogue, owner, sample=15, k=10)
    assert [(each.search, each.questions) for each in made] == [("semantic", 15), ("hybrid", 15)]
    for each in made:
        assert (each.recall, each.lowest_recall) == (1.0, 1.0)
        assert each.ndcg == pytest.approx(1.0)
        assert 0 < each.median_ms <= each.p95_ms
    assert json.loads(json.dumps(asdict(made[0])))["answers"][0]["recall"] == 1.0


def test_a_search_that_loses_the_nearest_is_seen(shelves: Shelves, owner: uuid.UUID):
    with shelves.changed("private.nearest", "LIMIT greatest($3", "OFFSET 1 LIMIT greatest($3"):
        semantic, hybrid = evaluate_exact(shelves.catalogue, owner, sample=15, k=10)
    for each in (semantic, hybrid):
        assert each.recall < 1.0
        assert each.ndcg < 0.95


def test_owners_are_checked_one_by_one(shelves: Shelves, owner: uuid.UUID):
    nobody = shelves.owner()
    [found] = check_recall(shelves.catalogue, [nobody, owner], sample=5, k=3)
    assert (found.owner, found.recall) == (owner, 1.0)
    assert [each.k for each in found.evaluations] == [3, 3]


@pytest.fixture(scope="module")
def talker(shelves: Shelves) -> uuid.UUID:
    """The owner of 12 clips of three moments each, some of which say the same."""
    random, owner = np.random.default_rng(8), shelves.owner()
    for number in range(12):
        said = [f"moment {number} {place}" for place in range(3)]
        vectors = [vector(*random.normal(size=8).round(2)) for _ in said]
        if number % 4 == 0:
            vectors[2] = vector(1, 2, 3)
        told = Told(f"{number}.mp4", said=said, moment_vectors=vectors)
        shelves.add(owner, told)
    shelves.add(shelves.owner(), Told(said=["x"], moment_vectors=[vector(9, 9, 9)]))
    return owner


def test_moments_are_held_against_exact_search_too(shelves: Shelves, talker: uuid.UUID):
    (made,) = evaluate_exact(shelves.catalogue, talker, sample=5, k=10)
    assert (made.search, made.questions, made.recall, made.ndcg) == ("moments", 5, 1.0, 1.0)
    assert {answer.text.split()[0] for answer in made.answers} == {"moment"}
    assert {answer.text.split()[2] for answer in made.answers} == {"1"}
    with (
        shelves.changed("private.nearest_moments", "integer := 4000", "integer := 0"),
        shelves.changed(
            "private.nearest_moments", "LIMIT greatest(clips_read, at_most)", "LIMIT 2"
        ),
    ):
        (missed,) = evaluate_exact(shelves.catalogue, talker, sample=5, k=10)
    assert missed.recall < 0.8


JUDGED = """
queries:
  - text: bridge
    clips: [bridge.mp4, 0e10face]
  - text: snow
    clips:
      - {clip: glacier.mp4, grade: 3}
      - {clip: bridge.mp4, grade: 1}
"""


@pytest.fixture
def judges(shelves: Shelves) -> uuid.UUID:
    """The owner of three clips of which somebody judged what they answer."""
    owner = shelves.owner()
    shelves.add(owner, Told("bridge.mp4", summary_vector=vector(0.5), keyword_vector=vector(0)))
    checksum = {"file_checksum": f"0e10face{uuid.uuid4().hex}{'0' * 24}"}
    shelves.add(owner, Told("river.mp4", "a bridge", facts=checksum))
    shelves.add(owner, Told("glacier.mp4", summary_vector=vector(1), keyword_vector=vector(0)))
    return owner


def test_searches_are_held_against_what_people_say(
    shelves: Shelves, judges: uuid.UUID, tmp_path: Path
):
    path = tmp_path / "judged.yaml"
    path.write_text(JUDGED)
    judged = load_judged(path)
    [words] = evaluate_judged(shelves.catalogue, judges, judged)
    assert [(each.text, each.recall, each.ndcg) for each in words.answers] == [
        ("bridge", 1.0, 1.0),
        ("snow", 0.0, 0.0),
    ]
    assert (words.search, words.recall, words.lowest_recall) == ("fulltext", 0.5, 0.0)
    asked: list[str] = []

    def embed(text: str) -> QueryVectors:
        asked.append(text)
        return QueryVectors(vector(1), vector(1))

    made = {
        each.search: each
        for each in evaluate_judged(shelves.catalogue, judges, judged, embed=embed)
    }
    assert asked == ["bridge", "snow"]
    assert list(made) == ["fulltext", "semantic", "hybrid"]
    assert [each.recall for each in made["semantic"].answers] == [0.5, 1.0]
    assert made["hybrid"].recall == 1.0
    assert made["semantic"].answers[1].ndcg == pytest.approx(1.0)


def test_a_clip_that_is_not_the_owners_answers_nothing(
    shelves: Shelves, judges: uuid.UUID, owner: uuid.UUID, tmp_path: Path
):
    path = tmp_path / "judged.yaml"
    path.write_text(JUDGED)
    with pytest.raises(
        JudgedSetError, match=r"'bridge\.mp4' names no clip; 'glacier\.mp4' names no"
    ):
        resolve(shelves.catalogue, owner, load_judged(path)[1:])
    path.write_text("queries: [{text: x, clips: [again.mp4]}]")
    with pytest.raises(JudgedSetError, match=r"'again\.mp4' names 8 clips: write how its checksum"):
        resolve(shelves.catalogue, owner, load_judged(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("queries: [", "no YAML", id="not YAML"),
        pytest.param("[]", "the file: ", id="a list"),
        pytest.param("queries: []", "queries: ", id="no question"),
        pytest.param("queries: [{text: x, clips: []}]", r"queries\.0\.clips: ", id="no clip"),
        pytest.param("queries: [{text: x, clips: a}]", r"queries\.0\.clips: ", id="no list"),
        pytest.param(
            "queries: [{text: x, clips: [{clip: a, grade: 0}]}]", r"clips\.0\.grade: ", id="grade"
        ),
        pytest.param("queries: [{text: x, clip: [a]}]", r"queries\.0\.clip: ", id="other key"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(tmp_path: Path, text: str, said: str):
    path = tmp_path / "judged.yaml"
    path.write_text(text)
    with pytest.raises(JudgedSetError, match=rf"(?m)^judged\.yaml.*{said}"):
        load_judged(path)


def test_the_check_of_the_catalogue_warns_of_an_owner_who_misses_something(
    shelves: Shelves, owner: uuid.UUID
):
    found = judge_searches(shelves.catalogue)
    assert found.passed
    assert str(owner) in str(found.metadata["recall"])
    with shelves.changed("private.nearest", "LIMIT greatest($3", "OFFSET 1 LIMIT greatest($3"):
        missed = judge_searches(shelves.catalogue)
    assert not missed.passed
    assert missed.severity is dg.AssetCheckSeverity.WARN
