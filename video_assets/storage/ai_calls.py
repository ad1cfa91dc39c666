"""Calls that cost money: reserved before they are sent, settled after, and never paid twice.

A reservation is made against caps and against the limits of the account, in the database, so that
all processes together keep them. A process that dies leaves its reservation, which counts as spent;
one for a batch waits instead, see batch_calls.py. An answer is kept until a result is made of it,
so that a process that dies between the two has not paid in vain. A refusal is told again once: then
whoever asks once more is asking the service.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import aiosql
from psycopg.types.json import Json, Jsonb

from video_assets.media.errors import PostponedError
from video_assets.redaction import hide_known
from video_assets.storage import batch_calls
from video_assets.storage.batch_calls import BatchCalls
from video_assets.storage.local_only import find_local_only
from video_assets.storage.postgres import Postgres
from video_assets.storage.storable import storable

Outcome = Literal["answered", "invalid", "refused", "rate_limited", "failed", "cancelled"]
PATIENCE = 5  # failures in a row, after which a service is left alone for a while

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")

# The same words for every clip of which the same holds, so that they are told once.
_CAPS = {
    "call": "one call may cost at most ${cap}, and this one may cost ${usd}; raise budget.call_usd "
    "in the settings, then run again",
    "run": "the run's cap of ${cap} is reached; run again with another --cap",
    "day": "the day's cap of ${cap} is reached; it goes on after midnight UTC, or raise "
    "budget.day_usd in the settings and run again",
    "owner": "the owner's cap of ${cap} for a month is reached; it goes on next month, or raise "
    "budget.owner_month_usd in the settings and run again",
}


@dataclass(frozen=True)
class Caps:
    """The most that may be spent, in dollars; None: no cap."""

    call: Decimal | None = None
    run: Decimal | None = None
    day: Decimal | None = None
    owner: Decimal | None = None


@dataclass(frozen=True)
class Payer:
    """The ingest or backfill that calls are counted to; cap: instead of the one of the settings."""

    run_id: str
    cap: Decimal | None = None


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

    run         the ingest or backfill whose cap counts
    local_only  folders of whose clips nothing may leave this machine
    made        digest of what the cell is made with
    keeps       whether the result that is there will do if the same is asked for it again
    """

    catalogue: Postgres
    checksum: str
    asset: str
    run: str | None
    caps: Caps
    local_only: tuple[Path, ...] = ()
    made: str = ""
    keeps: bool = False

    @property
    def is_local_only(self) -> bool:
        """Whether nothing of the clip may leave this machine, as of now."""
        return bool(find_local_only(self.catalogue, [self.checksum], self.local_only))

    @property
    def batches(self) -> BatchCalls:
        """What was handed in about the clip and waits for an answer."""
        return BatchCalls(self.catalogue, self.checksum, self.asset, self.made)

    def earlier(self, request: str) -> Earlier | None:
        """Find what was answered to the same request and may be told again."""
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

    def kept(self, requests: Iterable[str]) -> dict[str, Any] | None:
        """Give the result that is there, if it was made of the answers to these requests."""
        if not self.keeps:
            return None
        with self.catalogue.transaction() as connection:
            return _queries.kept(
                connection, checksum=self.checksum, asset=self.asset, requests=list(requests)
            )

    def use(self, calls: Sequence[UUID]) -> None:
        """Note of which answers the result that is about to be saved is made."""
        with self.catalogue.transaction() as connection:
            _queries.use(connection, checksum=self.checksum, asset=self.asset, calls=list(calls))

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
        is_price_known: bool,
        requests_a_minute: int | None,
        tokens_a_minute: int | None,
        is_trial: bool = False,
        address: str | None = None,
    ) -> UUID | float:
        """Reserve one call, or give the seconds after which it is worth asking again.

        The account's limits make it wait, and so does a cap that others have reserved and may not
        come to.

        usd       what it costs at most
        tokens    that it takes and gives at most
        is_trial  reserve nothing after all
        address   of the service that it is handed in to as a batch; None: it is asked directly

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
                is_price_known=is_price_known,
                requests_a_minute=requests_a_minute,
                tokens_a_minute=tokens_a_minute,
                call_cap=self.caps.call,
                run_cap=self.caps.run,
                day_cap=self.caps.day,
                owner_cap=self.caps.owner,
            )
            if is_trial:
                connection.rollback()
            elif address is not None and found["call_id"]:
                batch_calls.queries.wait(
                    connection, call=found["call_id"], address=address, made=self.made
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
                error=storable(error) if error else None,
                answer=None if answer is None else Json(hide_known(answer)),
            )

    def mark_invalid(self, call: UUID, error: str) -> None:
        """Note that an answer that was paid for cannot be used; it is kept as it came."""
        with self.catalogue.transaction() as connection:
            _queries.mark_invalid(connection, call=call, error=storable(error))

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
                reason=storable(reason),
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
        return _CAPS[obstacle].format(cap=getattr(self.caps, obstacle), usd=f"{usd:.2f}")


def spent(catalogue: Postgres, owner: UUID) -> tuple[Decimal, Decimal]:
    """Give what was spent or is reserved today, and by one owner this month."""
    with catalogue.transaction() as connection:
        found = _queries.spent(connection, owner=owner)
    return found["day"], found["owner"]


def lengths(catalogue: Postgres, checksums: Sequence[str]) -> dict[str, tuple[float, bool]]:
    """Give how many seconds clips last and whether they have sound, where that is known."""
    with catalogue.transaction() as connection:
        rows = _queries.lengths(connection, checksums=list(checksums))
        return {row["file_checksum"]: (row["duration_s"], row["has_sound"]) for row in rows}


def lose(catalogue: Postgres, asset: str, checksums: Sequence[str]) -> None:
    """Give up the calls of cells that this process has claimed: whoever sent them has ended."""
    with catalogue.transaction() as connection:
        _queries.lose(connection, asset=asset, checksums=list(checksums))
