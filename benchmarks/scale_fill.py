"""A large catalogue, cheaply: one clip that was really ingested, copied by the database itself.

Every copy has a checksum of its own, the full ledger of the default preset, and the partition and
events by which Dagster knows of it.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import psycopg
from psycopg import sql

from video_assets.partitions import add_clips
from video_assets.storage.embedded import EmbeddedServer

COPIES_AT_ONCE = 5_000
ID = "md5('id ' || n)::uuid"
CHECKSUM = "(md5(n::text) || md5('clip ' || n))"
PATH = "('/footage/clip_' || n || '.mp4')"
# Table -> the columns that differ from those of the clip that is copied.
CATALOGUE: Mapping[str, Mapping[str, str]] = {
    "clips": {
        "id": ID,
        "file_checksum": CHECKSUM,
        "file_name": "'clip_' || n || '.mp4'",
        "file_path": PATH,
        "local_path": PATH,
        "created_at": "t.created_at + n * interval '1 millisecond'",
    },
    "clip_locations": {
        "id": "gen_random_uuid()",
        "clip_id": ID,
        "inode": "n",
        "path": PATH,
        "path_bytes": f"convert_to({PATH}, 'UTF8')",
    },
    "processing_events": {
        "id": "gen_random_uuid()",
        "video_id": ID,
        # A clip a second: no machine makes them all within the minutes that tell the pace.
        "timestamp": "t.timestamp - n * interval '1 second'",
    },
    "results": {"file_checksum": CHECKSUM},
}
DAGSTER: Mapping[str, Mapping[str, str]] = {
    "event_logs": {
        "id": "nextval('event_logs_id_seq')",
        "partition": CHECKSUM,
        "event": f"replace(t.event, t.partition, {CHECKSUM})",
    },
}


class Library:
    """The catalogue of a home that holds one clip, and then as many as are wanted."""

    def __init__(self, server: EmbeddedServer, instance: dg.DagsterInstance) -> None:
        """Take the home's server, and Dagster's storage on it."""
        self.instance = instance
        self.admin_url = server.admin_url()
        self.dagster_url = server.dagster_url().replace("+psycopg2", "")
        self.size = int(self.one("SELECT count(*) FROM clips"))
        self.clip = str(self.one("SELECT file_checksum FROM clips WHERE file_name !~ '^clip_'"))

    def grow(self, size: int) -> None:
        """Copy the first clip until there are so many."""
        while self.size < size:
            last = min(size, self.size + COPIES_AT_ONCE)
            numbers = {"clip": self.clip, "first": self.size + 1, "last": last}
            self._copy(self.admin_url, CATALOGUE, numbers)
            self._copy(self.dagster_url, DAGSTER, numbers)
            with psycopg.connect(self.admin_url) as connection:
                series = f"SELECT {CHECKSUM} FROM generate_series(%(first)s::int, %(last)s::int) n"  # noqa: S608
                new = [key for (key,) in connection.execute(series.encode(), numbers)]
            add_clips(self.instance, new)
            self.size = last
        for url in (self.admin_url, self.dagster_url):
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")

    def change(self, statement: str, **values: object) -> None:
        """Run one statement on the catalogue, as its superuser."""
        with psycopg.connect(self.admin_url) as connection:
            connection.execute(statement.encode(), values)

    def one(self, query: str) -> Any:
        """Ask the catalogue for one value, as its superuser."""
        with psycopg.connect(self.admin_url) as connection:
            return connection.execute(query.encode()).fetchall()[0][0]

    def _copy(
        self, url: str, tables: Mapping[str, Mapping[str, str]], numbers: Mapping[str, object]
    ) -> None:
        with psycopg.connect(url) as connection:
            # Triggers would look at every row; the copies are consistent by themselves.
            connection.execute("SET session_replication_role = replica")
            for table, changed in tables.items():
                connection.execute(_copying(connection, table, changed), numbers)


OF_THE_CLIP = {
    "clips": "t.file_checksum = %(clip)s",
    "clip_locations": "t.clip_id = (SELECT id FROM clips WHERE file_checksum = %(clip)s)",
    "processing_events": "t.video_id = (SELECT id FROM clips WHERE file_checksum = %(clip)s)",
    "results": "t.file_checksum = %(clip)s",
    "event_logs": "t.partition = %(clip)s",
}


def _copying(
    connection: "psycopg.Connection[tuple]", table: str, changed: Mapping[str, str]
) -> sql.Composed:
    columns = connection.execute(
        """SELECT column_name FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'""",
        (table,),
    ).fetchall()
    values = [
        sql.SQL(changed[name]) if name in changed else sql.Identifier("t", name)  # pyright: ignore
        for (name,) in columns
    ]
    return sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {values} FROM {table} AS t"
        " CROSS JOIN generate_series(%(first)s::int, %(last)s::int) AS n WHERE {where}"
    ).format(
        table=sql.Identifier(table),
        columns=sql.SQL(", ").join(sql.Identifier(name) for (name,) in columns),
        values=sql.SQL(", ").join(values),
        where=sql.SQL(OF_THE_CLIP[table]),  # pyright: ignore[reportArgumentType]
    )
