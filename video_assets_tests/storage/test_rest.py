"""What a project's API answers when something is wrong, and what becomes of that."""

import json
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest

from video_assets.accounts.account_errors import (
    NoCatalogueError,
    SessionExpiredError,
    SessionRevokedError,
    UnreachableProjectError,
)
from video_assets.accounts.refusals import asking
from video_assets.interfaces.cli.faults import USAGE, explain
from video_assets.storage import descriptions, rest
from video_assets.storage.browse import Browser
from video_assets.storage.postgres import DatabaseUnreachableError
from video_assets.storage.rest import RestCatalogue
from video_assets_tests.services.loopback import Service, serve
from video_assets_tests.storage.ways import client_of

OWNER, CLIP = uuid.uuid4(), uuid.uuid4()
BROKEN_OFF = (200, None)
NOTHING = (200, [{"columns": [["id", 2950]], "rows": []}])
EDITED = (200, [{"affected": 1}, {"columns": [["field", 25]], "rows": [["summary"]]}])


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(rest, "WAIT_S", 0.01)
    with serve() as service:
        yield service


@pytest.fixture
def catalogue(project: Service) -> Iterator[RestCatalogue]:
    with client_of(project.url, "sb_publishable_x", "a-token") as client:
        yield RestCatalogue(lambda: client, OWNER, project.url, partial(asking, project.url))


def test_a_request_says_who_asks_for_what(project: Service, catalogue: RestCatalogue):
    project.answers = [NOTHING]
    assert Browser(catalogue, OWNER).find_unreadable("x") == []
    ((path, authorization, body),) = project.seen
    assert (path, authorization) == ("/v1/rest/v1/rpc/ask", "Bearer a-token")
    ((question,),) = [json.loads(json.loads(body)["questions"])]
    assert question["query"] == "browse_find_unreadable"
    assert question["parameters"]["file_name"] == "x"
    assert question["parameters"]["paths"].startswith('{"\\\\x')


def test_what_only_reads_is_asked_again(project: Service, catalogue: RestCatalogue):
    project.answers = [BROKEN_OFF, BROKEN_OFF, NOTHING]
    assert Browser(catalogue, OWNER).find_unreadable("x") == []
    assert len(project.seen) == 3


def test_what_changes_something_is_not(project: Service, catalogue: RestCatalogue):
    project.answers = [BROKEN_OFF, EDITED]
    with pytest.raises(UnreachableProjectError):
        descriptions.edit(catalogue, OWNER, CLIP, {"summary": "x"})
    assert len(project.seen) == 1
    assert descriptions.edit(catalogue, OWNER, CLIP, {"summary": "x"}) == ["summary"]


@pytest.mark.parametrize("change", [descriptions.roll_back, partial(descriptions.promote)])
def test_nor_what_gives_rows_of_what_it_changed(
    project: Service, catalogue: RestCatalogue, change: Any
):
    project.answers = [BROKEN_OFF]
    with pytest.raises(UnreachableProjectError):
        change(catalogue, OWNER, *(["x"] if change is not descriptions.roll_back else []))
    assert len(project.seen) == 1


def refusal(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "details": None, "hint": None}


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        pytest.param(
            (401, refusal("PGRST303", "JWT expired")), SessionExpiredError, "auth login", id="over"
        ),
        pytest.param(
            (401, refusal("PGRST301", "No suitable key")),
            SessionRevokedError,
            "auth login",
            id="revoked",
        ),
        pytest.param(
            (404, refusal("PGRST202", "Could not find the function public.ask(questions)")),
            NoCatalogueError,
            "db migrate",
            id="nothing deployed",
        ),
        pytest.param(
            (404, refusal("42883", "no query of that name")),
            NoCatalogueError,
            "of this release",
            id="an older one deployed",
        ),
        pytest.param(
            (403, refusal("42501", "permission denied for function ask")),
            psycopg.errors.InsufficientPrivilege,
            "permission denied",
            id="not allowed",
        ),
        pytest.param(
            (400, refusal("22P02", "invalid input syntax for type uuid")),
            psycopg.DataError,
            "invalid input",
            id="a fault of a query",
        ),
        pytest.param(
            (500, refusal("57014", "canceling statement due to statement timeout")),
            psycopg.errors.QueryCanceled,
            "timeout",
            id="too slow",
        ),
        pytest.param(
            (502, b"<html>Bad gateway</html>"), DatabaseUnreachableError, "in a while", id="busy"
        ),
        pytest.param(
            (200, b"<html>Sign in to our network</html>"),
            DatabaseUnreachableError,
            "no catalogue",
            id="a page of the hotel",
        ),
    ],
)
def test_a_refusal_says_what_to_do(
    project: Service, catalogue: RestCatalogue, answer: Any, error: type[Exception], words: str
):
    project.answers = [answer]
    with pytest.raises(error, match=words):
        Browser(catalogue, OWNER).list_clips()


def test_nobody_at_home_is_said_in_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rest, "WAIT_S", 0.01)
    url = "http://127.0.0.1:1"
    with client_of(url, "sb_publishable_x", "a-token") as client:
        nobody = RestCatalogue(lambda: client, OWNER, url, partial(asking, url))
        with pytest.raises(UnreachableProjectError, match="is this machine offline"):
            Browser(nobody, OWNER).list_clips()


def test_what_is_not_allowed_ends_a_command_with_a_sentence(
    project: Service, catalogue: RestCatalogue
):
    project.answers = [(403, refusal("42501", "permission denied for function ask"))]
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
        Browser(catalogue, OWNER).list_clips()
    assert explain(refused.value) == (
        USAGE,
        "the catalogue does not let you do this: permission denied for function ask",
    )
