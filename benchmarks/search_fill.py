"""A catalogue to search: one owner with nine tenths of the clips, a hundred small ones."""

import hashlib
import io
import struct
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import psycopg

DIMENSIONS, LATENT, TOPICS, WORDS = 1024, 96, 1800, 40_000
SMALL_OWNERS = 100
SUMMARY_WORDS, SAID_WORDS = 30, 60
HAS_SPEECH = 0.6
BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc)

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class World:
    """What the clips are about: topics have a place in a space of meanings, and words."""

    random: np.random.Generator
    topics: Array
    lift: Array
    mean: Array

    @classmethod
    def make(cls, seed: int = 7) -> "World":
        """Make one."""
        random = np.random.default_rng(seed)
        lift = random.normal(size=(LATENT, DIMENSIONS)) / np.sqrt(LATENT)
        return cls(
            random, random.normal(size=(TOPICS, LATENT)), lift, random.normal(size=DIMENSIONS)
        )

    def id(self) -> uuid.UUID:
        """Make an id that is the same every time."""
        return uuid.UUID(bytes=self.random.bytes(16), version=4)

    def vectors(self, topics: Array, spread: float = 0.7) -> Array:
        """Vectors near their topics, of length 1; what all have in common is a quarter of them."""
        latent = self.topics[topics] + spread * self.random.normal(size=(len(topics), LATENT))
        found = latent @ self.lift / 4 + 0.14 * self.mean
        found += 0.05 * self.random.normal(size=found.shape)
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    def text(self, topic: int, count: int) -> str:
        """Words as they are spread in a language, and three of the topic's own."""
        common = self.random.zipf(1.2, size=count) % WORDS
        own = [f"topic{topic}x{self.random.integers(8)}" for _ in range(3)]
        return " ".join([*own, *(f"word{number}" for number in common)])


@dataclass(frozen=True)
class Filled:
    """Who has what."""

    owners: Sequence[uuid.UUID]
    owner_of: Array
    topic_of: Array
    ids: Sequence[uuid.UUID]
    summary: Array
    keyword: Array


def fill(connection: psycopg.Connection[Any], world: World, clips: int) -> Filled:
    """Write the clips, their words and their vectors; the indexes of neighbours are built last."""
    owners = [world.id() for _ in range(SMALL_OWNERS + 1)]
    for owner in owners:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, %s)", (owner, f"{owner}@example.org")
        )
    small = world.random.integers(1, SMALL_OWNERS + 1, size=clips)
    owner_of = np.where(world.random.random(clips) < 0.9, 0, small)
    topic_of = world.random.integers(0, TOPICS, size=clips)
    ids = [world.id() for _ in range(clips)]
    _write_clips(connection, world, owners, owner_of, topic_of, ids)
    connection.execute("INSERT INTO embedding_spaces VALUES (1, 'benchmark', true)")
    _drop_neighbours(connection)
    summary, keyword = world.vectors(topic_of), world.vectors(topic_of, 0.9)
    for kind, vectors in ((1, summary), (2, keyword)):
        _write_vectors(connection, owners, owner_of, ids, kind, vectors)
    return Filled(owners, owner_of, topic_of, ids, summary, keyword)


def build_neighbours(connection: psycopg.Connection[Any]) -> None:
    """Build the indexes of neighbours, as the migration defines them."""
    connection.execute("SET maintenance_work_mem = '2GB'")
    connection.execute("SET max_parallel_maintenance_workers = 2")
    for kind in (1, 2):
        connection.execute(
            f"""CREATE INDEX clip_vectors_1{kind} ON clip_vectors USING hnsw (v halfvec_ip_ops)
                 WHERE space = 1 AND kind = {kind}""".encode()
        )
    connection.execute("ANALYZE")


def _drop_neighbours(connection: psycopg.Connection[Any]) -> None:
    connection.execute("DROP INDEX clip_vectors_11, clip_vectors_12")


def _write_clips(
    connection: psycopg.Connection[Any],
    world: World,
    owners: Sequence[uuid.UUID],
    owner_of: Array,
    topic_of: Array,
    ids: Sequence[uuid.UUID],
) -> None:
    copy_clips = """COPY clips (id, user_id, file_path, local_path, file_name, file_checksum,
        checksum_algorithm, file_size_bytes, content_summary, full_transcript, transcript_language,
        transcript_word_count, created_at) FROM STDIN"""
    with connection.cursor().copy(copy_clips) as copy:
        for number, made in enumerate(ids):
            topic = int(topic_of[number])
            said = None
            if world.random.random() < HAS_SPEECH:
                said = world.text(topic, SAID_WORDS)
            name, checksum = f"A{number:06}.mov", hashlib.blake2b(made.bytes, digest_size=32)
            copy.write_row(
                (
                    made,
                    owners[owner_of[number]],
                    f"/f/{name}",
                    f"/f/{name}",
                    name,
                    checksum.hexdigest(),
                    "blake3",
                    1,
                    world.text(topic, SUMMARY_WORDS),
                    said,
                    "en",
                    len(said.split()) if said else 0,
                    BEGAN + timedelta(seconds=number),
                )
            )


def _write_vectors(
    connection: psycopg.Connection[Any],
    owners: Sequence[uuid.UUID],
    owner_of: Array,
    ids: Sequence[uuid.UUID],
    kind: int,
    vectors: Array,
) -> None:
    copy_vectors = (
        "COPY clip_vectors (user_id, space, kind, clip_id, v) FROM STDIN WITH (FORMAT BINARY)"
    )
    with connection.cursor().copy(copy_vectors) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0))
        for block in _rows(owners, owner_of, ids, kind, vectors):
            copy.write(block)
        copy.write(struct.pack("!h", -1))


def _rows(
    owners: Sequence[uuid.UUID],
    owner_of: Array,
    ids: Sequence[uuid.UUID],
    kind: int,
    vectors: Array,
) -> Iterator[bytes]:
    """Rows in Postgres' binary form; a halfvec is its length, a zero, and its numbers."""
    halves = vectors.astype(">f2")
    for number, made in enumerate(ids):
        row = io.BytesIO()
        row.write(struct.pack("!hi", 5, 16) + owners[owner_of[number]].bytes)
        row.write(struct.pack("!ihih", 2, 1, 2, kind))
        row.write(struct.pack("!i", 16) + made.bytes)
        row.write(struct.pack("!ihh", 4 + 2 * DIMENSIONS, DIMENSIONS, 0) + halves[number].tobytes())
        yield row.getvalue()
