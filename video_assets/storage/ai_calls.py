"""Calls that cost money: reserved before they are sent, settled after, and never paid twice.

A reservation is made against caps and against the limits of the account, in the database, so that
all processes together keep them. A process that dies leaves its reservation, which counts as spent.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import aiosql
from psycopg.types.json import Jsonb

from video_assets.media.errors import PostponedError
from video_assets.redaction import hide_known, redact
from video_assets.storage.postgres import Postgres

Outcome = Literal["answered", "invalid", "refused", "rate_limited", "failed", "cancelled"]
PATIENCE = 5  # failures in a row, after which a service is left alone for a while
LONGEST_ERROR = 2_000

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")

_CAPS = {
    "call": "one call may cost ${cap} and this one might cost ${usd}; raise budget.call_usd",
    "run": "this run's cap of ${cap} is reached (${spent} spent or reserved); "
    "run again with a higher --cap",
    "day": "the day's cap of ${cap} is reached (${spent} spent or reserved); "
    "it goes on after midnight UTC, or raise budget.day_usd",
    "owner": "the owner's cap of ${cap} for this month is reached (${spent} spent or reserved); "
    "it goes on next month, or raise budget.owner_month_usd",
}


@dataclass(frozen=True)
class Caps:
    """The most that may be spent, in dollars; None: no cap."""

    call: Decimal | None = None
    run: Decimal | None = None
    day: Decimal | None = None
    owner: Decimal | None = None


@dataclass(frozen=True)
class Earlier:
    """What came of the same request before; a process that ends between two steps has it still."""

    call: UUID
    outcome: Outcome
    answer: Any
    error: str | None
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    usd: Decimal


@dataclass(frozen=True)
class Billing:
    """Who pays for what is asked about one clip by one asset, and how much it may be.

    run            the ingest or backfill whose cap counts
    is_local_only  whether nothing of the clip may leave this machine
    """

    catalogue: Postgres
    checksum: str
    asset: str
    run: str | None
    caps: Caps
    is_local_only: bool = False

    def earlier(self, request: str) -> Earlier | None:
        """Find what was settled of the same request and is part of no result yet."""
        with self.catalogue.transaction() as connection:
            row = _queries.earlier(
                connection, checksum=self.checksum, asset=self.asset, request=request
            )
        if row is None:
            return None
        return Earlier(
            call=row["id"],
            outcome=row["outcome"],
            answer=row["answer"],
            error=row["error"],
            input_tokens=row["input_tokens"] or 0,
            cached_tokens=row["cached_tokens"] or 0,
            output_tokens=row["output_tokens"] or 0,
            usd=row["cost_usd"],
        )

    def count(self, call: UUID) -> None:
        """Note that a refusal was told again; whoever asks once more is asking the service."""
        with self.catalogue.transaction() as connection:
            _queries.count(connection, call=call)

    def reserve(
        self,
        *,
        provider: str,
        model: str,
        account: str,
        request: str,
        usd: Decimal,
        tokens: int,
        prices_as_of: date | None,
        requests_a_minute: int | None,
        tokens_a_minute: int | None,
    ) -> UUID | float:
        """Reserve one call, or give the seconds after which the account's limits allow one.

        usd     what it costs at most
        tokens  that it takes and gives at most

        Raises PostponedError if a cap forbids it or the service is left alone.
        """
        with self.catalogue.transaction() as connection:
            found = _queries.reserve(
                connection,
                checksum=self.checksum,
                asset=self.asset,
                run=self.run,
                provider=provider,
                model=model,
                account=account,
                request=request,
                usd=usd,
                tokens=tokens,
                prices_as_of=prices_as_of,
                requests_a_minute=requests_a_minute,
                tokens_a_minute=tokens_a_minute,
                call_cap=self.caps.call,
                run_cap=self.caps.run,
                day_cap=self.caps.day,
                owner_cap=self.caps.owner,
            )
        if found["obstacle"] is not None:
            raise PostponedError(self._why(found, usd), until=found["until"])
        return found["call_id"] or max(0.1, found["wait_s"])

    def settle(
        self,
        call: UUID,
        outcome: Outcome,
        *,
        usd: Decimal,
        input_tokens: int = 0,
        cached_tokens: int = 0,
        output_tokens: int = 0,
        latency_s: float | None = None,
        error: str | None = None,
        answer: Any = None,
    ) -> None:
        """Note what a call came to. What it answered is kept until a result is made of it."""
        with self.catalogue.transaction() as connection:
            _queries.settle(
                connection,
                call=call,
                outcome=outcome,
                usd=usd,
                input_tokens=input_tokens,
                cached_tokens=cached_tokens,
                output_tokens=output_tokens,
                latency_s=latency_s,
                error=redact(error)[:LONGEST_ERROR] if error else None,
                answer=None if answer is None else Jsonb(hide_known(answer)),
            )

    def mark_invalid(self, call: UUID, error: str) -> None:
        """Note that an answer that was paid for cannot be used; it is kept as it came."""
        with self.catalogue.transaction() as connection:
            _queries.mark_invalid(connection, call=call, error=redact(error)[:LONGEST_ERROR])

    def note_trouble(
        self,
        account: str,
        provider: str,
        reason: str,
        *,
        patience: int = PATIENCE,
        pause_s: float | None = None,
    ) -> datetime | None:
        """Note that a service failed, and give until when nobody asks it now, if so.

        pause_s  for how long it asked to be left alone
        """
        with self.catalogue.transaction() as connection:
            return _queries.note_trouble(
                connection,
                account=account,
                provider=provider,
                asset=self.asset,
                reason=redact(reason),
                patience=patience,
                pause_s=pause_s,
            )

    def forget_trouble(self, account: str) -> None:
        """Note that a service answers."""
        with self.catalogue.transaction() as connection:
            _queries.forget_trouble(connection, account=account)

    def show_partial(self, model: str, document: dict[str, Any]) -> None:
        """Show what has arrived of an answer, in place of what had arrived before."""
        parts = ("summary", "visual_analysis", "audio_analysis", "content_analysis")
        found = {part: document.get(part) for part in parts}
        with self.catalogue.transaction() as connection:
            _queries.show_partial(
                connection,
                checksum=self.checksum,
                analyzer=self.asset,
                model=model,
                **{
                    part.removesuffix("_analysis"): None if value is None else Jsonb(value)
                    for part, value in found.items()
                },
            )

    def hide_partial(self) -> None:
        """Take away what had arrived of an answer that will not be whole."""
        with self.catalogue.transaction() as connection:
            _queries.hide_partial(connection, checksum=self.checksum, analyzer=self.asset)

    def _why(self, found: dict[str, Any], usd: Decimal) -> str:
        obstacle = found["obstacle"]
        if obstacle == "pause":
            return found["detail"]
        spent = f"{Decimal(found['detail'] or 0):.4f}"
        cap = getattr(self.caps, obstacle)
        return _CAPS[obstacle].format(cap=cap, usd=f"{usd:.4f}", spent=spent)
