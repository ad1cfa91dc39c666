"""An owner's catalogue, copied from one database into another.

Chunk by chunk, each in one transaction: whatever ends it, the next call compares, and goes on with
what is not the same yet. The source is seen as it was at one moment.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql
from psycopg import sql

from video_assets.storage import projection
from video_assets.storage.chunk import Compared, Tally, tallies
from video_assets.storage.connecting import Connection
from video_assets.storage.copied_tables import (
    BY_CLIP,
    CLIPS,
    LAST,
    LEDGER,
    MERGED,
    OWNED,
    PROJECTED,
    Table,
)
from video_assets.storage.copy_terms import Terms, agree
from video_assets.storage.locations import HOST
from video_assets.storage.postgres import Postgres
from video_assets.storage.row_copies import Copier
from video_assets.storage.row_digests import WRITTEN_ALIKE, Reader, Scope

CLIPS_PER_CHUNK = 200  # a remote database answers some dozens of statements for each chunk

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Side:
    """A catalogue, and an owner in it."""

    catalogue: Postgres
    owner: UUID


@dataclass
class Found:
    """How the catalogues of both compare.

    new         clips that the target lacks
    outdated    clips that the target lacks or has otherwise, and that are to be as at the source
    ahead       clips of which the target says something newer
    twins       clips whose content the target has as another clip of this owner
    only_there  clips of the owner at the target that the source does not have
    """

    clips: int = 0
    new: int = 0
    outdated: int = 0
    ahead: int = 0
    twins: int = 0
    only_there: int = 0
    tables: dict[str, Tally] = field(default_factory=tallies)

    def add(self, compared: Compared) -> None:
        """Count a chunk."""
        self.clips += len(compared.contents)
        self.new += len(compared.new)
        self.outdated += len(compared.outdated)
        self.ahead += len(compared.ahead - set(compared.new))
        self.twins += len(compared.twins)
        compared.tally(self.tables)

    @property
    def unequal(self) -> list[str]:
        """The tables in which the target lacks something, or has it otherwise."""
        return [name for name, tally in self.tables.items() if not tally.is_equal]


@dataclass(frozen=True)
class Copy:
    """An owner's catalogue at the source as it was when this began, and where it goes.

    is_back  whether it comes back to the machine on which the files lie
    """

    source: Connection
    from_owner: UUID
    target: Postgres
    to_owner: UUID
    terms: Terms
    chunks: Sequence[Mapping[UUID, str]]
    is_back: bool

    @property
    def clips(self) -> int:
        """How many clips the owner has at the source."""
        return sum(map(len, self.chunks))

    def compare(self, on_clips: Callable[[int], None]) -> Found:
        """Compare both catalogues as they are now."""
        found = Found()
        with self.target.snapshot() as target:
            target.execute(WRITTEN_ALIKE)
            for chunk in self.chunks:
                found.add(self._compare(target, chunk))
                on_clips(len(chunk))
            found.add(self._read(target, (*OWNED, *LAST), {}))
            there = queries.count(target, owner=self.to_owner)
        found.only_there = there - (found.clips - found.new)
        return found

    def run(self, on_clips: Callable[[int], None]) -> None:
        """Copy what the target lacks or has older."""
        self._prepare()
        self._copy_owned(OWNED)
        for chunk in self.chunks:
            with self._writing() as target:
                self._copy_clips(target, chunk)
            on_clips(len(chunk))
        self._copy_owned(LAST)
        with self.target.transaction() as target:
            queries.follow_space(target)

    def _prepare(self) -> None:
        """Decide at an empty target what is decided at the source, and make room for vectors."""
        with self.target.transaction() as target:
            queries.decide_algorithm(target, algorithm=self.terms.algorithm)
        for model in self.terms.spaces.values():
            with self.target.transaction() as target:  # each at a time of its own: later is next
                queries.space_of(target, model=model)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self.target.transaction() as target:
            target.execute(WRITTEN_ALIKE)
            queries.is_copy(target)
            yield target

    def _copy_owned(self, tables: Sequence[Table]) -> None:
        with self._writing() as target:
            compared = self._read(target, tables, {})
            for table in tables:
                if compared.lacks(table):
                    self._copier(target).merge(table, Scope(self.from_owner))

    def _copy_clips(self, target: Connection, chunk: Mapping[UUID, str]) -> None:
        if not self._compare(target, chunk).is_to_copy:
            return
        list(queries.lock(target, contents=list(chunk.values())))
        compared = self._compare(target, chunk)
        copier, outdated = self._copier(target), compared.outdated
        scope = Scope(self.from_owner, compared.own, list(chunk.values()))
        changed = copier.merge(LEDGER, scope)
        if outdated:
            part = Scope(self.from_owner, outdated)
            copier.merge(CLIPS, part)
            for table in PROJECTED:
                copier.replace(table, part)
        for table in MERGED:
            if compared.lacks(table):
                copier.merge(table, scope)
        self._project(target, compared, changed)

    def _project(
        self, target: Connection, compared: Compared, changed: Sequence[tuple[Any, ...]]
    ) -> None:
        """Let everybody at the target have what was found who has not got it with the clip."""
        ahead, new = compared.ahead, set(compared.new)
        for clip in sorted(ahead & new):
            projection.project_clip(target, compared.contents[clip], self.to_owner)
        assets: dict[str, list[str]] = {}
        for content, asset in changed:
            assets.setdefault(content, []).append(asset)
        done = set(compared.outdated)
        for row in list(queries.having(target, contents=list(assets))):
            for asset in projection.ordered(assets[row["file_checksum"]]):
                if row["id"] not in done:
                    projection.project(target, asset, row["file_checksum"], row["user_id"])
        if ahead - new:
            queries.describe(target, clips=sorted(ahead - new))

    def _compare(self, target: Connection, chunk: Mapping[UUID, str]) -> Compared:
        return self._read(target, (LEDGER, *BY_CLIP), chunk)

    def _read(
        self, target: Connection, tables: Sequence[Table], chunk: Mapping[UUID, str]
    ) -> Compared:
        contents = list(chunk.values())
        having = queries.having(target, contents=contents)
        others = {row["file_checksum"] for row in having if self._is_twin(row, chunk)}
        twins = frozenset(clip for clip, content in chunk.items() if content in others)
        scopes = [Scope(owner, list(chunk), contents) for owner in (self.from_owner, self.to_owner)]
        source, target_rows = (
            {table: reader.rows(table, scope) for table in tables}
            for reader, scope in zip(self._readers(target), scopes, strict=True)
        )
        return Compared(chunk, twins, source, target_rows)

    def _is_twin(self, row: Mapping[str, Any], chunk: Mapping[UUID, str]) -> bool:
        return row["user_id"] == self.to_owner and row["id"] not in chunk

    def _readers(self, target: Connection) -> tuple[Reader, Reader]:
        columns = self.terms.columns
        return (
            Reader(self.source, columns, list(self.terms.spaces)),
            Reader(target, columns, list(self._spaces(target).values()), self._decided),
        )

    def _copier(self, target: Connection) -> Copier:
        return Copier(
            self.source,
            target,
            self.terms.columns,
            self.to_owner,
            self._spaces(target),
            self._decided,
        )

    def _spaces(self, target: Connection) -> dict[int, int]:
        """The number of each model's vectors at the source, and at the target if it has one."""
        models = list(self.terms.spaces.values())
        there = {row["model"]: row["id"] for row in queries.spaces(target, models=models)}
        return {
            number: there[model] for number, model in self.terms.spaces.items() if model in there
        }

    @property
    def _decided(self) -> sql.Composed:
        """Which places the source knows about: the machine on which they are is asked."""
        return sql.SQL("host <> {}" if self.is_back else "host = {}").format(HOST)


@contextmanager
def open_copy(source: Side, target: Side, *, is_back: bool) -> Iterator[Copy]:
    """Look whether the one catalogue can take the other's; raises CatalogueError."""
    with source.catalogue.snapshot() as connection:
        connection.execute(WRITTEN_ALIKE)
        clips = [
            (row["id"], row["file_checksum"])
            for row in queries.clips(connection, owner=source.owner)
        ]
        with target.catalogue.transaction() as there:
            terms = agree(connection, there, from_owner=source.owner, to_owner=target.owner)
        chunks = [
            dict(clips[start : start + CLIPS_PER_CHUNK])
            for start in range(0, len(clips), CLIPS_PER_CHUNK)
        ]
        yield Copy(
            connection, source.owner, target.catalogue, target.owner, terms, chunks, is_back=is_back
        )
