"""Owners with clips that are written straight into the catalogue, to be searched."""

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psycopg
from psycopg import sql

from video_assets.services.vectors import written
from video_assets.storage.postgres import Postgres

DIMENSIONS = 1024
MODEL = "a model of the tests"


@dataclass
class Told:
    """What is known of a clip."""

    name: str = "clip.mp4"
    summary: str | None = None
    tags: Sequence[str] = ()
    said: Sequence[str] = ()
    language: str = "en"
    summary_vector: Sequence[float] | None = None
    """Its first numbers; the rest is 0."""
    keyword_vector: Sequence[float] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    moment_vectors: Sequence[Sequence[float]] = ()
    """Of what is said, piece by piece."""


def vector(*numbers: float) -> list[float]:
    """A vector of the model's length that begins with these numbers."""
    return [*numbers, *[0.0] * (DIMENSIONS - len(numbers))]


def as_stored(numbers: Sequence[float]) -> np.ndarray:
    """A vector as the catalogue holds it: in half precision, of the digits that were written."""
    text = written(numbers).strip("[]").split(",")
    return np.array([float(each) for each in text], np.float32).astype(np.float16).astype(float)


@dataclass
class Shelves:
    """A catalogue to which owners and clips are added."""

    catalogue: Postgres
    admin_url: str

    def owner(self) -> uuid.UUID:
        """Make an account."""
        made = uuid.uuid4()
        with psycopg.connect(self.admin_url) as connection:
            connection.execute(
                "INSERT INTO auth.users (id, email) VALUES (%s, %s)", (made, f"{made}@example.org")
            )
        return made

    @contextmanager
    def changed(self, function: str, before: str, after: str) -> Iterator[None]:
        """Put something else into a function of the database for the time of a block."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            query = "SELECT pg_get_functiondef(%s::regproc)"
            [(made,)] = connection.execute(query, (function,)).fetchall()
            assert before in made
            connection.execute(made.replace(before, after).encode())
            try:
                yield
            finally:
                connection.execute(made.encode())

    def add(self, owner: uuid.UUID, *told: Told) -> uuid.UUID:
        """Add clips that come at the same moment, and give the id of the last."""
        with self.catalogue.transaction() as connection, connection.pipeline():
            for each in told:
                self._add(connection, owner, each)
        return told[-1].id

    def _add(self, connection: Any, owner: uuid.UUID, told: Told) -> None:
        values: dict[str, Any] = {
            "id": told.id,
            "user_id": owner,
            "file_path": f"/footage/{told.name}",
            "local_path": f"/footage/{told.name}",
            "file_name": told.name,
            "file_checksum": hashlib.blake2b(told.id.bytes, digest_size=32).hexdigest(),
            "checksum_algorithm": "blake3",
            "file_size_bytes": 1,
            "content_summary": told.summary,
            "content_tags": list(told.tags) or None,
            "full_transcript": " ".join(told.said) or None,
            "transcript_word_count": len(" ".join(told.said).split()),
            "transcript_language": told.language,
            **told.facts,
        }
        insert = sql.SQL("INSERT INTO clips ({}) VALUES ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(map(sql.Placeholder, values)),
        )
        connection.execute(insert, values)
        self._say(connection, told.id, owner, told)
        for kind, numbers in ((1, told.summary_vector), (2, told.keyword_vector)):
            if numbers is not None:
                self._place(connection, told.id, owner, kind, numbers)
        if told.moment_vectors:
            mean = np.mean(told.moment_vectors, axis=0)
            self._place(connection, told.id, owner, 3, mean / (np.linalg.norm(mean) or 1.0))
            self._place_moments(connection, owner, told)

    def _say(self, connection: Any, made: uuid.UUID, owner: uuid.UUID, told: Told) -> None:
        if not told.said:
            return
        connection.execute(
            """INSERT INTO transcripts (clip_id, user_id, full_text, segments, language)
               VALUES (%s, %s, %s, '[]', %s)""",
            (made, owner, " ".join(told.said), told.language),
        )
        for number, text in enumerate(told.said, start=1):
            connection.execute(
                """INSERT INTO segments (clip_id, user_id, kind, number, timestamp_start,
                                         timestamp_end, content, language, created_at)
                   SELECT %s, %s, kind, %s, %s, %s, %s, %s, coalesce(%s, now())
                     FROM unnest('{speech,passage}'::text[]) AS kind""",
                (
                    *(made, owner, number, 10.0 * (number - 1), 10.0 * number, text),
                    *(told.language, told.facts.get("created_at")),
                ),
            )

    def _place(
        self, connection: Any, made: uuid.UUID, owner: uuid.UUID, kind: int, numbers: Any
    ) -> None:
        connection.execute(
            """INSERT INTO embedding_spaces (id, model, is_in_use) VALUES (1, %s, true)
               ON CONFLICT DO NOTHING""",
            (MODEL,),
        )
        connection.execute(
            """INSERT INTO clip_vectors (user_id, space, kind, clip_id, v)
               VALUES (%s, 1, %s, %s, %s)""",
            (owner, kind, made, written(vector(*numbers))),
        )

    def _place_moments(self, connection: Any, owner: uuid.UUID, told: Told) -> None:
        for number, numbers in enumerate(told.moment_vectors, start=1):
            connection.execute(
                """INSERT INTO moment_vectors (user_id, space, clip_id, segment_id, v)
                   SELECT %s, 1, clip_id, id, %s FROM segments
                    WHERE clip_id = %s AND kind = 'passage' AND number = %s""",
                (owner, written(vector(*numbers)), told.id, number),
            )
