"""Clean-up of the artifact store: the files that no result names.

Marked first, and removed at a later look if still unneeded. Whoever makes a file of an asset holds
the claim of that cell, so a file is removed under that claim, after asking once more who names it.
A clip that is not complete keeps everything it has.
"""

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import aiosql

from video_assets.storage import deletions, ledger, locations
from video_assets.storage.artifacts import UNFINISHED
from video_assets.storage.deletions import Candidate, Kind, Outcome, Wish
from video_assets.storage.folder import Folder, Item, OutsideError
from video_assets.storage.postgres import Postgres

CONTENTS_PER_QUERY = 200
HALF_WRITTEN_S = 86_400.0  # no encoder is silent for a day
EVENTS_PER_STATEMENT = 10_000
FILES: tuple[Kind, Kind] = ("orphans", "superseded")
_CHECKSUM = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Unneeded:
    """A file that nothing refers to, and whose it was."""

    kind: Kind
    checksum: str
    asset: str
    item: Item

    @property
    def is_half_written(self) -> bool:
        """Whether its age is its wait: whoever wrote it was killed."""
        return self.item.name.endswith(UNFINISHED)


@dataclass(frozen=True)
class ArtifactCleaner:
    """Finds and removes what is unneeded in one artifact store."""

    catalogue: Postgres
    root: Path
    wish: Wish

    @property
    def folder(self) -> Folder:
        """The store."""
        return Folder(self.root)

    def clean(self, kinds: Sequence[Kind]) -> dict[Kind, Outcome]:
        """Mark and remove the files of these kinds, of `orphans` and `superseded`."""
        outcomes: dict[Kind, Outcome] = {kind: Outcome(kind) for kind in kinds}
        since = deletions.now(self.catalogue)
        for checksums in _chunks(self.contents()):
            found = self.unneeded(checksums)
            for kind, outcome in outcomes.items():
                self._clean_some([each for each in found if each.kind == kind], outcome)
        if not self.wish.dry_run:
            for kind in outcomes:
                self._close(kind, since)
        return outcomes

    def contents(self) -> Iterator[str]:
        """List the contents that have a folder; whatever else lies in the store is not ours."""
        for first in self.folder.folders():
            for name in self.folder.folders(first):
                if _CHECKSUM.fullmatch(name) and name[:2] == first:
                    yield name

    def unneeded(self, checksums: Sequence[str]) -> list[Unneeded]:
        """Find the files of clips that nothing refers to."""
        with self.catalogue.transaction() as connection:
            known = list(queries.contents(connection, checksums=list(checksums)))
            named = {row["name"] for row in queries.named(connection, checksums=list(checksums))}
        found: list[Unneeded] = []
        for row in known:
            if row["is_owned"]:  # what nobody has goes as a whole, see abandoned.py
                found += self._judge(row["file_checksum"], row, named)
        return [each for each in found if each.item.name not in self.sources]

    def _judge(self, checksum: str, row: dict[str, Any], named: set[str]) -> Iterator[Unneeded]:
        for item in self.folder.files(f"{checksum[:2]}/{checksum}"):
            asset = item.name.split("/")[2]
            if item.name in named or not is_storable(item.name):
                continue
            if item.name.endswith(UNFINISHED):
                if time.time() - item.mtime_ns / 1e9 > HALF_WRITTEN_S:
                    yield Unneeded("orphans", checksum, asset, item)
            elif row["is_complete"]:
                kind: Kind = "superseded" if asset in row["made"] else "orphans"
                yield Unneeded(kind, checksum, asset, item)

    @cached_property
    def sources(self) -> frozenset[str]:
        """Name the files of the store that are somebody's source, as names in the store."""
        found: set[str] = set()
        for root in {self.root, self.root.resolve()}:
            below = os.fsencode(root) + b"/"
            with self.catalogue.transaction() as connection:
                rows = queries.places_below(
                    connection, host=locations.HOST, lowest=below, above=below[:-1] + b"0"
                )
                found.update(os.fsdecode(bytes(row["path_bytes"])[len(below) :]) for row in rows)
        return frozenset(found)

    def _clean_some(self, found: list[Unneeded], outcome: Outcome) -> None:
        halves = [each for each in found if each.is_half_written]
        rest = [each for each in found if not each.is_half_written]
        candidates = [Candidate(e.item.name, e.item.size_bytes, e.item.mtime_ns) for e in found]
        waited = deletions.mark(self.catalogue, outcome.kind, candidates, self.wish)
        due = {each.target for each in waited} | {each.item.name for each in halves}
        outcome.wait(each for each in candidates if each.target not in due)
        ready = [each for each in (*rest, *halves) if each.item.name in due]
        if self.wish.dry_run:
            for each in ready:
                outcome.remove(each.item.name, size_bytes=each.item.size_bytes)
            return
        for asset, group in groupby(sorted(ready, key=_by_asset), key=lambda each: each.asset):
            self._remove(asset, list(group), outcome)

    def _remove(self, asset: str, due: list[Unneeded], outcome: Outcome) -> None:
        """Remove files of one asset, under the claims of their cells and after another look."""
        checksums = sorted({each.checksum for each in due})
        with ledger.claims(self.catalogue, asset, checksums) as mine:
            still = set(self.unneeded(mine.checksums))
            gone: list[str] = []
            for each in due:
                if each in still and self.folder.remove(each.item.name):
                    gone.append(each.item.name)
                    outcome.remove(each.item.name, size_bytes=each.item.size_bytes)
            self._settle(outcome.kind, gone, self.wish.by)

    def _close(self, kind: Kind, since: Any) -> None:
        """End the marks of what was not found again: it is gone, or it is needed after all."""
        with self.catalogue.transaction() as connection:
            rows = deletions.queries.not_seen(connection, kind=kind, since=since)
            left = [row["target"] for row in rows if row["target"].count("/") > 1]
        self._settle(kind, [name for name in left if self._is_gone(name)], "found gone")
        with self.catalogue.transaction() as connection:
            deletions.queries.withdraw(connection, kind=kind, targets=left)

    def _is_gone(self, name: str) -> bool:
        try:
            return self.folder.look(name) is None
        except OutsideError:  # a mark that is none of ours
            return False

    def _settle(self, kind: Kind, targets: list[str], by: str) -> None:
        with self.catalogue.transaction() as connection:
            deletions.queries.settle(connection, kind=kind, targets=targets, by=by)


def remove_old_events(catalogue: Postgres, wish: Wish) -> Outcome:
    """Remove what was noted of clips, step by step, longer ago than that."""
    outcome = Outcome("events")
    if wish.dry_run:
        with catalogue.transaction() as connection:
            outcome.removed = queries.count_events(connection, older_than_s=wish.wait_s)
        return outcome
    removed = EVENTS_PER_STATEMENT
    while removed == EVENTS_PER_STATEMENT:
        with catalogue.transaction() as connection:
            removed = queries.remove_events(
                connection, older_than_s=wish.wait_s, at_most=EVENTS_PER_STATEMENT
            )
        outcome.removed += removed
    return outcome


def is_storable(name: str) -> bool:
    """Tell whether a database takes a name; we give no other, so it is not ours."""
    return name.isprintable()


def _by_asset(each: Unneeded) -> str:
    return each.asset


def _chunks(checksums: Iterator[str]) -> Iterator[list[str]]:
    while part := list(islice(checksums, CONTENTS_PER_QUERY)):
        yield part
