"""Hundreds of attempts on what belongs to another owner, by SQL and over HTTP: none gets through.

Who has nothing but the publishable key, and who has a token of their own, try everything that
`attempts` finds in the database. No answer shows anything of the victim's, no row of theirs
changes, and what they have is answered as what nobody has. The same succeeds for who may do it.
"""

import re
from collections.abc import Iterable, Iterator

import psycopg
import pytest

from video_assets_tests.security.attempts import Attempt, Attempts, Who, tells_of
from video_assets_tests.security.doors import Answer, Door, HttpDoor, SqlDoor, is_reading
from video_assets_tests.security.project import Project

LEAST = 200
BY_ANYBODY = {"read", "call", "add", "change all of", "remove"}  # who has no right to any of them


@pytest.fixture
def connection(admin_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


def test_nothing_gets_through_by_sql(connection, victim_and_eve):
    attempts = Attempts(connection, *victim_and_eve)
    door = SqlDoor(connection, *victim_and_eve)
    tried, wrong = list(attempts), list[str]()
    for each in tried:
        wrong += [said for who in ("anon", "eve") for said in judged(door, attempts, who, each)]
        wrong += mistaken(door, each)
    print(f"{count(tried)} attempts by SQL, each by anon and by a user")
    assert not wrong, "\n".join(wrong)
    assert count(tried) >= LEAST


def test_nothing_gets_through_over_http(project: Project):
    with psycopg.connect(project.lite.admin_url, autocommit=True) as connection:
        attempts = Attempts(connection, project.victim, project.eve)
        door = HttpDoor(connection, project.victim, project.eve, project.clients)
        tried = [each for each in attempts if door.can_say(each.request) and not twice(each)]
        wrong = [said for each in tried for said in judged(door, attempts, "eve", each)]
        for each in tried:
            if each.what in BY_ANYBODY and not is_reading(each.request):
                wrong += judged(door, attempts, "anon", each)
        for each in in_their_order(connection, tried):
            wrong += mistaken(door, each)
    print(f"{count(tried)} attempts over HTTP, each with a key alone and with a token")
    assert not wrong, "\n".join(wrong)
    assert count(tried) >= LEAST


def twice(attempt: Attempt) -> bool:
    """Whether it is a query by name that is attempted with other words besides."""
    return attempt.what == "call by id" and is_reading(attempt.request)


def count(attempts: Iterable[Attempt]) -> int:
    return len({str(each) for each in attempts})


def judged(door: Door, attempts: Attempts, who: Who, attempt: Attempt) -> list[str]:
    """Make an attempt, and say what is wrong with how it went."""
    answer = door.attempt(who, attempt.request)
    found: list[str] = []
    if any(tells_of(attempts.victim, row) for row in answer.rows):
        found.append("it shows what is the victim's")
    if attempt.is_refused and answer.code is None and answer.count:
        found.append("it is done")
    if answer.changed:
        found.append("it changes what is the victim's")
    if attempt.alike is not None and who != "anon":  # who may do nothing
        alike = door.attempt(who, attempt.alike)
        if said(answer) != said(alike):  # a time in 10,000 ends in noughts: too short to be hidden
            answer, alike = (door.attempt(who, each) for each in (attempt.request, attempt.alike))
        if said(answer) != said(alike):
            found.append(f"it tells what there is: {said(answer)} instead of {said(alike)}")
    return [f"{attempt} by {who}: {each}" for each in found]


def said(answer: Answer) -> tuple[object, ...]:
    # How long ago something of Eve's own was is another answer each time.
    rows = tuple(re.sub(r"\b\d+\.\d{3,}", "…", row) for row in answer.rows)
    return rows, answer.count, answer.code, answer.said


def mistaken(door: Door, attempt: Attempt) -> list[str]:
    """Say so if nobody can do what was attempted, so that it fails for another reason."""
    answers = [door.allow(who, attempt.right) for who in attempt.by]
    done = any(each is None or is_done(attempt, each) for each in answers)
    return [] if done else [f"{attempt} fails for everybody: {answers}"]


def is_done(attempt: Attempt, answer: Answer) -> bool:
    if attempt.right.verb == "call":
        return answer.is_reached
    is_referred_to = attempt.right.verb == "remove" and answer.code == "23503"  # so they may
    return answer.count > 0 or is_referred_to


def in_their_order(connection: psycopg.Connection, attempts: list[Attempt]) -> list[Attempt]:
    """Leave what removes rows to the end: first those on which no others hang, then by calls."""
    hang = connection.execute(
        """SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
            WHERE contype = 'f'"""
    ).fetchall()
    depth: dict[str, int] = {}

    def depth_of(table: str, seen: frozenset[str] = frozenset()) -> int:
        if table not in depth and table not in seen:
            below = [child for child, parent in hang if parent == table]
            depth[table] = 1 + max((depth_of(each, seen | {table}) for each in below), default=0)
        return depth.get(table, 0)

    def place(attempt: Attempt) -> int:
        if attempt.right.verb == "call":
            return len(hang) + 1
        return depth_of(attempt.request.name) if attempt.right.verb == "remove" else 0

    return sorted(attempts, key=place)
