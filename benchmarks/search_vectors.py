"""Vectors to and from the database in Postgres' binary form, which takes them as they are."""

import struct
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import psycopg
from search_world import DIMENSIONS, Array

BLOCK = 20_000
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
# A uuid and a halfvec, as COPY writes them.
ROW = np.dtype(
    [
        *(("fields", ">i2"), ("id_bytes", ">i4"), ("id", "V16"), ("v_bytes", ">i4")),
        *(("dimensions", ">i2"), ("zero", ">i2"), ("v", ">f2", DIMENSIONS)),
    ]
)

Connection = psycopg.Connection[Any]


def write_rows(connection: Connection, into: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write rows of ids, small numbers and vectors."""
    with connection.cursor().copy(f"COPY {into} FROM STDIN (FORMAT BINARY)".encode()) as copy:
        copy.write(SIGNATURE)
        for row in rows:
            copy.write(struct.pack("!h", len(row)) + b"".join(map(_binary, row)))
        copy.write(struct.pack("!h", -1))


def _binary(value: Any) -> bytes:
    """A uuid, a smallint, or a halfvec: its length, a zero, and its numbers."""
    if isinstance(value, uuid.UUID):
        data = value.bytes
    elif isinstance(value, int):
        data = struct.pack("!h", value)
    else:
        data = struct.pack("!hh", DIMENSIONS, 0) + value.astype(">f2").tobytes()
    return struct.pack("!i", len(data)) + data


def read_rows(connection: Connection, query: str) -> Iterator[tuple[list[uuid.UUID], Array]]:
    """Read ids and their vectors, so many at once."""
    with connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)".encode()) as copy:
        held = bytearray()
        for data in copy:
            held += data
            if len(held) >= len(SIGNATURE) + BLOCK * ROW.itemsize:
                yield _parsed(held, BLOCK)
        yield _parsed(held, len(held) // ROW.itemsize)


def _parsed(held: bytearray, count: int) -> tuple[list[uuid.UUID], Array]:
    """Take rows from the front of what is held."""
    begin = len(SIGNATURE) if held.startswith(SIGNATURE) else 0
    end = begin + count * ROW.itemsize
    rows = np.frombuffer(bytes(held[begin:end]), ROW)
    del held[:end]
    return [uuid.UUID(bytes=each) for each in rows["id"].tolist()], rows["v"].astype(np.float32)
