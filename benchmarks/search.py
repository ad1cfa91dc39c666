"""What a search costs, and what it misses: the CPU of the database's own process.

    python benchmarks/search.py [--clips 100000] [--queries 100]

One owner has nine tenths of the clips, a hundred have the rest. Everything is asked as an owner
under row level security, through the public functions. What is missed is found by reading every
vector: the ten best of the fused lists against the ten best of exactly fused lists.
"""

import argparse
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from search_fill import Filled, World, build_neighbours, fill

from video_assets.services.vectors import written
from video_assets.settings import Settings
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.servers import remove_server

POOL, RRF_K, TOP = 50, 50, 10
WEIGHTS = (1.0, 1.0, 0.8)

Connection = psycopg.Connection[Any]


def main() -> None:
    """Fill a catalogue, ask, and print a line for each search and size of owner."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="video-assets-", dir="/var/tmp") as folder:
        settings = Settings(home=Path(folder) / "home")
        open_catalogue(settings).close()
        server = EmbeddedServer(settings.home)
        try:
            with psycopg.connect(server.admin_url("video_assets"), autocommit=True) as connection:
                began = time.monotonic()
                world = World.make()
                filled = fill(connection, world, given.clips)
                print(f"filled with {given.clips:,} clips in {time.monotonic() - began:.0f} s")
                began = time.monotonic()
                build_neighbours(connection)
                print(f"indexes of neighbours built in {time.monotonic() - began:.0f} s")
                for name, owner in (("large", 0), ("small", 1)):
                    race(connection, world, filled, owner, given.queries, name)
        finally:
            remove_server(server)


def race(
    connection: Connection, world: World, filled: Filled, owner: int, queries: int, name: str
) -> None:
    """Ask as one owner, and print what it took."""
    theirs = np.flatnonzero(filled.owner_of == owner)
    who = filled.owners[owner]
    print(f"\n{name} owner, {len(theirs):,} clips, {queries} queries")
    hybrid: list[float] = []
    recalls: list[float] = []
    for number in range(queries):
        topic = int(filled.topic_of[theirs[number % len(theirs)]])
        vectors = world.vectors(np.array([topic, topic]))
        asked = f"topic{topic}x{number % 8}"
        spent, found = measure(connection, who, partial(_hybrid, asked=asked, vectors=vectors))
        if number:  # the first of a connection plans and loads
            hybrid.append(spent)
        text = _run(connection, who, partial(_text, asked=asked, count=POOL))
        recalls.append(_recall(found, _exact(filled, theirs, text, vectors)))
    say("hybrid", hybrid, f"recall@10 {np.mean(recalls):.3f}, least {min(recalls):.2f}")
    common = ["word1", "word2", "word3"]
    words = [f"topic{int(filled.topic_of[each])}x1" for each in theirs[: queries - 3]]
    text_ms = [
        measure(connection, who, partial(_text, asked=asked, count=TOP))[0]
        for asked in [*common, *words]
    ]
    say("text", text_ms[3:], f"the commonest words {max(text_ms[:3]):.1f} ms")


def say(what: str, spent_ms: Sequence[float], more: str) -> None:
    """Print a line."""
    half, most = np.percentile(spent_ms, [50, 95])
    print(f"  {what:<8} p50 {half:6.1f} ms  p95 {most:6.1f} ms  {more}")


def measure(
    connection: Connection, who: uuid.UUID, ask: Callable[[Connection], list[Any]]
) -> tuple[float, list[Any]]:
    """Give the CPU milliseconds of the database's process for this connection, and the answer."""
    before = _cpu_ns(connection)
    found = _run(connection, who, ask)
    return (_cpu_ns(connection) - before) / 1e6, found


def _cpu_ns(connection: Connection) -> int:
    return int(Path(f"/proc/{connection.info.backend_pid}/schedstat").read_text().split()[0])


def _run(
    connection: Connection, who: uuid.UUID, ask: Callable[[Connection], list[Any]]
) -> list[Any]:
    with connection.transaction():
        connection.execute(
            "SELECT set_config('role', 'authenticated', true),"
            " set_config('request.jwt.claims', jsonb_build_object('sub', %s::text)::text, true)",
            (who,),
        )
        return ask(connection)


def _hybrid(connection: Connection, asked: str, vectors: Any) -> list[Any]:
    query = "SELECT id FROM hybrid_search_clips(%s, %s::vector, %s::vector)"
    rows = connection.execute(query, (asked, written(vectors[0]), written(vectors[1])))
    return [row[0] for row in rows]


def _text(connection: Connection, asked: str, count: int) -> list[Any]:
    query = "SELECT id FROM fulltext_search_clips(%s, %s)"
    return [row[0] for row in connection.execute(query, (asked, count))]


def _exact(filled: Filled, theirs: Any, text: Sequence[uuid.UUID], vectors: Any) -> set[uuid.UUID]:
    """Fuse the list of words with exact lists of neighbours."""
    ranks: dict[uuid.UUID, float] = {}
    lists = [text]
    for stored, asked in ((filled.summary, vectors[0]), (filled.keyword, vectors[1])):
        likeness = stored[theirs].astype(np.float16).astype(np.float32) @ asked
        lists.append([filled.ids[theirs[each]] for each in np.argsort(-likeness)[:POOL]])
    for weight, ranked in zip(WEIGHTS, lists, strict=True):
        for place, clip in enumerate(ranked, start=1):
            ranks[clip] = ranks.get(clip, 0.0) + weight / (RRF_K + place)
    return set(sorted(ranks, key=lambda clip: (-ranks[clip], clip.bytes))[:TOP])


def _recall(found: Sequence[uuid.UUID], exact: set[uuid.UUID]) -> float:
    return len(exact & set(found)) / len(exact) if exact else 1.0


if __name__ == "__main__":
    main()
