"""Rows of a catalogue by their digests, so that two catalogues can be compared without moving them.

A digest covers all that a row says, but whose it is and which numbers its catalogue has for things:
the rows of one owner here and of another there have the same digests if they say the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import sql
from psycopg.rows import tuple_row

from video_assets.storage.copied_tables import LEDGER, OWNER, REPORTED, SPACE, Table

# How values are written, which is what is digested.
WRITTEN_ALIKE = """SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true),
                          set_config('bytea_output', 'hex', true),
                          set_config('extra_float_digits', '1', true)"""

Columns = Mapping[str, Mapping[str, str]]
"""Of each table the columns that are not computed, and their types."""

_COLUMNS = """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
                FROM pg_class AS c
                JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
               WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                 AND NOT a.attisdropped AND a.attgenerated = ''
               ORDER BY c.relname, a.attnum"""


class Row(NamedTuple):
    """One row, by a digest of its key among the rows of its clip.

    newer    greater in the row that was written later
    decided  whether it is to go where the other catalogue does not have it
    """

    digest: int
    newer: list[Any] | None
    decided: bool


Rows = dict[Any, dict[int, Row]]
"""What a row is about (its clip, its content, or nothing) -> its key -> the row."""


@dataclass(frozen=True)
class Scope:
    """Some clips of an owner, and their contents; without clips, what is the owner's as such."""

    owner: UUID
    clips: Sequence[UUID] = ()
    contents: Sequence[str] = ()

    def of(self, table: Table) -> sql.Composed:
        """The rows of a table that belong to it, as a condition."""
        if table is LEDGER:
            return sql.SQL("file_checksum = ANY({})").format(list(self.contents))
        mine = sql.SQL("user_id = {} AND ({})").format(self.owner, _written(table.only))
        if table.clip is None:
            return mine
        clip = sql.Identifier(table.clip)
        return sql.SQL("{} AND {} = ANY({})").format(mine, clip, list(self.clips))


@dataclass(frozen=True)
class Reader:
    """Reads digests of the rows of one catalogue.

    spaces   the numbers of the models whose vectors are compared; those of others are passed over
    decided  of rows about places, which of them the other catalogue decides about, in SQL
    """

    connection: Any
    columns: Columns
    spaces: Sequence[int]
    decided: sql.Composed = field(default_factory=lambda: sql.SQL("{}").format(False))

    def rows(self, table: Table, scope: Scope) -> Rows:
        """Read the digests of a table's rows."""
        found: Rows = {}
        with self.connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(self._query(table, scope))
            for about, key, *row in cursor:
                found.setdefault(about, {})[key] = Row(*row)
        return found

    def _query(self, table: Table, scope: Scope) -> sql.Composed:
        about = "file_checksum" if table is LEDGER else table.clip
        compared = [name for name in self.columns[table.name] if name not in (OWNER, REPORTED)]
        return sql.SQL("SELECT {}, {}, {}, {}, {} FROM {} AS t WHERE {}").format(
            sql.Identifier(about) if about else sql.NULL,
            _digest(table.key),
            _digest(compared),
            newer(table, "t"),
            self.decided if table.host else sql.SQL("{}").format(False),
            sql.Identifier("public", table.name),
            of_spaces(table, scope.of(table), self.columns, self.spaces),
        )


def columns_of(connection: Any) -> Columns:
    """Read which columns the tables have."""
    found: dict[str, dict[str, str]] = {}
    with connection.cursor(row_factory=tuple_row) as cursor:
        for table, column, kind in cursor.execute(_COLUMNS):
            found.setdefault(table, {})[column] = kind
    return found


def of_spaces(
    table: Table, condition: sql.Composed, columns: Columns, spaces: Sequence[int]
) -> sql.Composed:
    """Restrict rows to the vectors of some models, where they are vectors."""
    if SPACE not in columns[table.name]:
        return condition
    return sql.SQL("{} AND space = ANY({}::smallint[])").format(condition, list(spaces))


def newer(table: Table, row: str) -> sql.Composed:
    """What is greater in the row of a table that was written later."""
    return _written(table.newer or "NULL::numeric[]").format(row=sql.Identifier(row))


def _digest(columns: Sequence[str]) -> sql.Composed:
    """64 bits of the SHA-256 of some columns as they are written."""
    return sql.SQL(
        "('x' || left(encode(sha256(convert_to(ROW({})::text, 'UTF8')), 'hex'), 16))::bit(64)::int8"
    ).format(sql.SQL(", ").join(map(_compared, columns)))


def _compared(column: str) -> sql.Composable:
    if column == SPACE:  # by the model's name
        return sql.SQL("(SELECT s.model FROM embedding_spaces AS s WHERE s.id = space)")
    return sql.Identifier(column)


def _written(text: str) -> sql.SQL:
    return sql.SQL(text)  # pyright: ignore[reportArgumentType]  constants of copied_tables
