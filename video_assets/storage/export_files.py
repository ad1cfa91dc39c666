"""Tables as files: CSV for spreadsheets, JSON for programs, Parquet for analysis."""

import csv
import json
from collections.abc import Callable
from datetime import date, datetime
from typing import IO, Any, Literal
from uuid import UUID

from video_assets.storage.export import Column, Rows

Format = Literal["csv", "json", "parquet"]

# A spreadsheet takes text that begins so for a formula, which may fetch or run something.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")


class MissingLibraryError(RuntimeError):
    """A format needs a library that is not installed."""


def write_csv(rows: Rows, file: IO[bytes]) -> int:
    """Write rows as CSV in UTF-8 and give their number.

    Lists are parted by semicolons, times are ISO 8601 with their zone, nothing known is empty. Text
    that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    writer = csv.writer(_Encoding(file))
    writer.writerow([column.name for column in rows.columns])
    count = 0
    for batch in rows.batches:
        writer.writerows([_csv_value(value) for value in row] for row in batch)
        count += len(batch)
    return count


def write_json(rows: Rows, file: IO[bytes]) -> int:
    """Write rows as a JSON list of objects, one a line, and give their number."""
    names = [column.name for column in rows.columns]
    count = 0
    file.write(b"[")
    for batch in rows.batches:
        for row in batch:
            told = json.dumps(dict(zip(names, row, strict=True)), default=_json_value)
            file.write((",\n" if count else "\n").encode() + told.encode())
            count += 1
    file.write(b"\n]\n")
    return count


def write_parquet(rows: Rows, file: IO[bytes]) -> int:
    """Write rows as Parquet with the types that the columns have, and give their number.

    Raises MissingLibraryError without pyarrow.
    """
    require_parquet()
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(column.name, _arrow_type(column)) for column in rows.columns])
    count = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in rows.batches:
            columns = [
                pa.array([_arrow_value(row[place]) for row in batch], type=field.type)
                for place, field in enumerate(schema)
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            count += len(batch)
    return count


WRITERS: dict[Format, Callable[[Rows, IO[bytes]], int]] = {
    "csv": write_csv,
    "json": write_json,
    "parquet": write_parquet,
}


def require_parquet() -> None:
    """Raise MissingLibraryError where Parquet cannot be written."""
    try:
        import pyarrow.parquet  # noqa: F401  takes a third of a second, so nobody else pays it
    except ImportError:
        raise MissingLibraryError(
            "Parquet needs pyarrow, which is not installed; run "
            "`.venv/bin/pip install -e '.[export]'`, or choose --format csv"
        ) from None


class _Encoding:
    """A text file over a binary one that stays open when this goes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode("utf-8", "replace"))


def _csv_value(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_SIGNS) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict) or (isinstance(value, list) and any(map(_is_object, value))):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return _csv_value("; ".join(map(str, value)))
    return value


def _is_object(value: Any) -> bool:
    return isinstance(value, dict | list)


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _arrow_type(column: Column) -> Any:
    import pyarrow as pa

    if column.kind.startswith("_"):
        return pa.list_(_arrow_type(Column(column.name, column.kind[1:])))
    return {
        "bool": pa.bool_(),
        "int4": pa.int32(),
        "int8": pa.int64(),
        "float8": pa.float64(),
        "timestamptz": pa.timestamp("us", tz="UTC"),
        "timestamp": pa.timestamp("us"),
    }.get(column.kind, pa.string())


def _arrow_value(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict) or (isinstance(value, list) and any(map(_is_object, value))):
        return json.dumps(value, ensure_ascii=False)
    return value
