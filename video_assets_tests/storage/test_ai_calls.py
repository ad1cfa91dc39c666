"""Paid calls in the database: caps, limits of an account, lost reservations, pauses."""

import multiprocessing
import time
import uuid
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from video_assets.media.errors import PostponedError
from video_assets.storage import abandoned, ai_calls, ledger
from video_assets.storage.ai_calls import Billing, Caps
from video_assets.storage.postgres import Postgres
from video_assets_tests.storage.kept import Kept

ASSET = "opinion"
CENT = Decimal("0.01")


@pytest.fixture
def kept(catalogue, tmp_path):
    with catalogue.transaction() as connection:
        for table in ("ai_calls", "private.ai_totals", "private.ai_pauses"):
            connection.execute(f"DELETE FROM {table}".encode())  # noqa: S608 - ours
    return Kept(catalogue, tmp_path / "artifacts", tmp_path / "footage")


@pytest.fixture
def bill(kept):
    """Make a bill for a clip of its own."""

    def make(**caps: str) -> Billing:
        given = {name: Decimal(usd) for name, usd in caps.items()}
        clip = kept.clip(uuid.uuid4().hex)
        return Billing(kept.catalogue, clip, ASSET, "a run", Caps(**given))

    return make


def reserve(billing: Billing, usd: Decimal = CENT, tokens: int = 10, **given):
    about = {
        "provider": "tests",
        "model": "m",
        "account": "an account",
        "request": "a request",
        "prices_as_of": None,
        "is_price_known": True,
        "requests_a_minute": None,
        "tokens_a_minute": None,
    }
    return billing.reserve(usd=usd, tokens=tokens, **{**about, **given})


def pay(billing: Billing, usd: Decimal = CENT, **given) -> uuid.UUID:
    call = reserve(billing, usd, **given)
    assert isinstance(call, uuid.UUID)
    billing.settle(call, "answered", usd=usd, input_tokens=8, output_tokens=2, answer="yes")
    return call


def rows(catalogue: Postgres, columns: str) -> list[tuple]:
    with catalogue.transaction() as connection:
        query = f"SELECT {columns} FROM ai_calls ORDER BY sent_at"  # noqa: S608 - ours
        found = connection.execute(query.encode()).fetchall()
        return [tuple(row.values()) for row in found]


def totals(catalogue: Postgres) -> dict[str, Decimal]:
    with catalogue.transaction() as connection:
        found = connection.execute("SELECT scope, usd FROM private.ai_totals").fetchall()
        return {row["scope"].split()[0]: row["usd"] for row in found}


def holding(stack: ExitStack, billing: Billing) -> None:
    """Hold a clip's cell, as the process does that asks about it."""
    stack.enter_context(ledger.claims(billing.catalogue, ASSET, [billing.checksum]))


def refused(billing: Billing, usd: Decimal = CENT, **given) -> tuple[str, datetime | None]:
    with pytest.raises(PostponedError) as postponed:
        reserve(billing, usd, **given)
    return postponed.value.reason, postponed.value.until


def test_a_call_is_reserved_and_settled_with_what_it_cost(kept, bill):
    call = reserve(bill(), Decimal("0.05"))
    assert rows(kept.catalogue, "status, cost_usd") == [("reserved", None)]
    assert totals(kept.catalogue)["run"] == Decimal("0.05")
    bill().settle(call, "answered", usd=CENT, input_tokens=7, cached_tokens=5, output_tokens=3)
    assert rows(kept.catalogue, "status, outcome, cost_usd, input_tokens, output_tokens") == [
        ("settled", "answered", CENT, 7, 3)
    ]
    assert totals(kept.catalogue) == {"run": CENT, "day": CENT, "owner": CENT}


def test_what_a_service_says_is_kept_without_what_no_database_takes(kept, bill):
    billing = bill()
    call = reserve(billing)
    said = {"text": "a\0b\ud800", "id": "sk-" + "x" * 40}
    billing.settle(call, "invalid", usd=CENT, error="a\0b\udcff sk-" + "x" * 40, answer=said)
    assert rows(kept.catalogue, "error") == [("a\\x00b\\udcff ***",)]
    earlier = billing.earlier("a request")
    assert earlier is not None
    assert earlier.answer == said


@pytest.mark.parametrize(
    ("cap", "said"),
    [
        ("run", "the run's cap of $0.03 is reached; run again with another --cap"),
        ("day", "the day's cap of $0.03 is reached; it goes on after midnight UTC"),
        ("owner", "the owner's cap of $0.03 for a month is reached; it goes on next month"),
    ],
)
def test_a_cap_refuses_exactly_what_would_exceed_it(kept, bill, cap, said):
    pay(bill())
    pay(bill())
    reason, until = refused(bill(**{cap: "0.03"}), Decimal("0.011"))
    assert reason.startswith(said)
    now = datetime.now(timezone.utc)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if cap == "day":
        assert until == midnight + timedelta(days=1)
    elif cap == "owner":
        assert until == (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        assert until is None
    pay(bill(**{cap: "0.03"}))
    refused(bill(**{cap: "0.03"}), Decimal("0.000001"))
    assert isinstance(reserve(bill(**{cap: "0.03"}), Decimal(0)), uuid.UUID)  # free
    assert len(rows(kept.catalogue, "id")) == 4


def test_a_cap_of_one_call_refuses_that_call_alone(bill):
    reason, until = refused(bill(call="0.01"), Decimal("0.011"))
    assert reason.startswith("one call may cost at most $0.01, and this one may cost $0.01; raise")
    assert until is None
    pay(bill(call="0.01"))


def test_the_cap_of_a_run_counts_its_own_calls(bill):
    pay(bill())
    billing = bill(run="0.01")
    refused(billing)
    pay(replace(billing, run="another"))


def test_yesterday_does_not_count_to_this_day(kept, bill):
    pay(bill())
    with kept.catalogue.transaction() as connection:
        connection.execute(
            "UPDATE private.ai_totals SET scope = 'day 2000-01-01' WHERE scope LIKE 'day%'"
        )
    pay(bill(day="0.01"))
    refused(bill(day="0.01"))


def test_what_is_under_way_may_come_to_less_so_a_full_cap_waits_for_it(bill):
    with ExitStack() as stack:
        busy, capped = bill(), bill(run="0.03")
        holding(stack, busy)
        call = reserve(busy, Decimal("0.03"))
        assert reserve(capped) == 1.0
        busy.settle(call, "answered", usd=CENT)
        assert isinstance(reserve(capped), uuid.UUID)


def test_nobody_waits_for_a_process_that_has_ended(bill):
    dead = bill()
    reserve(dead, Decimal("0.03"))
    refused(bill(run="0.03"))


def test_a_reservation_whose_process_has_ended_is_lost_and_counts_as_spent(kept, bill):
    billing = bill()
    dead = reserve(billing, Decimal("0.05"))
    ai_calls.lose(kept.catalogue, ASSET, [billing.checksum])
    assert rows(kept.catalogue, "status, cost_usd") == [("lost", Decimal("0.05"))]
    billing.settle(dead, "answered", usd=CENT)  # by an orphan, too late
    assert rows(kept.catalogue, "status, cost_usd") == [("lost", Decimal("0.05"))]
    reserve(billing)
    reserve(billing)  # whoever reserves again for the same cell has lost the one before
    assert [status for (status,) in rows(kept.catalogue, "status")] == ["lost", "lost", "reserved"]
    assert totals(kept.catalogue)["day"] == Decimal("0.07")


def test_requests_wait_for_room_in_the_window_of_their_account(bill):
    for _ in range(3):
        pay(bill(), requests_a_minute=3)
    wait = reserve(bill(), requests_a_minute=3)
    assert isinstance(wait, float)
    assert 60 < wait <= 65
    pay(bill(), requests_a_minute=4)
    pay(bill(), requests_a_minute=3, account="another")
    pay(bill(), requests_a_minute=None)


def test_tokens_wait_for_room_and_what_was_not_used_is_room(bill):
    pay(bill(), tokens=90, tokens_a_minute=100)  # it used 10
    assert isinstance(reserve(bill(), tokens=90, tokens_a_minute=100), uuid.UUID)
    assert isinstance(reserve(bill(), tokens=1, tokens_a_minute=100), float)
    alone = reserve(bill(), tokens=500, tokens_a_minute=100, account="another")
    assert isinstance(alone, uuid.UUID)  # it would never fit


_both: Any = None  # in a process of the test: where it waits for the other


def _know(both: Any) -> None:
    global _both
    _both = both


def _reserve_all(given: tuple[Billing, ...]) -> int:
    done = 0
    _both.wait(60)  # else one may be done before the other has all that it imports
    for billing in given:
        time.sleep(0.01)
        try:
            done += isinstance(reserve(billing), uuid.UUID)
        except PostponedError:
            continue
    return done


def test_two_processes_do_not_exceed_a_cap_together(kept, bill):
    bills = [bill(run="0.40") for _ in range(100)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(2, _know, (context.Barrier(2),)) as pool:
        done = pool.map(_reserve_all, [tuple(bills[:50]), tuple(bills[50:])], chunksize=1)
    assert min(done) > 0
    assert sum(done) == len(rows(kept.catalogue, "id")) == 40


def trouble(billing: Billing, **how) -> float | None:
    until = billing.note_trouble("an account", "tests", "it fails", **how)
    return None if until is None else (until - datetime.now(timezone.utc)).total_seconds()


def end_pause(catalogue: Postgres) -> None:
    with catalogue.transaction() as connection:
        connection.execute("UPDATE private.ai_pauses SET until = clock_timestamp()")


def test_five_failures_in_a_row_pause_a_service_for_a_minute_and_each_time_twice_as_long(
    kept, bill
):
    billing = bill()
    assert [trouble(billing) for _ in range(4)] == [None] * 4
    assert trouble(billing) == pytest.approx(60, abs=2)
    assert trouble(billing) == pytest.approx(60, abs=2)  # it was under way, and tells nothing new
    reason, until = refused(billing)
    assert reason == "it fails"
    assert until is not None
    pay(bill(), account="another")
    for minutes in (2, 4, 8, 16, 32, 60, 60):
        end_pause(kept.catalogue)
        assert trouble(billing) == pytest.approx(60 * minutes, abs=2)
    billing.forget_trouble("an account")  # of a call that was under way
    refused(billing)
    end_pause(kept.catalogue)
    billing.forget_trouble("an account")
    assert [trouble(billing) for _ in range(4)] == [None] * 4


def test_a_service_is_left_alone_for_as_long_as_it_says(kept, bill):
    assert trouble(bill(), pause_s=300) == pytest.approx(300, abs=2)
    assert trouble(bill(), pause_s=100) == pytest.approx(300, abs=2)
    end_pause(kept.catalogue)
    assert trouble(bill()) is None


def test_an_account_that_is_refused_pauses_at_once(bill):
    assert trouble(bill(), patience=1) == pytest.approx(60, abs=2)


def test_what_was_answered_about_erased_content_is_gone_and_that_it_was_paid_for_is_not(kept, bill):
    billing = bill()
    pay(billing)
    with kept.catalogue.transaction() as connection:
        abandoned.queries.forget_calls(connection, checksums=[billing.checksum])
    assert billing.earlier("a request") is None
    assert rows(kept.catalogue, "cost_usd, answer") == [(CENT, None)]
