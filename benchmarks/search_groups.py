"""Asks as owners of a size: what each search costs, what it misses, and whose clips it shows."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from search_asked import Question, by_words, make_questions, measure, printed
from search_exact import TOP, Exact, Grades, best_moments
from search_fill import Filled
from search_vectors import Connection
from search_world import World

from video_assets.search.measures import recall_at

COMMON = ("word1", "word2", "word3", "word1 word2", "word1 word2 word3")
ASKED_AGAIN = 20
OTHERS = 400
# Lists of their own length may leave out what whole lists would put first.
IN_FULL = {"hybrid in full": "hybrid"}


def ask_group(
    connection: Connection, world: World, filled: Filled, owners: Sequence[int], count: int
) -> None:
    """Ask as each of the owners in turn, and print a line for each search.

    Other questions come first: a database that has just been started reads what it is asked from
    the disk, and one that has been asked for a day does not.
    """
    questions, others = (make_questions(world, filled, owners, each) for each in (count, OTHERS))
    spent: dict[str, list[float]] = defaultdict(list)
    recalls: dict[str, list[float]] = defaultdict(list)
    found_by: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    graded = _graded(connection, questions)
    for other in others:
        for asked in other.searches().values():
            measure(connection, other.who, asked)
    for question, grades in zip(questions, graded, strict=True):
        found: dict[str, list[uuid.UUID]] = {}
        for search, asked in question.searches().items():
            took, found[search] = measure(connection, question.who, asked)
            spent[search].append(took)
            found_by[question.who].update(found[search])
        for search, wanted in grades.items():
            if not wanted:
                continue
            recalls[search].append(recall_at(found[IN_FULL.get(search, search)], wanted, TOP))
    for search, took in spent.items():
        print(f"  {search:<18} {printed(took)}{_missed(recalls.get(search))}", flush=True)
    for search, other in IN_FULL.items():
        print(f"  {other} against whole lists{_missed(recalls[search])}")
    print(f"  {_foreign(connection, found_by)} rows of others", flush=True)


def _graded(connection: Connection, questions: Sequence[Question]) -> list[dict[str, Grades]]:
    grades: list[dict[str, Grades]] = [{} for _ in questions]
    for who in {each.who for each in questions}:
        theirs = [number for number, each in enumerate(questions) if each.who == who]
        exact = Exact(connection, who)
        moments = best_moments(connection, who, [questions[each].keyword for each in theirs])
        for number, best in zip(theirs, moments, strict=True):
            asked = questions[number]
            text = measure(connection, who, asked.ranked_texts())[1]
            vectors = (asked.summary, asked.keyword)
            grades[number] = {
                **exact.grades(text, asked.clip, vectors),
                "moments by meaning": best,
            }
    return grades


def _missed(recalls: Sequence[float] | None) -> str:
    if not recalls:
        return ""
    return f"  recall@{TOP} {np.mean(recalls):.3f}, least {min(recalls):.1f}"


def _foreign(connection: Connection, found_by: Mapping[uuid.UUID, set[uuid.UUID]]) -> int:
    """Count the clips and moments that somebody was shown and that are another's."""
    counted = 0
    for who, found in found_by.items():
        for table in ("clips", "segments"):
            row = connection.execute(
                f"SELECT count(*) FROM {table} WHERE id = ANY (%s) AND user_id <> %s".encode(),  # noqa: S608
                (list(found), who),
            ).fetchone()
            counted += row[0] if row else 0
    return counted


def ask_common(connection: Connection, who: uuid.UUID) -> None:
    """Ask for words that are nearly everywhere."""
    for search in by_words(""):
        spent = [
            measure(connection, who, by_words(words)[search])[0]
            for words in COMMON
            for _ in range(ASKED_AGAIN)
        ]
        print(f"  {search:<18} {printed(spent)}", flush=True)
