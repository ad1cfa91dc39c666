"""A catalogue to search: one owner with nine tenths of the clips, a hundred small ones.

What was drawn is kept beside the catalogue, so that it can be searched again.
"""

import hashlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from search_vectors import Connection, write_rows
from search_world import KEYWORD, PASSAGE, SUMMARY, Array, World

SMALL_OWNERS, SMALL_SHARE = 100, 0.1
SUMMARY_WORDS, SAID_WORDS = 30, 60
HAS_SPEECH = 0.6
MOMENT_WORDS, MOMENT_S = 12, 6.0
CLIPS_AT_ONCE = 2000
KEPT = "filled.npz"
BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Filled:
    """Who has what: of each clip its owner, its topic, its meaning and its id."""

    owners: Sequence[uuid.UUID]
    owner_of: Array
    topic_of: Array
    meanings: Array
    ids: Sequence[uuid.UUID]

    def owner(self, clip: int) -> uuid.UUID:
        """Whose a clip is."""
        return self.owners[self.owner_of[clip]]


def fill(connection: Connection, folder: Path, clips: int, moments: int) -> Filled:
    """Write the clips, their words and their vectors; what searches look up is built last."""
    world = World.make(seed=1)
    filled = _draw(world, clips)
    for owner in filled.owners:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (%s, %s)", (owner, f"{owner}@example.org")
        )
    indexes = _drop_indexes(connection)
    _write_clips(connection, world, filled)
    _write_transcripts(connection)
    connection.execute("INSERT INTO embedding_spaces VALUES (1, 'benchmark', true)")
    # What is written from here on refers to what is there, and nobody follows it.
    connection.execute("SET session_replication_role = replica")
    for kind in (SUMMARY, KEYWORD):
        vectors = world.vectors(filled.meanings, kind)
        write_vectors(connection, filled, range(clips), kind, vectors)
    _write_moments(connection, world, filled, moments)
    connection.execute("RESET session_replication_role")
    _build(connection, indexes)
    np.savez(
        folder / KEPT,
        owners=[str(each) for each in filled.owners],
        owner_of=filled.owner_of,
        topic_of=filled.topic_of,
        meanings=filled.meanings,
        ids=[str(each) for each in filled.ids],
    )
    return filled


def _draw(world: World, clips: int) -> Filled:
    """Draw whose clips there are and what they mean; of small owners few have many clips."""
    owners = [world.id() for _ in range(SMALL_OWNERS + 1)]
    sizes = 0.05 + 9.95 * np.linspace(0, 1, SMALL_OWNERS) ** 9.5
    shares = np.concatenate([[1 - SMALL_SHARE], SMALL_SHARE * sizes / sizes.sum()])
    owner_of = world.random.choice(SMALL_OWNERS + 1, size=clips, p=shares)
    topic_of = world.choose(clips)
    ids = [world.id() for _ in range(clips)]
    return Filled(owners, owner_of, topic_of, world.meanings(topic_of), ids)


def kept(folder: Path) -> Filled | None:
    """Read what an earlier run has drawn."""
    if not (folder / KEPT).is_file():
        return None
    known = np.load(folder / KEPT)
    owners, ids = ([uuid.UUID(each) for each in known[name]] for name in ("owners", "ids"))
    return Filled(owners, known["owner_of"], known["topic_of"], known["meanings"], ids)


def _drop_indexes(connection: Connection) -> list[str]:
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


def _build(connection: Connection, indexes: list[str]) -> None:
    connection.execute("SET maintenance_work_mem = '2GB'")
    connection.execute("SET max_parallel_maintenance_workers = 2")
    for definition in indexes:
        began = time.monotonic()
        connection.execute(definition.encode())
        print(f"{time.monotonic() - began:6.0f} s  {definition}", flush=True)
    connection.execute("VACUUM ANALYZE")


def _write_clips(connection: Connection, world: World, filled: Filled) -> None:
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


def _write_transcripts(connection: Connection) -> None:
    connection.execute(
        """INSERT INTO transcripts (clip_id, user_id, full_text, segments, language)
           SELECT id, user_id, full_transcript, '[]', 'en' FROM clips
            WHERE full_transcript IS NOT NULL"""
    )


def _write_moments(connection: Connection, world: World, filled: Filled, moments: int) -> None:
    """Write passages and pieces of speech of every clip, the passages' vectors, and their mean."""
    each = moments // len(filled.ids)
    for begin in range(0, len(filled.ids), CLIPS_AT_ONCE):
        numbers = range(begin, min(begin + CLIPS_AT_ONCE, len(filled.ids)))
        vectors = world.passages(filled.meanings[numbers.start : numbers.stop], each)
        segments = _write_segments(connection, world, filled, numbers, each)
        rows = (
            (filled.owner(number), 1, filled.ids[number], segments[place], vectors[place])
            for place, number in enumerate(np.repeat(list(numbers), each))
        )
        write_rows(connection, "moment_vectors (user_id, space, clip_id, segment_id, v)", rows)
        mean = vectors.reshape(len(numbers), each, -1).mean(axis=1)
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        write_vectors(connection, filled, numbers, PASSAGE, mean)


def _write_segments(
    connection: Connection, world: World, filled: Filled, clips: range, each: int
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
    connection: Connection, filled: Filled, clips: range, kind: int, vectors: Array
) -> None:
    """Write the vectors of some clips."""
    rows = (
        (filled.owner(number), 1, kind, filled.ids[number], vectors[place])
        for place, number in enumerate(clips)
    )
    write_rows(connection, "clip_vectors (user_id, space, kind, clip_id, v)", rows)
