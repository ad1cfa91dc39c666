"""A clip that two owners have, one of whom is the local one, and what is projected of it."""

import uuid
from typing import Any

from video_assets.settings import LOCAL_OWNER
from video_assets.storage import ledger
from video_assets.storage.postgres import Postgres

ROWS = ("scenes", "segments", "transcripts", "artifacts", "analysis")
VARYING = {"created_at", "updated_at"}


class Clip:
    """A clip of the local owner and of a neighbour, with nothing known of it yet."""

    def __init__(self, catalogue: Postgres, neighbour: uuid.UUID) -> None:
        self.catalogue, self.neighbour = catalogue, neighbour
        self.checksum = uuid.uuid4().hex * 2
        for owner in (LOCAL_OWNER, neighbour):
            self.add_owner(owner)

    def add_owner(self, owner: uuid.UUID) -> None:
        with self.catalogue.transaction() as connection:
            connection.execute(
                """INSERT INTO clips (user_id, file_path, local_path, file_name, file_checksum,
                                      file_size_bytes)
                   VALUES (%s, '/x', '/x', 'x.mov', %s, 1)""",
                (owner, self.checksum),
            )

    def found(self, **documents: dict[str, Any]) -> None:
        """Save results in this order."""
        for asset, document in documents.items():
            ledger.save_done(
                self.catalogue,
                asset=asset,
                checksum=self.checksum,
                made=ledger.Made("1", "", ""),
                document=document,
                problems={},
                seconds=1.0,
                cpu_seconds=1.0,
                run_id="run",
            )

    def row(self, owner: uuid.UUID = LOCAL_OWNER) -> dict[str, Any]:
        """The clip as one owner has it."""
        with self.catalogue.transaction(owner) as connection:
            row = connection.execute(
                "SELECT * FROM clips WHERE file_checksum = %s", (self.checksum,)
            ).fetchone()
        assert row is not None
        return row

    def rows(self, table: str, owner: uuid.UUID = LOCAL_OWNER) -> list[dict[str, Any]]:
        """The rows of a table that hang on the clip, as one owner sees them."""
        key = "clip_id" if table in ("segments", "transcripts", "analysis") else "video_id"
        query = f"SELECT * FROM {table} WHERE {key} = %s ORDER BY to_jsonb({table})::text"  # noqa: S608
        with self.catalogue.transaction(owner) as connection:
            return connection.execute(query.encode(), (self.row(owner)["id"],)).fetchall()

    def artifacts(self, owner: uuid.UUID = LOCAL_OWNER) -> dict[str, str]:
        """Its files by their type."""
        return {row["artifact_type"]: row["file_path"] for row in self.rows("artifacts", owner)}

    def everything(self, owner: uuid.UUID = LOCAL_OWNER) -> dict[str, Any]:
        """All that was projected, but when, and whose it is."""
        whose = VARYING | {"id", "user_id", "clip_id", "video_id"}
        facts: dict[str, Any] = {
            table: sorted(str(_without(row, whose)) for row in self.rows(table, owner))
            for table in ROWS
        }
        return facts | {"clip": _without(self.row(owner), whose)}


def _without(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
