"""What paid calls have cost, by whatever they were made for."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from video_assets.storage.named_queries import load, together
from video_assets.storage.postgres import Postgres
from video_assets.storage.way_in import WayIn

By = Literal["asset", "clip", "model", "day", "owner"]

_queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class Group:
    """The calls made for one thing.

    unusable       settled without an answer of which a result could be made
    lost           their process ended before they were settled
    usd            with what is reserved or lost, which may come to less
    unsettled_usd  of this, what is reserved or lost
    unpriced       calls of models of which no price is known; they are told as 0
    """

    name: str
    calls: int
    clips: int
    answered: int
    unusable: int
    lost: int
    under_way: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    usd: Decimal
    unsettled_usd: Decimal
    unpriced: int


@dataclass(frozen=True)
class Answer:
    """One call whose answer or error is kept, or whose answer is waited for."""

    asset: str
    model: str
    status: str
    outcome: str | None
    sent_at: datetime
    usd: Decimal
    error: str | None
    answer: Any
    batch: str | None


@dataclass(frozen=True)
class Pause:
    """A service that nobody asks until a moment."""

    provider: str
    asset: str
    reason: str
    until: datetime


@dataclass(frozen=True)
class Spending:
    """What was spent or is reserved, and which services are left alone."""

    today_usd: Decimal
    month_usd: Decimal
    pauses: tuple[Pause, ...] = ()


def groups(
    catalogue: WayIn, owner: UUID, by: By, *, since: datetime | None, at_most: int
) -> tuple[list[Group], int]:
    """Add up an owner's calls by what they were made for, and give how many such things are."""
    with catalogue.transaction(owner) as connection:
        rows = list(_queries.groups(connection, by=by, since=since, at_most=at_most))
    total = rows[0]["total"] if rows else 0
    return [Group(**{k: v for k, v in row.items() if k != "total"}) for row in rows], total


def whole(catalogue: WayIn, owner: UUID, *, since: datetime | None) -> tuple[int, Decimal]:
    """Give the number of an owner's calls, and what they cost."""
    with catalogue.transaction(owner) as connection:
        row = _queries.whole(connection, since=since)
    return row["calls"], row["usd"]


def of_run(catalogue: Postgres, run_id: str) -> Decimal:
    """Give what an ingest or backfill has spent, with what is reserved for it."""
    with catalogue.transaction() as connection:
        return _queries.of_run(connection, run=run_id)


def answers(catalogue: WayIn, owner: UUID, checksum: str) -> list[Answer]:
    """Give what is kept of what an owner was answered about a clip."""
    with catalogue.transaction(owner) as connection:
        return [Answer(**row) for row in _queries.answers(connection, checksum=checksum)]


def spending(catalogue: WayIn, owner: UUID) -> Spending:
    """Give what an owner spent today and this month, and which services are left alone."""
    with catalogue.transaction(owner) as connection:
        spent, pauses = together(connection, _queries.spending, _queries.pauses)
    return Spending(**spent, pauses=tuple(Pause(**row) for row in pauses))
