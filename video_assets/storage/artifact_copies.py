"""Copies: which files of the artifact store lie in an object store, under which keys, and for whom.

A key is the file's name with the beginning of its digest, so that other bytes have another key: a
result that is made anew leaves the files of the old one alone until it is saved. Where owners read
by themselves, it begins with the owner's id, and each of them has a copy: one object for all would
tell by its date that somebody had the content before.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql

from video_assets.storage import ledger
from video_assets.storage.artifact_digests import MadeFile, measure, named_in
from video_assets.storage.local_only import find_local_only
from video_assets.storage.objects import Objects, Upload
from video_assets.storage.postgres import Postgres

AT_ONCE = 4
SHARED_AT_ONCE = 1_000

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Kept:
    """What a file must be, and under which key it lies; None: nowhere in this store."""

    made: MadeFile
    key: str | None


@dataclass(frozen=True)
class Copies:
    """The copies in one object store.

    local_only  folders of whose clips nothing is put there
    """

    catalogue: Postgres
    objects: Objects
    local_only: tuple[Path, ...] = ()

    def publish(self, root: Path, checksum: str, asset: str, document: Any) -> tuple[MadeFile, ...]:
        """Put what a result names into the store, for every owner of the content.

        To be called before the result is saved, which then never names what is not there.

        Raises StoreError.
        """
        made = tuple(measure(root, name) for name in named_in(document, checksum, asset))
        self.put(checksum, asset, {each: root / each.name for each in made})
        return made

    def put(self, checksum: str, asset: str, files: dict[MadeFile, Path]) -> None:
        """Put files of one cell into the store, for every owner of the content."""
        if self.kept_here([checksum]):
            return
        owners = self._owners(checksum)
        if not owners or not files:
            return
        first, *others = owners
        self._fill(checksum, asset, [(each, first) for each in files], self._upload(files))
        for owner in others:
            taken = self._copying({each: each.key(first) for each in files})
            self._fill(checksum, asset, [(each, owner) for each in files], taken)

    def kept_here(self, checksums: Sequence[str]) -> frozenset[str]:
        """Find the contents of which nothing may leave this machine."""
        return find_local_only(self.catalogue, checksums, self.local_only)

    def share(self, checksums: Sequence[str] | None = None) -> int:
        """Give owners their copies who came to a content after its files were made.

        checksums  of which contents; None: of all
        """
        shared = 0
        while self.objects.is_by_owner and (rows := self._unshared(checksums)):
            for (checksum, asset, owner), group in groupby(rows, _cell_and_owner):
                sources = {_made(row): row["source"] for row in group}
                wanted = [(each, owner) for each in sources]
                self._fill(checksum, asset, wanted, self._copying(sources))
                shared += len(wanted)
        return shared

    def find(self, names: Sequence[str], owner: UUID | None = None) -> dict[str, Kept]:
        """Say what files must be, and where they lie; what was never put into a store is absent.

        owner  whose copies count; None: whoever's, for who tells nobody which
        """
        with self.catalogue.transaction() as connection:
            store = self.objects.name
            rows = queries.find(connection, store=store, names=list(names), owner=owner)
            return {row["name"]: Kept(_made(row), row["key"]) for row in rows}

    def lose(self, key: str) -> None:
        """Take note that the store does not have what it should: it is put there again."""
        with self.catalogue.transaction() as connection:
            queries.lose(connection, store=self.objects.name, keys=[key])

    def is_in_hand(self, made: MadeFile) -> bool:
        """Whether somebody makes this file anew."""
        return bool(ledger.in_hand(self.catalogue, [made.asset], [made.checksum]))

    def in_hand(self, checksums: Sequence[str]) -> set[str]:
        """Find the contents of which anything is being made."""
        with self.catalogue.transaction() as connection:
            assets = [row["asset"] for row in queries.assets(connection)]
        return ledger.in_hand(self.catalogue, assets, checksums)

    def _owners(self, checksum: str) -> list[UUID | None]:
        if not self.objects.is_by_owner:
            return [None]
        with self.catalogue.transaction() as connection:
            return [row["user_id"] for row in queries.owners(connection, checksum=checksum)]

    def _unshared(self, checksums: Sequence[str] | None) -> list[dict[str, Any]]:
        asked = {"checksums": None if checksums is None else list(checksums)}
        with self.catalogue.transaction() as connection:
            store = self.objects.name
            return list(queries.unshared(connection, store=store, at_most=SHARED_AT_ONCE, **asked))

    def _fill(
        self,
        checksum: str,
        asset: str,
        wanted: Sequence[tuple[MadeFile, UUID | None]],
        fill: Callable[[MadeFile, str, str | None], None],
    ) -> None:
        """Fill keys with what belongs there: written down before and after."""
        keys = {made.key(owner): made for made, owner in wanted}
        with self.catalogue.transaction() as connection:
            rows = queries.begin(
                connection,
                store=self.objects.name,
                checksum=checksum,
                asset=asset,
                keys=list(keys),
                owners=[owner for _, owner in wanted],
                names=[made.name for made, _ in wanted],
                sizes=[made.size_bytes for made, _ in wanted],
                digests=[made.blake3 for made, _ in wanted],
            )
            due = {row["key"]: row["upload_url"] for row in rows if not row["is_done"]}
        with ThreadPoolExecutor(AT_ONCE) as workers:
            list(workers.map(lambda key: fill(keys[key], key, due[key]), due))
        with self.catalogue.transaction() as connection:
            queries.end_(connection, store=self.objects.name, keys=list(due))

    def _upload(self, files: dict[MadeFile, Path]) -> Callable[[MadeFile, str, str | None], None]:
        def upload(made: MadeFile, key: str, begun: str | None) -> None:
            self.objects.put(key, files[made], Upload(begun, partial(self._note, key)))

        return upload

    def _copying(self, sources: dict[MadeFile, str]) -> Callable[[MadeFile, str, str | None], None]:
        return lambda made, key, _: self.objects.copy(sources[made], key)

    def _note(self, key: str, address: str) -> None:
        with self.catalogue.transaction() as connection:
            store = self.objects.name
            queries.note_upload(connection, store=store, key=key, upload_url=address)


def _made(row: dict[str, Any]) -> MadeFile:
    return MadeFile(row["name"], row["size_bytes"], row["blake3"])


def _cell_and_owner(row: dict[str, Any]) -> tuple[str, str, UUID]:
    return row["file_checksum"], row["asset"], row["user_id"]
