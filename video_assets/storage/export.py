"""One owner's catalogue as a table: rows of clips, scenes, transcripts or analyses, streamed."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import aiosql
import psycopg
from psycopg.rows import tuple_row

from video_assets.storage.postgres import Connection, Postgres

TableName = Literal["clips", "scenes", "transcripts", "analyses"]
ROWS_AT_ONCE = 1000

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Column:
    """What a column is called, and what Postgres calls its type."""

    name: str
    kind: str


@dataclass(frozen=True)
class Rows:
    """The columns of a table, and its rows, some at a time."""

    columns: list[Column]
    batches: Generator[list[tuple[Any, ...]], None, None]


@contextmanager
def open_rows(
    catalogue: Postgres,
    owner: UUID,
    table: TableName,
    *,
    checksums: Sequence[str] | None = None,
    run_id: str | None = None,
) -> Iterator[Rows]:
    """Open the rows of a table in a fixed order: of some clips, of a run, or of all."""
    statement = getattr(_queries, table).sql
    whose = {"checksums": None if checksums is None else list(checksums), "run_id": run_id}
    with (
        catalogue.transaction(owner) as connection,
        connection.cursor("export", row_factory=tuple_row) as cursor,
    ):
        cursor.execute(statement.encode(), whose)
        yield Rows(_columns(connection, cursor), _batches(cursor))


def _columns(connection: Connection, cursor: psycopg.ServerCursor[Any]) -> list[Column]:
    types = connection.adapters.types
    found: list[Column] = []
    for column in cursor.description or ():
        info = types.get(column.type_code)
        name = info.name if info else "text"
        is_list = info is not None and column.type_code == info.array_oid
        found.append(Column(column.name, f"_{name}" if is_list else name))
    return found


def _batches(
    cursor: psycopg.ServerCursor[Any],
) -> Generator[list[tuple[Any, ...]], None, None]:
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield rows
