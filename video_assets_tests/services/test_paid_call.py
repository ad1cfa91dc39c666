"""Paid calls of a chat service on loopback, through the real client and the real database."""

import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
import stamina

from video_assets.media.errors import PostponedError, RefusedByServiceError, UnreachableError
from video_assets.services.paid_call import PaidModel, Reply
from video_assets.settings import RateLimit
from video_assets.storage.ai_calls import Billing, Caps
from video_assets.storage.postgres import Postgres
from video_assets_tests import paying
from video_assets_tests.services.loopback import Service, chat, serve
from video_assets_tests.storage.kept import Kept

BUSY = {"error": {"message": "slow down"}}
OF_ONE = Decimal("0.011")  # a word in, a word out


@dataclass
class Asking:
    """A clip of which a service is asked."""

    catalogue: Postgres
    service: Service
    account: str
    checksum: str

    def ask(self, word: str = "hello", caps: Caps | None = None) -> Reply:
        """Ask as the analyzer of the tests does."""
        billing = Billing(self.catalogue, self.checksum, "opinion", "a run", caps or Caps())
        model = PaidModel(
            *("tests", "opinionated", self.account, paying.PRICE, RateLimit(), billing),
            beat=lambda: None,
        )
        return model.ask(word, paying.MOST, lambda: paying.send(self.service.url, word))

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        """What was written down of the calls about this clip."""
        query = f"SELECT {columns} FROM ai_calls WHERE file_checksum = %s ORDER BY sent_at"  # noqa: S608 - ours
        with self.catalogue.transaction() as connection:
            found = connection.execute(query.encode(), (self.checksum,)).fetchall()
            return [tuple(row.values()) for row in found]


@pytest.fixture
def asking(catalogue, tmp_path):
    kept = Kept(catalogue, tmp_path / "artifacts", tmp_path / "footage")
    with serve() as service, stamina.set_testing(True, attempts=4):  # no pauses
        service.answers = [chat]
        yield Asking(catalogue, service, uuid.uuid4().hex, kept.clip(uuid.uuid4().hex))


def test_what_was_answered_is_paid_for_once_until_it_is_saved(asking):
    first = asking.ask()
    assert (first.answer, first.usd) == ("hello", OF_ONE)
    again = asking.ask()  # as after a kill
    assert (again.answer, again.usd, again.usage) == ("hello", OF_ONE, first.usage)
    assert len(asking.service.seen) == 1
    assert asking.rows("status, outcome, cost_usd") == [("settled", "answered", OF_ONE)]
    assert asking.ask("another").answer == "another"
    assert len(asking.service.seen) == 2


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_service_that_fails_is_asked_again_and_each_attempt_is_a_row(asking, status):
    asking.service.answers = [(status, BUSY), (status, BUSY), chat]
    assert asking.ask().answer == "hello"
    outcome = "rate_limited" if status in (429, 503) else "failed"
    assert asking.rows("outcome, cost_usd") == [(outcome, 0), (outcome, 0), ("answered", OF_ONE)]


def test_a_service_that_goes_on_failing_is_left_alone_after_five_clips(asking):
    asking.service.answers = [(500, BUSY)]
    for _ in range(4):
        with pytest.raises(UnreachableError, match="it is broken"):
            asking.ask()
    assert len(asking.service.seen) == 16
    with pytest.raises(PostponedError, match="tests is left alone for a while: it is broken"):
        asking.ask()
    with pytest.raises(PostponedError) as postponed:
        asking.ask()
    assert postponed.value.until is not None
    assert len(asking.service.seen) == 20  # nobody asks any more


def test_a_short_wish_to_wait_is_granted(asking, replace_here):
    pauses: list[float] = []
    replace_here(time, "sleep", pauses.append)
    asking.service.answers = [(429, BUSY, {"Retry-After": "1"}), chat]
    with stamina.set_testing(False):
        assert asking.ask().answer == "hello"
    assert pauses == [1]


def test_a_wish_to_wait_for_long_leaves_the_clip_for_then(asking):
    asking.service.answers = [(429, BUSY, {"Retry-After": "300"})]
    with pytest.raises(PostponedError) as postponed:
        asking.ask()
    assert postponed.value.until is not None
    left_s = (postponed.value.until - datetime.now(timezone.utc)).total_seconds()
    assert 290 < left_s <= 300
    assert len(asking.service.seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        (401, BUSY),
        (403, BUSY),
        (404, BUSY),
        (429, {"error": {"code": "insufficient_quota", "message": "pay"}}),
    ],
)
def test_a_key_that_is_refused_leaves_all_clips_for_later_at_once(asking, answer):
    asking.service.answers = [answer]
    for _ in range(3):
        with pytest.raises(PostponedError, match="left alone"):
            asking.ask()
    assert len(asking.service.seen) == 1
    assert asking.rows("outcome, cost_usd") == [("failed", 0)]


def blocked(body: bytes) -> tuple[int, Any]:
    _, document = chat(body)
    document["choices"][0]["finish_reason"] = "content_filter"
    return 200, document


def test_a_refusal_is_a_result_that_is_told_again_without_being_paid_again(asking):
    asking.service.answers = [blocked]
    said = set()
    for _ in range(2):
        with pytest.raises(RefusedByServiceError) as refused:
            asking.ask()
        said.add(str(refused.value))
    assert said == {"tests declines: it will not talk of this"}
    assert len(asking.service.seen) == 1
    assert asking.rows("status, outcome, cost_usd") == [("settled", "refused", OF_ONE)]


def test_what_a_service_does_not_take_costs_nothing(asking):
    asking.service.answers = [(400, BUSY)]
    with pytest.raises(RefusedByServiceError, match="does not take this: HTTP 400: slow"):
        asking.ask()
    assert asking.rows("outcome, cost_usd, error") == [
        ("refused", 0, "tests does not take this: HTTP 400: slow down")
    ]


def test_an_answer_that_never_came_may_have_been_charged(asking):
    def cut(body: bytes) -> tuple[int, Any]:
        raise ConnectionAbortedError

    asking.service.answers = [cut, chat]
    assert asking.ask().answer == "hello"
    most = paying.PRICE.of(paying.MOST)
    assert asking.rows("outcome, cost_usd") == [("failed", most), ("answered", OF_ONE)]


def test_a_service_that_is_not_there_costs_nothing(asking):
    asking.service.url = "http://127.0.0.1:9/v1"
    with pytest.raises(UnreachableError, match="cannot be reached"):
        asking.ask()
    assert set(asking.rows("status, outcome, cost_usd")) == {("settled", "failed", 0)}


def test_a_cap_that_is_reached_asks_nobody(asking):
    with pytest.raises(PostponedError, match=r"the day's cap of \$0.01 is reached"):
        asking.ask(caps=Caps(day=Decimal("0.01")))
    assert asking.service.seen == []
    assert asking.rows("id") == []


def test_a_call_that_is_interrupted_may_have_been_charged(asking):
    billing = Billing(asking.catalogue, asking.checksum, "opinion", None, Caps())
    model = PaidModel(
        *("tests", "m", asking.account, paying.PRICE, RateLimit(), billing), beat=lambda: None
    )

    def send() -> Reply:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.ask("x", paying.MOST, send)
    assert asking.rows("outcome, cost_usd") == [("cancelled", paying.PRICE.of(paying.MOST))]
