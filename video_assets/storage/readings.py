"""Deployed queries: those of owners as functions of the database, for people who have no password.

PostgREST lets anybody who is signed in call functions. Each query of these files becomes one, made
of the text in the file; `public.ask` runs them by name with the rights of whoever asks. So nobody
sends SQL, and both ways in run the same. This prints the migration that deploys them:

    python -m video_assets.storage.readings > sql/migrations/<14 digits>_readings.sql

A query that was changed is deployed by a new file, as everything is that was released.
"""

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from video_assets.storage import named_queries
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.migrations import migrate

PACKAGE = Path(__file__).parents[1]
ALL: tuple[str, ...] = ()
DEPLOYED: Mapping[str, tuple[str, ...]] = {  # file -> its queries that owners ask
    "storage/analyses.sql": ALL,
    "storage/browse.sql": ALL,
    "storage/costs.sql": ("groups", "whole", "spending", "answers", "pauses"),
    "storage/counts.sql": ALL,
    "storage/descriptions.sql": ALL,
    "storage/erasure.sql": ("places", "forget_clip"),
    "storage/export.sql": ALL,
    "storage/locations.sql": ("known_as",),
    "storage/own_cells.sql": ALL,
    "storage/owners.sql": ("profiles", "clips", "statistics"),
    "storage/pace.sql": ALL,
    "storage/postponed.sql": ("reasons",),
    "storage/run_facts.sql": ALL,
    "storage/run_progress.sql": ALL,
    "storage/runs.sql": ("list_runs",),
    "storage/selection.sql": ALL,
    "search/queries.sql": ALL,
}
TEMPLATE = Path(__file__).with_suffix(".sql")

# Types of Postgres itself, which have the same number everywhere and one way to be written.
_TEXTUAL = (
    *("text", "varchar", "uuid", "json", "jsonb", "bytea"),
    *("int2", "int4", "int8", "float4", "float8", "numeric"),
    *("timestamp", "timestamptz", "date", "interval"),
)
_TYPES = psycopg.adapters.types
_BOOL = _TYPES["bool"].oid
_KNOWN = {_BOOL, *(_TYPES[name].oid for name in _TEXTUAL)}
_KNOWN |= {_TYPES[name].array_oid for name in ("bool", *_TEXTUAL)}
_PARAMETER = re.compile(r"%\((\w+)\)s|%%")

_READS = """\
CREATE FUNCTION readings.{name}({arguments}) RETURNS json
LANGUAGE plpgsql SET search_path = {search_path} AS $function$
DECLARE
    answer json;
BEGIN
    EXECUTE $query$
WITH answer AS (
{statement}
)
SELECT json_agg(array_to_json(ARRAY[
       {cells}]))
  FROM answer
$query$ INTO answer{using};
    RETURN json_build_object('columns', '{columns}'::json, 'rows', coalesce(answer, '[]'));
END
$function$;
"""
_CHANGES = """\
CREATE FUNCTION readings.{name}({arguments}) RETURNS json
LANGUAGE plpgsql SET search_path = {search_path} AS $function$
DECLARE
    affected bigint;
BEGIN
    EXECUTE $query$
{statement}
$query${using};
    GET DIAGNOSTICS affected = ROW_COUNT;
    RETURN json_build_object('affected', affected);
END
$function$;
"""
SEARCH_PATH = "pg_catalog, public, extensions, pg_temp"


class ReadingError(ValueError):
    """A query that cannot be deployed; the text says why."""


@dataclass(frozen=True)
class Reading:
    """A query as the database knows it.

    parameters  name to type
    columns     name to the number of its type; none of a query that only changes something
    """

    name: str
    statement: str
    parameters: dict[str, str]
    columns: dict[str, int]


def migration(connection: psycopg.Connection[Any]) -> str:
    """Write the migration that deploys the queries; asks the database for their types.

    It makes the functions on which they rest to do so, and takes them back.
    """
    cells = named_queries.load(PACKAGE / "storage/ledger.sql").cells.sql
    own = {"plan": "_plan", "checksums": "_own", "states": "_states"}
    text = TEMPLATE.read_text("utf-8").replace(
        "-- CELLS\n", _PARAMETER.sub(lambda name: own[name[1]], cells).strip().rstrip(";") + "\n"
    )
    with connection.transaction(force_rollback=True):
        connection.execute(text.encode())
        functions = [_function(reading) for reading in readings(connection)]
    return text.replace("-- FUNCTIONS\n", "\n".join(functions))


def readings(connection: psycopg.Connection[Any]) -> Iterator[Reading]:
    """Ask the database about every query, in the order of their names."""
    connection.execute(f"SET search_path = {SEARCH_PATH}".encode())
    for name, statement in sorted(_statements()):
        yield _reading(connection, name, statement)


def _statements() -> Iterator[tuple[str, str]]:
    for file, wanted in DEPLOYED.items():
        path = PACKAGE / file
        queries = named_queries.load(path)
        for name in wanted or queries.available_queries:
            if not name.endswith("_cursor"):  # which aiosql makes of every other one
                yield named_queries.deployed_name(path.stem, name), getattr(queries, name).sql


def _reading(connection: psycopg.Connection[Any], name: str, written: str) -> Reading:
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] is None:
            return "%"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    statement = _PARAMETER.sub(number, written).strip().removesuffix(";")
    told = connection.pgconn.prepare(name.encode(), statement.encode())
    if told.error_message:
        raise ReadingError(f"{name}: {told.error_message.decode()}")
    found = connection.pgconn.describe_prepared(name.encode())
    types = [_type_name(connection, found.param_type(place)) for place in range(found.nparams)]
    columns = {(found.fname(n) or b"").decode(): found.ftype(n) for n in range(found.nfields)}
    if len(columns) < found.nfields:
        raise ReadingError(f"{name}: two columns have one name")
    if strange := {column for column, oid in columns.items() if oid not in _KNOWN}:
        raise ReadingError(f"{name}: cast {', '.join(sorted(strange))} to a type that all know")
    return Reading(name, statement, dict(zip(names, types, strict=True)), columns)


def _type_name(connection: psycopg.Connection[Any], oid: int) -> str:
    row = connection.execute(
        """SELECT CASE n.nspname WHEN 'pg_catalog' THEN format_type(t.oid, NULL)
                  ELSE format('%%I.%%I', n.nspname, t.typname) END
             FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
            WHERE t.oid = %s""",
        (oid,),
    ).fetchone()
    return row[0] if row else ""


def _function(reading: Reading) -> str:
    """Write one function; its answer is what named_queries.Answer is made of."""
    values = ", ".join(f"${place}" for place in range(1, len(reading.parameters) + 1))
    columns = ", ".join(f'["{name}", {oid}]' for name, oid in reading.columns.items())
    return (_READS if reading.columns else _CHANGES).format(
        name=reading.name,
        arguments=", ".join(f'"{name}" {kind}' for name, kind in reading.parameters.items()),
        search_path=SEARCH_PATH,
        statement=reading.statement,
        using=f" USING {values}" if values else "",
        columns=f"[{columns}]",
        cells=",\n       ".join(_cell(name, oid) for name, oid in reading.columns.items()),
    )


def _cell(column: str, oid: int) -> str:
    """Write a cell as Postgres sends it as text; a cast makes a word of what is sent as a sign."""
    text = f'answer."{column}"::text'
    return f"left({text}, 1)" if oid == _BOOL else text


def main() -> None:
    """Print the migration, asking a database of its own that has all others."""
    with tempfile.TemporaryDirectory() as home:
        server = EmbeddedServer(Path(home))
        server.start()
        try:
            migrate(server.admin_url(), embedded=True)
            with psycopg.connect(server.admin_url()) as connection:
                sys.stdout.write(migration(connection))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
