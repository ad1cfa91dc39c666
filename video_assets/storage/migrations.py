"""Brings a database to the schema of this release; the same files go through the Supabase CLI."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosql
import psycopg
from psycopg.rows import tuple_row

from video_assets.storage.connecting import connect

WAIT_S = 30.0
LOCK = 7_264_001_953_126_408_311  # any number, the same in every release

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")
# What may hold a semicolon that ends nothing, or the semicolon that does.
_TOKEN = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|;", re.DOTALL
)

_LEAD = re.compile(r"\A(?:\s+|--[^\n]*|/\*.*?\*/)+", re.DOTALL)


class MigrationError(RuntimeError):
    """A file that the database refused; nothing of it was kept."""


@dataclass(frozen=True)
class Migration:
    """One file, and what tells that the database has seen it."""

    file: Path
    version: str  # the 14 digits; for a file of sql/embedded its name and digest
    name: str
    is_embedded: bool

    @property
    def key(self) -> tuple[bool, str]:
        """What `pending` compares."""
        return self.is_embedded, self.version


@dataclass(frozen=True)
class Statement:
    """One statement with the comments before it, and the line of its file on which it starts."""

    text: str
    line: int


def sql_folder() -> Path:
    """Where the files lie: in the package when installed, at the root of a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "sql"
    return installed if installed.is_dir() else package.parent / "sql"


def all_migrations(*, embedded: bool, folder: Path | None = None) -> list[Migration]:
    """All files in the order in which they are applied."""
    folder = folder or sql_folder()
    main = [_numbered(file) for file in sorted((folder / "migrations").glob("*.sql"))]
    if not embedded:
        return main
    around = [_embedded(file) for file in sorted((folder / "embedded").glob("*.sql"))]
    before = [each for each in around if each.name < "50"]
    return [*before, *main, *(each for each in around if each not in before)]


def pending(
    connection: psycopg.Connection[tuple], *, embedded: bool, folder: Path | None = None
) -> list[Migration]:
    """The files that a database has not seen; one query."""
    try:
        rows = _queries.seen(connection) if embedded else _queries.seen_migrations(connection)
        seen = {tuple(row) for row in rows}
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        seen = set()
    files = all_migrations(embedded=embedded, folder=folder)
    return [each for each in files if each.key not in seen]


def is_touched(connection: psycopg.Connection[tuple]) -> bool:
    """Whether an embedded database was ever migrated."""
    return bool(_queries.has_embedded_history(connection))


def migrate(url: str, *, embedded: bool, folder: Path | None = None) -> list[str]:
    """Apply what is pending, each file in a transaction; gives the names of the files applied.

    Any number of processes may call it at once: one works, the others wait and find it done.
    Raises MigrationError.
    """
    with connect(url, tuple_row, wait_s=WAIT_S) as connection:
        waiting = pending(connection, embedded=embedded, folder=folder)
        if not embedded:
            _queries.make_history(connection)
        return [each.file.name for each in waiting if _apply(connection, each)]


def _apply(connection: psycopg.Connection[tuple], migration: Migration) -> bool:
    statements = list(split(migration.file.read_text(encoding="utf-8")))
    with connection.transaction():
        _queries.lock(connection, key=LOCK)
        if _is_seen(connection, migration):
            return False
        for statement in statements:
            try:
                connection.execute(statement.text.encode())
            except psycopg.Error as error:
                raise MigrationError(_explain(migration.file, statement, error)) from error
        _record(connection, migration, [each.text for each in statements])
    return True


def _is_seen(connection: psycopg.Connection[tuple], migration: Migration) -> bool:
    if migration.is_embedded:
        if not is_touched(connection):
            return False
        return bool(_queries.is_embedded_seen(connection, version=migration.version))
    return bool(_queries.is_migration_seen(connection, version=migration.version))


def _record(
    connection: psycopg.Connection[tuple], migration: Migration, statements: Sequence[str]
) -> None:
    if migration.is_embedded:
        _queries.record_embedded(connection, name=migration.name, version=migration.version)
    else:
        _queries.record_migration(
            connection,
            version=migration.version,
            name=migration.name,
            statements=list(statements),
        )


def _numbered(file: Path) -> Migration:
    found = re.fullmatch(r"(\d{14})_(\w+)\.sql", file.name)
    if found is None:
        raise MigrationError(f"{file}: a migration is named <14 digits>_<name>.sql")
    return Migration(file, found[1], found[2], is_embedded=False)


def _embedded(file: Path) -> Migration:
    # Repeatable files: applied anew whenever their text changes.
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Migration(file, f"{file.name} {digest}", file.name, is_embedded=True)


def split(script: str) -> Iterator[Statement]:
    """The statements of a script, without the semicolons that end them.

    Knows quotes, dollar quotes and comments; not the BEGIN ATOMIC body of a function.
    """
    start = 0
    for token in _TOKEN.finditer(script):
        if token[0] == ";":
            yield from _statement(script, start, token.start())
            start = token.end()
    yield from _statement(script, start, len(script))


def _statement(script: str, start: int, end: int) -> Iterator[Statement]:
    text = script[start:end].lstrip()
    if len(_code(text)) > 0:
        begin = end - len(text)
        yield Statement(text.rstrip(), script.count("\n", 0, begin) + 1)


def _code(text: str) -> str:
    """A statement without the comments before it."""
    return _LEAD.sub("", text, count=1)


def _explain(file: Path, statement: Statement, error: psycopg.Error) -> str:
    code = _code(statement.text)
    position = error.diag.statement_position
    before = int(position) - 1 if position else len(statement.text) - len(code)
    line = statement.line + statement.text.count("\n", 0, before)
    said = error.diag.message_primary or str(error)
    hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
    first_line = code.partition("\n")[0]
    return f"{file.name}, line {line}: {said}{hint}; in the statement that begins {first_line!r}"
