"""One owner's catalogue as a table: rows of clips, scenes, transcripts or analyses, streamed."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import psycopg

from video_assets.storage.named_queries import Answer, load, table
from video_assets.storage.way_in import WayIn

TableName = Literal["clips", "scenes", "transcripts", "analyses"]
CLIPS_AT_ONCE = 250  # whose transcripts may be long

_queries: Any = load(Path(__file__))


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
    catalogue: WayIn,
    owner: UUID,
    rows_of: TableName,
    *,
    checksums: Sequence[str] | None = None,
    run_id: str | None = None,
) -> Iterator[Rows]:
    """Open the rows of a table in a fixed order: of some clips, of a run, or of all."""
    query = getattr(_queries, rows_of)
    whose = {"checksums": None if checksums is None else list(checksums), "run_id": run_id}
    with catalogue.transaction(owner) as connection:
        clips = [row["id"] for row in _queries.clips_in_order(connection, **whose)]
        first = table(connection, query, clips=clips[:CLIPS_AT_ONCE])
        yield Rows(_columns(first), _batches(connection, query, first, clips[CLIPS_AT_ONCE:]))


def _columns(answer: Answer) -> list[Column]:
    types = psycopg.adapters.types
    found: list[Column] = []
    for column, oid in answer.columns.items():
        info = types.get(oid)
        name = info.name if info else "text"
        is_list = info is not None and oid == info.array_oid
        found.append(Column(column, f"_{name}" if is_list else name))
    return found


def _batches(
    connection: Any, query: Any, first: Answer, clips: Sequence[UUID]
) -> Generator[list[tuple[Any, ...]], None, None]:
    """Yield rows that are at hand, then those of the other clips.

    A clip that is removed meanwhile is left out, and none is told of twice or passed over.
    """
    rows = first.rows
    for begin in range(0, len(clips) + CLIPS_AT_ONCE, CLIPS_AT_ONCE):
        if rows:
            yield [tuple(row.values()) for row in rows]
        block = clips[begin : begin + CLIPS_AT_ONCE]
        rows = list(query(connection, clips=block)) if block else []
