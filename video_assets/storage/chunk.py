"""Some clips of an owner in two catalogues: how they differ, and which of both is ahead."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from video_assets.storage.copied_tables import (
    ALL,
    CLIPS,
    LEDGER,
    MERGED,
    PROJECTED,
    SAID,
    Table,
)
from video_assets.storage.row_digests import Row, Rows


@dataclass
class Tally:
    """Rows of a table that were compared, and the sums of their digests.

    kept  rows of the target that are newer there, and were neither compared nor overwritten
    """

    source: int = 0
    target: int = 0
    source_digest: int = 0
    target_digest: int = 0
    kept: int = 0

    @property
    def is_equal(self) -> bool:
        """Whether both say the same."""
        mine = (self.source, self.source_digest)
        return mine == (self.target, self.target_digest)

    def add(self, source: Row | None, target: Row | None) -> None:
        """Count one row, as either side has it."""
        if source is not None and target is not None and is_newer(target, source):
            self.kept += 1
            return
        if source is not None:
            self.source += 1
            self.source_digest = (self.source_digest + source.digest) % 2**64
        if target is not None:
            self.target += 1
            self.target_digest = (self.target_digest + target.digest) % 2**64


def is_newer(row: Row, than: Row) -> bool:
    """Tell whether a row says something else, and was written later."""
    return (
        row.digest != than.digest
        and row.newer is not None
        and than.newer is not None
        and row.newer > than.newer
    )


@dataclass(frozen=True)
class Compared:
    """The rows of some clips at the source and at the target, and what is to be done about them.

    contents  clip -> its content
    twins     clips whose content the owner has at the target as another clip, which stays
    """

    contents: Mapping[UUID, str]
    twins: frozenset[UUID]
    source: Mapping[Table, Rows]
    target: Mapping[Table, Rows]

    @cached_property
    def own(self) -> list[UUID]:
        """The clips that go under their own ids."""
        return [clip for clip in self.contents if clip not in self.twins]

    @property
    def is_to_copy(self) -> bool:
        """Whether anything is to be copied."""
        return bool(self.outdated or any(self.lacks(table) for table in (LEDGER, *MERGED)))

    @cached_property
    def new(self) -> list[UUID]:
        """Clips that the target does not have."""
        return [clip for clip in self.own if clip not in self.target[CLIPS]]

    @cached_property
    def ahead(self) -> set[UUID]:
        """Clips of which the target says something newer or more: they stay as they are there."""
        return {clip for clip in self.own if self._is_ahead(clip)}

    @cached_property
    def outdated(self) -> list[UUID]:
        """Clips that are to be as they are at the source."""
        new, ahead = set(self.new), self.ahead
        return [
            clip for clip in self.own if clip in new or (clip not in ahead and self._differs(clip))
        ]

    def lacks(self, table: Table) -> bool:
        """Tell whether the target lacks a row, has an older one, or one that is to go."""
        return any(
            _is_due(source, target)
            for about in self._subjects(table)
            for source, target in self._pairs(table, about)
        )

    def tally(self, tallies: Mapping[str, Tally]) -> None:
        """Count the rows that have to be the same."""
        ahead = self.ahead
        for table in self.source:
            for about in self._subjects(table):
                for row in self._pairs(table, about):
                    self._add(tallies[table.name], table, row, is_ahead=about in ahead)

    def _add(
        self, tally: Tally, table: Table, row: tuple[Row | None, Row | None], *, is_ahead: bool
    ) -> None:
        source, target = row
        if is_ahead and table in (CLIPS, *PROJECTED):
            tally.kept += source is not None
        elif source is not None or table in (CLIPS, *PROJECTED) or (target and target.decided):
            tally.add(source, target)

    def _subjects(self, table: Table) -> Iterable[Any]:
        """What the rows of a table are about."""
        if table is LEDGER:
            return set(self.contents.values())
        return [None] if table.clip is None else self.own

    def _pairs(self, table: Table, about: Any) -> Iterator[tuple[Row | None, Row | None]]:
        source, target = (side[table].get(about, {}) for side in (self.source, self.target))
        for key in source.keys() | target.keys():
            yield source.get(key), target.get(key)

    def _is_ahead(self, clip: UUID) -> bool:
        content = self.contents[clip]
        return (
            self._has_newer(CLIPS, clip)
            or any(self._has_newer(table, clip, or_more=True) for table in SAID)
            or self._has_newer(LEDGER, content, or_more=True)
        )

    def _has_newer(self, table: Table, about: Any, *, or_more: bool = False) -> bool:
        return any(
            target is not None and (or_more if source is None else is_newer(target, source))
            for source, target in self._pairs(table, about)
        )

    def _differs(self, clip: UUID) -> bool:
        return any(
            _digests(self.source[table], clip) != _digests(self.target[table], clip)
            for table in (CLIPS, *PROJECTED)
        )


def _is_due(source: Row | None, target: Row | None) -> bool:
    if source is None:
        return target is not None and target.decided
    return target is None or (source.digest != target.digest and not is_newer(target, source))


def _digests(rows: Rows, clip: UUID) -> dict[int, int]:
    return {key: row.digest for key, row in rows.get(clip, {}).items()}


def tallies() -> dict[str, Tally]:
    """Begin to count, by the names of the tables."""
    return {table.name: Tally() for table in ALL}
