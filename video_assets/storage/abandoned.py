"""Contents that nobody has any more: their part of the ledger, and their files.

Content is shared and has no owner, so it stays when one of them leaves. When the last one does, it
goes: after a wait where that was noticed by looking, at once where the owner said so.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import aiosql

from video_assets.storage import deletions
from video_assets.storage.cleanup import ArtifactCleaner
from video_assets.storage.deletions import Candidate, Outcome

FORGOTTEN = "forgotten"
AT_ONCE = 100

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")

Told = Callable[[Sequence[str]], None]


@dataclass(frozen=True)
class Contents:
    """Finds and removes what nobody has.

    assets   every asset: all cells of a content are claimed while it is removed
    on_gone  called with contents that were removed, to tell whoever else knows of them
    on_kept  called with contents that one owner gave up and another one has
    """

    store: ArtifactCleaner
    assets: Sequence[str]
    on_gone: Told
    on_kept: Told

    def clean(self, outcome: Outcome) -> None:
        """Mark what nobody has, and remove what nobody has had for long enough."""
        since = deletions.now(self.store.catalogue)
        due: list[str] = []
        for checksums in _chunks(self._nobodys()):
            candidates = [self._candidate(each) for each in checksums]
            ready = deletions.mark(self.store.catalogue, "orphans", candidates, self.store.wish)
            outcome.wait(each for each in candidates if each not in ready)
            due += [_checksum(each.target) for each in ready]
        if not self.store.wish.dry_run:
            due += self._unseen(since)
        self.finish(outcome, due)

    def finish(self, outcome: Outcome, due: Iterable[str] = ()) -> None:
        """Remove what owners gave up, and these contents, if nobody has them now."""
        with self.store.catalogue.transaction() as connection:
            rows = deletions.queries.open_targets(connection, kind=FORGOTTEN)
            given_up = [_checksum(row["target"]) for row in rows]
        for checksums in _chunks(iter(dict.fromkeys([*given_up, *due]))):
            if self.store.wish.dry_run:
                for each in self._without_owner(checksums):
                    outcome.remove(_target(each), *self._measure(each))
            else:
                self._remove(checksums, set(given_up), outcome)

    def _remove(self, checksums: list[str], given_up: set[str], outcome: Outcome) -> None:
        catalogue, by = self.store.catalogue, self.store.wish.by
        with catalogue.session() as held:
            rows = queries.claim(held, assets=list(self.assets), checksums=checksums)
            mine = [row["file_checksum"] for row in rows]
            with catalogue.transaction() as connection:
                queries.hold_results(connection, checksums=mine)
                gone = _nobodys(connection, mine)
                queries.delete_results(connection, checksums=gone)
                queries.forget_calls(connection, checksums=gone)
            sizes = {each: self._remove_files(each) for each in gone}
            self.on_gone(gone)
        kept = [each for each in mine if each not in sizes]
        told = [each for each in kept if each in given_up]
        self.on_kept(told)
        with catalogue.transaction() as connection:
            queries.tell_again(connection, checksums=told)
            queries.settle(
                connection,
                kinds=[FORGOTTEN, "orphans"],
                targets=[_target(each) for each in gone],
                items=[sizes[each][0] for each in gone],
                sizes=[sizes[each][1] for each in gone],
                by=by,
            )
            for kind in (FORGOTTEN, "orphans"):
                targets = [_target(each) for each in kept]
                deletions.queries.withdraw(connection, kind=kind, targets=targets)
        for each in gone:
            outcome.remove(_target(each), *sizes[each])

    def _remove_files(self, checksum: str) -> tuple[int, int]:
        """Remove the folder of a content, but nobody's source, and give what it held."""
        if any(name.startswith(_target(checksum)) for name in self.store.sources):
            return 0, 0
        measured = self._measure(checksum)
        self.store.folder.remove_tree(_target(checksum))
        return measured

    def _measure(self, checksum: str) -> tuple[int, int]:
        items = list(self.store.folder.files(_target(checksum)))
        return len(items), sum(item.size_bytes for item in items)

    def _candidate(self, checksum: str) -> Candidate:
        count, size = self._measure(checksum)
        return Candidate(_target(checksum), size, mtime_ns=0, items=count)

    def _nobodys(self) -> Iterator[str]:
        """List what nobody has: in the ledger, in the store, or in both."""
        with self.store.catalogue.transaction() as connection:
            in_ledger = {row["file_checksum"] for row in queries.in_ledger(connection)}
        yield from sorted(in_ledger)
        for checksums in _chunks(self.store.contents()):
            yield from (each for each in self._without_owner(checksums) if each not in in_ledger)

    def _without_owner(self, checksums: Sequence[str]) -> list[str]:
        with self.store.catalogue.transaction() as connection:
            return _nobodys(connection, checksums)

    def _unseen(self, since: Any) -> list[str]:
        """List what was marked and is not found any more: somebody has it, or we were killed."""
        with self.store.catalogue.transaction() as connection:
            rows = deletions.queries.not_seen(connection, kind="orphans", since=since)
            return [_checksum(row["target"]) for row in rows if row["target"].count("/") == 1]


def _nobodys(connection: Any, checksums: Sequence[str]) -> list[str]:
    rows = queries.nobodys(connection, checksums=list(checksums))
    return [row["checksum"] for row in rows]


def _target(checksum: str) -> str:
    return f"{checksum[:2]}/{checksum}"


def _checksum(target: str) -> str:
    return target.rpartition("/")[2]


def _chunks(checksums: Iterator[str]) -> Iterator[list[str]]:
    while part := list(islice(checksums, AT_ONCE)):
        yield part
