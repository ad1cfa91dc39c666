"""Every search against a plain reference, over catalogues and questions that chance makes.

What holds by the comparison: as many rows as are wanted while there are so many, none of another
owner's, each with its id, in one order, of which pages are parts.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from video_assets.search import queries
from video_assets.search.queries import Hit, QueryVectors, Question
from video_assets.storage.postgres import Postgres
from video_assets_tests.search import reference
from video_assets_tests.search.chance import Asked, libraries, questions
from video_assets_tests.search.reference import Expected, Moment, Rank
from video_assets_tests.search.shelves import Shelves, Told, vector

QUESTIONS = 20  # of one catalogue, because it costs more than they do


@dataclass(frozen=True)
class Library:
    """What the owners have, and how to ask the database for it."""

    shelves: Shelves
    owners: tuple[uuid.UUID, ...]
    clips: tuple[list[Told], ...]

    def ask(self, asked: Asked, limit: int, offset: int) -> list[Hit]:
        who = (self.shelves.catalogue, self.owners[asked.owner])
        question = Question(asked.conditions, limit, offset)
        vectors = QueryVectors(vector(*asked.summary), vector(*asked.keyword))
        both = vectors if asked.has_vectors else None
        text, weights = asked.words.text, asked.weights
        searches: dict[str, Callable[[], list[Hit]]] = {
            "fulltext": lambda: queries.fulltext(*who, text, question),
            "transcripts": lambda: queries.transcripts(
                *who, text, question, shortest=asked.shortest
            ),
            "semantic": lambda: queries.semantic(
                *who, vectors, question, weights=weights, threshold=asked.threshold
            ),
            "hybrid": lambda: queries.hybrid(
                *who,
                text,
                both,
                question,
                weights=weights,
                rrf_k=asked.rrf_k,
                threshold=asked.threshold,
            ),
            "moments": lambda: queries.moments(
                *who, text, both, question, weights=weights, threshold=asked.threshold
            ),
            "similar": lambda: queries.similar(
                *who, self.source(asked), question, threshold=asked.threshold
            ),
        }
        return searches[asked.search]()

    def expect(self, asked: Asked) -> list[Expected]:
        theirs = [
            told
            for told in self.clips[asked.owner]
            if all(reference.meets(told, each) for each in asked.conditions)
        ]
        if asked.search == "semantic":
            both = (asked.summary, asked.keyword)
            return reference.semantic(theirs, both, asked.weights, asked.threshold)
        if asked.search == "similar":
            source, everything = self.source(asked), self.clips[asked.owner]
            if source not in [told.id for told in theirs]:  # it need not meet the conditions
                theirs += [told for told in everything if told.id == source]
            return reference.similar(theirs, source, asked.threshold)
        if asked.search == "transcripts":
            ranks = self.ranks(asked, "transcripts")
            return reference.transcripts(theirs, asked.words, ranks, asked.shortest)
        if asked.search == "moments":
            keyword = asked.keyword if asked.has_vectors else None
            ranks = self.moment_ranks(asked)
            return reference.moments(
                theirs, asked.words, ranks, keyword, asked.weights, asked.threshold
            )
        found = reference.texts(theirs, asked.words, self.ranks(asked, "clip_texts"))
        if asked.search == "fulltext":
            return found
        both = (asked.summary, asked.keyword) if asked.has_vectors else None
        about = (asked.words, both, asked.weights)
        return reference.hybrid(theirs, found, *about, asked.rrf_k, asked.threshold)

    def source(self, asked: Asked) -> uuid.UUID:
        """The clip that others are to be like; it may be another owner's, or nobody's."""
        shelf, place = asked.source
        theirs = self.clips[shelf]
        return theirs[place % len(theirs)].id if theirs else uuid.uuid4()

    def ranks(self, asked: Asked, table: str) -> dict[uuid.UUID, Rank]:
        """How well each text of the owner's matches, by the database's own measure."""
        return {clip: rank for (clip, _), rank in self._ranks(asked, table, "0").items()}

    def moment_ranks(self, asked: Asked) -> dict[Moment, Rank]:
        """How well each passage of the owner's matches."""
        return self._ranks(asked, "segments", "number", "AND kind = 'passage'")

    def _ranks(self, asked: Asked, table: str, number: str, of: str = "") -> dict[Moment, Rank]:
        owner = self.owners[asked.owner]
        with psycopg.connect(self.shelves.admin_url) as connection:
            rows = connection.execute(
                f"""SELECT t.clip_id, {number}, coalesce(ts_rank_cd(t.fts, q.all_words), 0)::float8,
                           coalesce(ts_rank_cd(t.fts, q.any_word), 0)::float8,
                           extract(epoch FROM t.created_at)::float8
                      FROM {table} AS t, private.text_query(%s, %s) AS q
                     WHERE t.user_id = %s {of}""".encode(),  # noqa: S608  tables of ours
                (owner, asked.words.text, owner),
            )
            return {(clip, part): Rank(*numbers) for clip, part, *numbers in rows}


@pytest.fixture(scope="module")
def shelves(catalogue: Postgres, admin_url: str) -> Shelves:
    return Shelves(catalogue, admin_url)


def fill(shelves: Shelves, told: tuple[list[Told], ...]) -> Library:
    """Give each list of clips to an owner of its own."""
    library = Library(shelves, tuple(shelves.owner() for _ in told), told)
    for owner, theirs in zip(library.owners, told, strict=True):
        if theirs:
            shelves.add(owner, *theirs)
    return library


def shown(hits: list[Hit]) -> list[tuple[uuid.UUID, float | None, float]]:
    """What was found; of a moment with its time."""
    return [(hit.id, hit.at_s if hit.moment else None, round(hit.score, 9)) for hit in hits]


@settings(
    max_examples=32,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # a failure made small is nicer to read, but takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    libraries,
    st.lists(questions, min_size=QUESTIONS, max_size=QUESTIONS),
)
def test_searches_answer_as_the_reference_does(
    shelves: Shelves, told: tuple[list[Told], list[Told]], questions: list[Asked]
):
    library = fill(shelves, told)
    for asked in questions:
        expected = library.expect(asked)
        wanted = [(each.id, each.at_s, round(each.score, 9)) for each in expected]
        whole = library.ask(asked, 1000, 0)
        assert shown(whole) == wanted, asked
        page = library.ask(asked, asked.limit, asked.offset)
        assert shown(page) == wanted[asked.offset : asked.offset + asked.limit], asked
        assert library.ask(asked, asked.limit, asked.offset) == page
        if asked.search in ("hybrid", "moments"):
            assert [hit.places for hit in whole] == [each.places for each in expected]
        if asked.search == "transcripts":
            for hit in whole:
                check_moment(library, asked, hit)


def check_moment(library: Library, asked: Asked, hit: Hit) -> None:
    """The part that is named holds one of the words, and all of them where a part does."""
    [told] = [each for each in library.clips[asked.owner] if each.id == hit.id]
    wanted = set(asked.words.wanted)
    parts = [set(part.split()) for part in told.said]
    if asked.words.unwanted is None:
        assert hit.at_s is not None
        part = parts[int(hit.at_s / 10)]
        assert part & wanted
        assert asked.words.is_one_enough or wanted <= part or not any(map(wanted.issubset, parts))
