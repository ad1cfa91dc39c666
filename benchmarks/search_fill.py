"""A catalogue to search: one owner with nine tenths of the clips, a hundred small ones.

What was drawn is kept beside the catalogue, so that it can be searched again.
"""

import hashlib
import struct
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

DIMENSIONS, LATENT, TOPICS, WORDS = 1024, 96, 1800, 40_000
SMALL_OWNERS = 100
SUMMARY_WORDS, SAID_WORDS = 30, 60
HAS_SPEECH = 0.6
MOMENT_WORDS, MOMENT_S = 12, 6.0
CLIPS_AT_ONCE = 2000
KEPT = "filled.npz"
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

    def owner(self, clip: int) -> uuid.UUID:
        """Whose a clip is."""
        return self.owners[self.owner_of[clip]]


def fill(connection: psycopg.Connection[Any], folder: Path, clips: int, moments: int) -> Filled:
    """Write the clips, their words and their vectors; what searches look up is built last."""
    world = World.make()
    owners = [world.id() for _ in range(SMALL_OWNERS + 1)]
    for owner in owners:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, %s)", (owner, f"{owner}@example.org")
        )
    small = world.random.integers(1, SMALL_OWNERS + 1, size=clips)
    owner_of = np.where(world.random.random(clips) < 0.9, 0, small)
    topic_of = world.random.integers(0, TOPICS, size=clips)
    ids = [world.id() for _ in range(clips)]
    summary, keyword = world.vectors(topic_of), world.vectors(topic_of, 0.9)
    filled = Filled(owners, owner_of, topic_of, ids, summary, keyword)
    indexes = _drop_indexes(connection)
    _write_clips(connection, world, filled)
    connection.execute("INSERT INTO embedding_spaces VALUES (1, 'benchmark', true)")
    for kind, vectors in ((1, summary), (2, keyword)):
        write_vectors(connection, filled, range(clips), kind, vectors)
    _write_transcripts(connection)
    _write_moments(connection, world, filled, moments)
    _build(connection, indexes)
    np.savez(
        folder / KEPT,
        owners=[each.bytes for each in owners],
        ids=[each.bytes for each in ids],
        owner_of=owner_of,
        topic_of=topic_of,
        summary=summary,
        keyword=keyword,
    )
    return filled


def kept(folder: Path) -> Filled | None:
    """Read what an earlier run has drawn."""
    if not (folder / KEPT).is_file():
        return None
    known = np.load(folder / KEPT)
    # numpy leaves out zeros at the end.
    owners, ids = (
        [uuid.UUID(bytes=bytes(each).ljust(16, b"\0")) for each in known[name]]
        for name in ("owners", "ids")
    )
    rest = (known[name] for name in ("summary", "keyword"))
    return Filled(owners, known["owner_of"], known["topic_of"], ids, *rest)


def _drop_indexes(connection: psycopg.Connection[Any]) -> list[str]:
    """Drop the indexes that are far quicker built than kept, and give their definitions."""
    found = connection.execute(
        """SELECT format('DROP INDEX %s', c.oid::regclass), pg_get_indexdef(c.oid)
             FROM pg_class AS c
             JOIN pg_am AS a ON a.oid = c.relam
            WHERE a.amname IN ('gin', 'hnsw') AND c.relnamespace = 'public'::regnamespace"""
    ).fetchall()
    for drop, _ in found:
        connection.execute(drop.encode())
    return [definition for _, definition in found]


def _build(connection: psycopg.Connection[Any], indexes: list[str]) -> None:
    connection.execute("SET maintenance_work_mem = '2GB'")
    connection.execute("SET max_parallel_maintenance_workers = 2")
    for definition in indexes:
        began = time.monotonic()
        connection.execute(definition.encode())
        print(f"{time.monotonic() - began:6.0f} s  {definition}", flush=True)
    connection.execute("VACUUM ANALYZE")


def _write_clips(connection: psycopg.Connection[Any], world: World, filled: Filled) -> None:
    copy_clips = """COPY clips (id, user_id, file_path, local_path, file_name, file_checksum,
        checksum_algorithm, file_size_bytes, content_summary, full_transcript, transcript_language,
        transcript_word_count, created_at) FROM STDIN"""
    with connection.cursor().copy(copy_clips) as copy:
        for number, made in enumerate(filled.ids):
            topic = int(filled.topic_of[number])
            said = None
            if world.random.random() < HAS_SPEECH:
                said = world.text(topic, SAID_WORDS)
            name, checksum = f"A{number:06}.mov", hashlib.blake2b(made.bytes, digest_size=32)
            copy.write_row(
                (
                    made,
                    filled.owner(number),
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


def _write_transcripts(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        """INSERT INTO transcripts (clip_id, user_id, full_text, segments, language)
           SELECT id, user_id, full_transcript, '[]', 'en' FROM clips
            WHERE full_transcript IS NOT NULL"""
    )


def _write_moments(
    connection: psycopg.Connection[Any], world: World, filled: Filled, moments: int
) -> None:
    """Write passages and pieces of speech of every clip, the passages' vectors, and their mean."""
    each = moments // len(filled.ids)
    for begin in range(0, len(filled.ids), CLIPS_AT_ONCE):
        numbers = range(begin, min(begin + CLIPS_AT_ONCE, len(filled.ids)))
        vectors = world.vectors(np.repeat(filled.topic_of[numbers.start : numbers.stop], each), 1.0)
        segments = _write_segments(connection, world, filled, numbers, each)
        head = "moment_vectors (user_id, space, clip_id, segment_id, v)"
        rows = (
            (filled.owner(number), 1, filled.ids[number], segments[place], vectors[place])
            for place, number in enumerate(np.repeat(list(numbers), each))
        )
        _copy(connection, head, rows)
        mean = vectors.reshape(len(numbers), each, DIMENSIONS).mean(axis=1)
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        write_vectors(connection, filled, numbers, 3, mean)


def _write_segments(
    connection: psycopg.Connection[Any], world: World, filled: Filled, clips: range, each: int
) -> list[uuid.UUID]:
    made: list[uuid.UUID] = []
    columns = "id, clip_id, user_id, kind, number, timestamp_start, timestamp_end, content"
    with connection.cursor().copy(f"COPY segments ({columns}) FROM STDIN".encode()) as copy:
        for clip in clips:
            topic = int(filled.topic_of[clip])
            for number in range(1, each + 1):
                times = ((number - 1) * MOMENT_S, number * MOMENT_S)
                text = world.text(topic, MOMENT_WORDS)
                whose = (filled.ids[clip], filled.owner(clip))
                made.append(world.id())
                for made_id, kind in ((made[-1], "passage"), (world.id(), "speech")):
                    copy.write_row((made_id, *whose, kind, number, *times, text))
    return made


def write_vectors(
    connection: psycopg.Connection[Any], filled: Filled, clips: range, kind: int, vectors: Array
) -> None:
    """Write the vectors of some clips."""
    head = "clip_vectors (user_id, space, kind, clip_id, v)"
    rows = (
        (filled.owner(number), 1, kind, filled.ids[number], vectors[place])
        for place, number in enumerate(clips)
    )
    _copy(connection, head, rows)


def _copy(connection: psycopg.Connection[Any], into: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write rows in Postgres' binary form, which takes vectors as they are."""
    with connection.cursor().copy(f"COPY {into} FROM STDIN (FORMAT BINARY)".encode()) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0))
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
