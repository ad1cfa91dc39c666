"""Moving the artifact store: everything that results name is copied, read back and checked.

Whatever breaks a move off, it goes on where it was: what was checked is written down. The old files
are removed by another step, and each only if the new one was found right.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import aiosql

from video_assets.media.errors import MediaError
from video_assets.storage import artifact_digests, ledger
from video_assets.storage.artifact_cache import Cache, DamagedError, checked
from video_assets.storage.artifact_copies import Copies
from video_assets.storage.artifact_digests import MadeFile, measure
from video_assets.storage.objects import NoObjectError, StoreError
from video_assets.storage.postgres import Postgres

CELLS_AT_ONCE = 200
WORKERS = 4

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")

OnBytes = Callable[[int], None]


@dataclass(frozen=True)
class Cell:
    """A result, and the files that it names."""

    asset: str
    checksum: str
    names: tuple[str, ...]


@dataclass
class Moved:
    """What became of the files.

    absent   those that are not there, or are not what they should be
    busy     cells of which somebody makes the files anew
    """

    files: int = 0
    size_bytes: int = 0
    absent: dict[str, str] = field(default_factory=dict)
    busy: int = 0


@dataclass(frozen=True)
class Move:
    """A move from a cache, and what is behind it, into a store; None: into the cache's folder.

    room_bytes  how much of what was copied may lie on this machine meanwhile
    """

    catalogue: Postgres
    source: Cache
    goal: Copies | None
    room_bytes: int

    def left(self) -> Moved:
        """Count what is to be copied."""
        moved = Moved()
        for cells in self._chunks():
            sizes = self._sizes(sorted(self._left(cells)))
            moved.files += len(sizes)
            moved.size_bytes += sum(sizes.values())
        return moved

    def run(self, on_bytes: OnBytes) -> Moved:
        """Copy what is left, and check each copy; raises StoreError if a store does not answer."""
        moved = Moved()
        with ThreadPoolExecutor(WORKERS) as workers:
            for cells in self._chunks():
                left = self._left(cells)
                due = [each for each in cells if not left.isdisjoint(each.names)]
                for asset, group in groupby(due, lambda cell: cell.asset):
                    some = list(group)
                    with ledger.claims(self.catalogue, asset, [c.checksum for c in some]) as mine:
                        free = [cell for cell in some if cell.checksum in mine.checksums]
                        moved.busy += len(some) - len(free)
                        list(workers.map(lambda cell: self._copy(cell, moved, on_bytes), free))
                if self.goal is not None:
                    self.source.trim(self.room_bytes, idle_s=0.0)
        return moved

    def _copy(self, cell: Cell, moved: Moved, on_bytes: OnBytes) -> None:
        """Copy the files of one result, and write down what they are."""
        made: list[MadeFile] = []
        for name in cell.names:
            try:
                made.append(self._fetch(name))
            except StoreError:
                raise
            except (OSError, MediaError) as error:
                moved.absent[name] = str(error)
        if self.goal is not None:
            self._put(self.goal, cell, made)
        for each in made:
            on_bytes(each.size_bytes)
        moved.files += len(made)
        moved.size_bytes += sum(each.size_bytes for each in made)

    def _fetch(self, name: str) -> MadeFile:
        """Have a file on this machine, and know that it is the right one."""
        self.source.bring(name)
        try:
            made = measure(self.source.root, name)
        except MediaError:
            raise FileNotFoundError("it is not there") from None
        with self.catalogue.transaction() as connection:
            known = [row["blake3"] for row in queries.known(connection, names=[name])]
        if known and made.blake3 not in known:
            raise DamagedError("it is not what its result says")
        return made

    def _put(self, goal: Copies, cell: Cell, made: Sequence[MadeFile]) -> None:
        files = {each: self.source.root / each.name for each in made}
        goal.put(cell.checksum, cell.asset, files)
        with self.catalogue.transaction() as connection:
            artifact_digests.add(connection, cell.checksum, cell.asset, made)
        if find_wrong(goal, cell.names):
            goal.put(cell.checksum, cell.asset, files)
            verify(goal, cell.names)

    def _left(self, cells: Sequence[Cell]) -> set[str]:
        names = [name for cell in cells for name in cell.names]
        if self.goal is None:  # each is read again; what is right is not fetched again
            return set(names)
        with self.catalogue.transaction() as connection:
            store = self.goal.objects.name
            there = {row["name"] for row in queries.verified(connection, store=store, names=names)}
        return set(names) - there

    def _sizes(self, names: Sequence[str]) -> dict[str, int]:
        found = self.source.shelf.find(names) if self.source.shelf else {}
        sizes = {name: kept.made.size_bytes for name, kept in found.items()}
        for name in set(names) - set(sizes):
            path = self.source.root / name
            sizes[name] = path.stat().st_size if path.is_file() else 0
        return sizes

    def names(self) -> Iterator[list[str]]:
        """List the files that results name, some at a time."""
        for cells in self._chunks():
            yield [name for cell in cells for name in cell.names]

    def _chunks(self) -> Iterator[list[Cell]]:
        after = ("", "")
        while cells := self._cells(*after):
            yield self._free_to_go(cells)
            after = (cells[-1].asset, cells[-1].checksum)

    def _free_to_go(self, cells: Sequence[Cell]) -> list[Cell]:
        kept = self.goal.kept_here([cell.checksum for cell in cells]) if self.goal else ()
        return [cell for cell in cells if cell.checksum not in kept]

    def _cells(self, asset: str, checksum: str) -> list[Cell]:
        with self.catalogue.transaction() as connection:
            rows = queries.cells(
                connection, after_asset=asset, after_checksum=checksum, at_most=CELLS_AT_ONCE
            )
            return [Cell(r["asset"], r["file_checksum"], tuple(r["names"])) for r in rows]


def verify(goal: Copies, names: Sequence[str]) -> None:
    """Read back what was put into a store; raises StoreError if some of it is not right."""
    if wrong := find_wrong(goal, names):
        name = goal.objects.name
        raise StoreError(f"{name} did not keep what was put there: {len(wrong)} files are wrong")


def find_wrong(goal: Copies, names: Sequence[str]) -> list[str]:
    """Read back what was put into a store, note what is right, and give the keys of what is not.

    What is not right is put there again by whoever puts it there next.
    """
    store, wrong = goal.objects.name, list[str]()
    with goal.catalogue.transaction() as connection:
        rows = list(queries.unverified(connection, store=store, names=list(names)))
    for row in rows:
        made = MadeFile(row["name"], row["size_bytes"], row["blake3"])
        try:
            for _ in checked(goal.objects.read(row["key"]), made):
                pass
        except (DamagedError, NoObjectError):
            wrong.append(row["key"])
            goal.lose(row["key"])
            continue
        with goal.catalogue.transaction() as connection:
            queries.verify(connection, store=store, key=row["key"])
    return wrong
