"""Calls that are handed in as batches, and wait for their answers across processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql

from video_assets.storage.postgres import Postgres

SLACK = timedelta(hours=1)  # by which a batch may be older than the call that looks for its own

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Waiting:
    """One call that was handed in.

    batch     what the service calls it; None if nobody heard that any more
    made      digest of what the cell is made with that waits for it
    failures  batches for the same request that ended without an answer before
    """

    call: UUID
    request: str
    batch: str | None
    made: str
    sent_at: datetime
    reserved_usd: Decimal
    age_s: float
    failures: int


@dataclass(frozen=True)
class Out:
    """One batch that a service has."""

    provider: str
    address: str
    batch: str


@dataclass(frozen=True)
class BatchCalls:
    """The batches of one cell. made: digest of what it is made with now."""

    catalogue: Postgres
    checksum: str
    asset: str
    made: str

    def waiting(self) -> list[Waiting]:
        """List what was handed in and has no answer yet, the oldest first."""
        with self.catalogue.transaction() as connection:
            rows = queries.waiting(connection, checksum=self.checksum, asset=self.asset)
            return [Waiting(**row) for row in rows]

    def note(self, call: UUID, batch: str) -> None:
        """Note what the service calls a batch."""
        with self.catalogue.transaction() as connection:
            queries.note(connection, call=call, batch=batch)

    def adopt(self, call: UUID) -> None:
        """Note that the cell, as it is made now, waits for it."""
        with self.catalogue.transaction() as connection:
            queries.adopt(connection, call=call, made=self.made)

    def known(self, account: str, since: datetime) -> frozenset[str]:
        """Give the batches of an account that belong to some call since then."""
        with self.catalogue.transaction() as connection:
            rows = queries.known(connection, account=account, since=since - SLACK)
            return frozenset(row["batch"] for row in rows)

    def lose(self, call: UUID) -> None:
        """Give a batch up: nobody wants its answer any more, or the service has lost it."""
        with self.catalogue.transaction() as connection:
            queries.lose(connection, call=call)


def out(catalogue: Postgres, owner: UUID, checksums: Sequence[str] | None = None) -> list[Out]:
    """List the batches that an owner waits for; of some contents, or of all."""
    with catalogue.transaction() as connection:
        rows = queries.out(
            connection, owner=owner, checksums=None if checksums is None else list(checksums)
        )
        return [Out(**row) for row in rows]


def looked_at(
    catalogue: Postgres, checksums: Sequence[str], since: datetime
) -> set[tuple[str, str]]:
    """Find the cells, by clip and asset, whose batches were found to be out since then."""
    with catalogue.transaction() as connection:
        rows = queries.looked_at(connection, checksums=list(checksums), since=since)
        return {(row["file_checksum"], row["asset"]) for row in rows}
