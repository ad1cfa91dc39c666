"""Queries by their names in a file: sent as SQL, or asked by name of a catalogue that has them.

With a connection of psycopg a query is what aiosql makes of it. With one of an API, which takes no
SQL from anybody, its name and parameters are sent, and the catalogue runs the same text
(readings.py deploys it).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import aiosql
from aiosql.adapters.pyformat import PyFormatAdapter

_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE)\b")


@dataclass(frozen=True)
class Question:
    """A query by its deployed name, with its parameters.

    changes  whether it may change something, so that asking twice is not the same as once
    """

    query: str
    parameters: Mapping[str, Any]
    changes: bool


@dataclass(frozen=True)
class Answer:
    """What a query gave: the rows, or how many rows it changed.

    columns  name to the number that Postgres has for the type
    """

    columns: Mapping[str, int]
    rows: Sequence[dict[str, Any]]
    affected: int


@runtime_checkable
class Asker(Protocol):
    """A connection that answers questions: all that are asked at once, in one transaction."""

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Answer each."""
        ...


def load(path: Path) -> Any:
    """Load the queries of the .sql file beside a module, for connections of both kinds."""
    return aiosql.from_path(path.with_suffix(".sql"), partial(_Adapter, path.stem))


def deployed_name(stem: str, query: str) -> str:
    """Name the function of a catalogue that runs a query of a file."""
    return f"{stem}_{query}"


def together(connection: Any, *queries: Callable[[Any], Any]) -> list[Any]:
    """Run queries in their order within one transaction, which an API takes in one request.

    queries  each a query that lacks but its connection, such as partial(queries.clip, clip_id=id)
    """
    if not isinstance(connection, Asker):
        return [_whole(query(connection)) for query in queries]
    asked = _Together()
    shapes = [query(asked) for query in queries]
    answers = connection.ask(asked.questions)
    return [shape(answer) for shape, answer in zip(shapes, answers, strict=True)]


def table(connection: Any, query: Any, **parameters: Any) -> Answer:
    """Run a query that reads, and give its rows with what is known of their columns."""
    if isinstance(connection, Asker):
        asked = _Together()
        query(asked, **parameters)
        return connection.ask(asked.questions)[0]
    cursor = connection.execute(query.sql.encode(), parameters)
    columns = {column.name: column.type_code for column in cursor.description}
    return Answer(columns, cursor.fetchall(), cursor.rowcount)


class _Together:
    """Stands for a connection while questions are gathered."""

    def __init__(self) -> None:
        self.questions: list[Question] = []


class _Adapter(PyFormatAdapter):
    """Runs the queries of one file."""

    def __init__(self, stem: str) -> None:
        super().__init__()
        self._stem = stem

    def select(
        self, conn: Any, query_name: str, sql: str, parameters: Any, record_class: Any = None
    ) -> Any:
        """Give all rows."""
        return self._run(super().select, _rows, conn, query_name, sql, parameters)

    def select_one(
        self, conn: Any, query_name: str, sql: str, parameters: Any, record_class: Any = None
    ) -> Any:
        """Give the first row, or None."""
        return self._run(super().select_one, _first, conn, query_name, sql, parameters)

    def select_value(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        """Give the first value of the first row, or None."""
        return self._run(super().select_value, _value, conn, query_name, sql, parameters)

    def insert_update_delete(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        """Give the number of changed rows."""
        return self._run(super().insert_update_delete, _count, conn, query_name, sql, parameters)

    def _run(
        self,
        send: Callable[..., Any],
        shape: Callable[[Answer], Any],
        conn: Any,
        name: str,
        sql: str,
        parameters: Any,
    ) -> Any:
        question = Question(
            deployed_name(self._stem, name), parameters or {}, bool(_WRITES.search(sql))
        )
        if isinstance(conn, _Together):
            conn.questions.append(question)
            return shape
        if isinstance(conn, Asker):
            return shape(conn.ask([question])[0])
        return send(conn, name, sql, parameters)


def _whole(found: Any) -> Any:
    return list(found) if isinstance(found, Iterator) else found


def _rows(answer: Answer) -> Sequence[dict[str, Any]]:
    return answer.rows


def _first(answer: Answer) -> dict[str, Any] | None:
    return answer.rows[0] if answer.rows else None


def _value(answer: Answer) -> Any:
    return next(iter(answer.rows[0].values()), None) if answer.rows else None


def _count(answer: Answer) -> int:
    return answer.affected
