"""Whoever has a token gets the answers that a worker with the database's password gets for them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from video_assets.search import queries
from video_assets.search.queries import QueryVectors, Question
from video_assets.storage.browse import Browser
from video_assets.storage.postgres import Postgres
from video_assets.storage.way_in import WayIn
from video_assets_tests.lite.server import Lite
from video_assets_tests.search.shelves import Shelves, Told, vector
from video_assets_tests.security.owners import make_owner
from video_assets_tests.storage.ways import AskInSql, Noting, Ways, signed_in

TEXT, MEANING = "harbour boats", QueryVectors(vector(1.0), vector(0.6, 0.8))


@pytest.fixture(scope="module", params=["function", "project"])
def ways(request: pytest.FixtureRequest) -> Iterator[Ways]:
    """The function alone, called in SQL; and called by the client of a project on loopback."""
    lite: Lite | None = None
    if request.param == "project":
        lite = request.getfixturevalue("lite")
        postgres, admin_url = Postgres(lite.admin_url), lite.admin_url
        with postgres.transaction() as connection:
            connection.execute("SELECT private.use_checksum_algorithm('blake3')")
    else:
        postgres = request.getfixturevalue("catalogue")
        admin_url = request.getfixturevalue("admin_url")
    ann, ben = (make_owner(postgres, admin_url, name) for name in ("Ann", "Ben"))
    Shelves(postgres, admin_url).add(
        ann.id,
        Told(
            "harbour.mp4",
            summary="Boats in the harbour at dusk",
            tags=["boats", 'a "quoted", tag', "日本"],
            said=["We sail at seven, from the old harbour.", "Nobody saw the boats come in."],
            summary_vector=[1.0, 0.1],
            keyword_vector=[0.5, 0.5],
            moment_vectors=[[1.0, 0.0], [0.0, 1.0]],
            facts={"duration_seconds": "12.345", "captured_at": "2026-03-01 12:00:00.5+02"},
        ),
        Told("street.mp4", summary="A street", tags=["town"], summary_vector=[0.9, 0.4]),
    )
    with ExitStack() as stack:
        client = (
            stack.enter_context(signed_in(lite, ann.id))
            if lite is not None
            else AskInSql(admin_url, ann.id)
        )
        yield Ways(postgres, admin_url, ann, ben, Noting(client))
    postgres.close()


READINGS: dict[str, Callable[[WayIn, Ways], Any]] = {
    "list": lambda way, ways: Browser(way, ways.ann.id).list_clips(sort="name"),
    "hybrid": lambda way, ways: queries.hybrid(way, ways.ann.id, TEXT, MEANING, Question()),
}


@pytest.mark.parametrize("name", READINGS)
def test_both_ways_lead_to_the_same(ways: Ways, name: str):
    reading = READINGS[name]
    answer = reading(ways.rest, ways)
    assert answer
    assert answer == reading(ways.postgres, ways)
