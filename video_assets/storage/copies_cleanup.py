"""Clean-up of an object store: the objects that no result stands behind.

As in the artifact folder, they are marked first and removed at a later look, under the claims of
their cells and after another look. What an owner has given up waits for nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import aiosql

from video_assets.storage import artifact_copies, deletions, ledger
from video_assets.storage.deletions import Candidate, Kind, Outcome, Wish
from video_assets.storage.objects import Objects
from video_assets.storage.postgres import Postgres

KIND: Kind = "stored"
AT_ONCE = 500

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class CopiesCleaner:
    """Finds and removes what is unneeded in one object store."""

    catalogue: Postgres
    objects: Objects
    wish: Wish

    def clean(self) -> Outcome:
        """Mark what is unneeded, and remove what has been for long enough."""
        outcome, since = Outcome(KIND), deletions.now(self.catalogue)
        due: list[dict[str, Any]] = []
        for rows in _chunks(self._ask(queries.unneeded)):
            candidates = {row["key"]: _candidate(row) for row in rows}
            ready = deletions.mark(self.catalogue, KIND, list(candidates.values()), self.wish)
            targets = {each.target for each in ready}
            outcome.wait(each for key, each in candidates.items() if key not in targets)
            due += [row for row in rows if row["key"] in targets]
        if self.wish.dry_run:
            for row in due:
                outcome.remove(row["key"], size_bytes=row["size_bytes"])
            return outcome
        self._remove(due, outcome, asked_again=True)
        with self.catalogue.transaction() as connection:
            gone = deletions.queries.not_seen(connection, kind=KIND, since=since)
            targets = [row["target"] for row in gone]
            deletions.queries.withdraw(connection, kind=KIND, targets=targets)
        return outcome

    def finish(self) -> Outcome:
        """Remove what belongs to contents that their owners have given up, at once."""
        outcome, rows = Outcome(KIND), self._ask(queries.given_up)
        if self.wish.dry_run:
            for row in rows:
                outcome.remove(row["key"], size_bytes=row["size_bytes"])
            return outcome
        self._remove(rows, outcome, asked_again=False)
        if outcome.removed:
            counts = {"items": outcome.removed, "size_bytes": outcome.removed_bytes}
            with self.catalogue.transaction() as connection:
                deletions.record(connection, KIND, "", by=self.wish.by, **counts)
        return outcome

    def _remove(
        self, rows: Sequence[dict[str, Any]], outcome: Outcome, *, asked_again: bool
    ) -> None:
        """Remove objects whose cells nobody has in hand.

        asked_again  whether to look once more if they are unneeded
        """
        for asset, group in groupby(rows, lambda row: row["asset"]):
            for some in _chunks(list(group)):
                checksums = sorted({row["file_checksum"] for row in some})
                with ledger.claims(self.catalogue, asset, checksums) as mine:
                    keys = [row["key"] for row in some if row["file_checksum"] in mine.checksums]
                    left = set(self._still_unneeded(keys) if asked_again else keys)
                    self.take_away([row for row in some if row["key"] in left], outcome)

    def take_away(self, rows: Sequence[dict[str, Any]], outcome: Outcome) -> None:
        """Say that they are not there any more, so that nobody relies on them; then remove."""
        keys, store = [row["key"] for row in rows], self.objects.name
        with self.catalogue.transaction() as connection:
            artifact_copies.queries.lose(connection, store=store, keys=keys)
        self.objects.remove(keys)
        with self.catalogue.transaction() as connection:
            queries.forget(connection, store=store, keys=keys)
            deletions.queries.settle(connection, kind=KIND, targets=keys, by=self.wish.by)
        for row in rows:
            outcome.remove(row["key"], size_bytes=row["size_bytes"])

    def _still_unneeded(self, keys: list[str]) -> list[str]:
        with self.catalogue.transaction() as connection:
            rows = queries.still_unneeded(connection, store=self.objects.name, keys=keys)
            return [row["key"] for row in rows]

    def _ask(self, query: Any) -> list[dict[str, Any]]:
        with self.catalogue.transaction() as connection:
            return list(query(connection, store=self.objects.name))


def _candidate(row: dict[str, Any]) -> Candidate:
    begun_ns = int(row["begun_at"].timestamp()) * 1_000_000_000
    return Candidate(row["key"], row["size_bytes"], begun_ns)


def _chunks(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
