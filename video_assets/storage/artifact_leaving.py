"""Leaving an artifact store behind: what lies in the new one, and was found right there, goes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from video_assets.media.errors import MediaError
from video_assets.storage.artifact_cache import Cache
from video_assets.storage.artifact_copies import Copies
from video_assets.storage.artifact_digests import MadeFile, measure
from video_assets.storage.artifact_move import Move, queries, verify
from video_assets.storage.copies_cleanup import CopiesCleaner
from video_assets.storage.deletions import Outcome, Wish
from video_assets.storage.objects import Objects
from video_assets.storage.postgres import Postgres

AT_ONCE = 500


@dataclass(frozen=True)
class Leaving:
    """What is left in other stores, now that all lies in this one; None: in the cache's folder."""

    catalogue: Postgres
    cache: Cache
    here: Copies | None
    by: str

    def other_stores(self) -> list[str]:
        """Name the stores, other than this one, in which something lies."""
        here = self.here.objects.name if self.here else ""
        with self.catalogue.transaction() as connection:
            return [row["store"] for row in queries.other_stores(connection, store=here)]

    def forget(self, store: Objects) -> Outcome:
        """Remove from another store what this one has, and what nothing needs."""
        outcome = Outcome("stored")
        cleaner = CopiesCleaner(self.catalogue, store, Wish(self.by, 0.0))
        for rows in self._chunks(store):
            right = self._right_here([row for row in rows if row["is_needed"]])
            gone = [row for row in rows if not row["is_needed"] or row["name"] in right]
            if gone:
                cleaner.take_away(gone, outcome)
        return outcome

    def empty_folder(self) -> int:
        """Remove from this machine what the store has and nobody has in hand; give the bytes."""
        if self.here is None:
            return 0
        for names in Move(self.catalogue, self.cache, self.here, 0).names():
            verify(self.here, names)
        return self.cache.trim(0, idle_s=0.0)

    def _right_here(self, rows: list[dict[str, Any]]) -> set[str]:
        """Read these files where they are now, and name the right ones."""
        names = [row["name"] for row in rows]
        if self.here is None:
            return {row["name"] for row in rows if _is_right(self.cache, _made(row))}
        verify(self.here, names)
        with self.catalogue.transaction() as connection:
            store = self.here.objects.name
            return {row["name"] for row in queries.verified(connection, store=store, names=names)}

    def _chunks(self, store: Objects) -> Iterator[list[dict[str, Any]]]:
        after = ""
        while True:
            with self.catalogue.transaction() as connection:
                rows = list(
                    queries.copies_in(connection, store=store.name, after=after, at_most=AT_ONCE)
                )
            if not rows:
                return
            yield rows
            after = rows[-1]["key"]


def _made(row: dict[str, Any]) -> MadeFile:
    return MadeFile(row["name"], row["size_bytes"], row["blake3"])


def _is_right(cache: Cache, made: MadeFile) -> bool:
    try:
        return measure(cache.root, made.name) == made
    except MediaError:
        return False
