"""What a search costs, and what it misses: the CPU of the database's own process.

    python benchmarks/search.py [--clips 100000] [--moments 1000000] [--queries 100] [--home DIR]

One owner has nine tenths of the clips, a hundred have the rest. Everything is asked as an owner
under row level security, through the public functions. What is missed is found by reading every
vector. Where the SQL of the original design is at hand, it is asked the same questions, as the
database's owner and without row level security, under which it does not run.
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
from search_fill import Filled, World, fill, kept, write_vectors
from search_original import load_original

from video_assets.search import exact
from video_assets.search.measures import recall_at
from video_assets.search.queries import RRF_K, Weights
from video_assets.services.vectors import written
from video_assets.settings import Settings
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.servers import remove_server

TOP, RANKED, LISTED = 10, 1000, 100
FULL = "hybrid in full"
BASELINE = Path(__file__).parents[2] / "shared" / "baseline" / "original_search.sql"
COMMON = ("word1", "word2", "word3", "word1 word2")
WRITTEN_CLIPS = 2000

Connection = psycopg.Connection[Any]
Rows = list[Any]


def main() -> None:
    """Fill a catalogue, ask, and print a line for each search and size of owner."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--moments", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--home", type=Path, help="keep the catalogue here, and use it again")
    parser.add_argument("--baseline", type=Path, default=BASELINE, help="SQL of the original")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="video-assets-", dir="/var/tmp") as folder:
        home = given.home or Path(folder) / "home"
        settings = Settings(home=home)
        open_catalogue(settings).close()
        server = EmbeddedServer(settings.home)
        try:
            run(server, home, given)
        finally:
            if given.home:
                server.stop()
            else:
                remove_server(server)


def run(server: EmbeddedServer, home: Path, given: argparse.Namespace) -> None:
    """Fill, ask, and race."""
    with psycopg.connect(server.admin_url("video_assets"), autocommit=True) as connection:
        began = time.monotonic()
        filled = kept(home) or fill(connection, home, given.clips, given.moments)
        print(f"filled after {time.monotonic() - began:.0f} s", flush=True)
        world = World.make(seed=11)
        for name, owner in (("large", 0), ("small", 1)):
            ask_all(connection, world, filled, owner, given.queries, name)
        write_speed(connection, filled)
        if not given.baseline.is_file():
            print(f"no {given.baseline}, so there is no race")
            return
        load_original(server, connection, given.baseline)
        with psycopg.connect(server.admin_url("original"), autocommit=True) as original:
            race(connection, original, world, filled)


def ask_all(
    connection: Connection, world: World, filled: Filled, owner: int, queries: int, name: str
) -> None:
    """Ask as one owner, and print what it took."""
    theirs = np.flatnonzero(filled.owner_of == owner)
    who = filled.owners[owner]
    print(f"\n{name} owner, {len(theirs):,} clips, {queries} queries", flush=True)
    exact_search = Exact(filled, theirs)
    spent: dict[str, list[float]] = {}
    recalls: dict[str, list[float]] = {"hybrid": [], FULL: [], "semantic": []}
    for number in range(queries + 1):
        clip = int(theirs[number % len(theirs)])
        topic = int(filled.topic_of[clip])
        vectors = world.vectors(np.array([topic, topic]))
        words = f"topic{topic}x{number % 8}"
        found: dict[str, Rows] = {}
        for search, ask in questions(words, vectors, filled.ids[clip]).items():
            took, found[search] = measure(connection, who, ask)
            if number:  # the first of a connection plans and loads
                spent.setdefault(search, []).append(took)
        text = as_user(connection, who, partial(_text, words=words, count=RANKED))
        for search, grades in exact_search.grades(text, vectors).items():
            recalls[search].append(recall_at(found[search.split()[0]], grades, TOP))
    for search, took in spent.items():
        missed = recalls.get(search)
        more = f"recall@10 {np.mean(missed):.3f}, least {min(missed):.1f}" if missed else ""
        if search == "hybrid":
            more += f", of lists in full {np.mean(recalls[FULL]):.3f}"
        say(search, took, more)
    for words in COMMON:
        took = [
            measure(connection, who, partial(ask, words=words, count=TOP))[0]
            for ask in (_text, _said, _moment_words)
            for _ in range(5)
        ]
        halves = [float(np.median(took[at : at + 5])) for at in (0, 5, 10)]
        print(
            f"  {words:<12} text {halves[0]:.1f} ms, transcripts {halves[1]:.1f} ms, "
            f"moments by words {halves[2]:.1f} ms",
            flush=True,
        )


def questions(words: str, vectors: Any, clip: uuid.UUID) -> dict[str, Callable[[Connection], Rows]]:
    """Give a question to each search."""
    summary, keyword = written(vectors[0]), written(vectors[1])
    return {
        "hybrid": partial(_hybrid, words=words, summary=summary, keyword=keyword),
        "semantic": partial(_semantic, summary=summary, keyword=keyword),
        "similar": partial(_similar, clip=clip),
        "text": partial(_text, words=words, count=TOP),
        "transcripts": partial(_said, words=words, count=TOP),
        "moments": partial(_moments, words=words, vector=keyword),
    }


class Exact:
    """Every vector of an owner's, as the catalogue holds it."""

    def __init__(self, filled: Filled, theirs: Any) -> None:
        self.clips = [filled.ids[each] for each in theirs]
        self.place_of = {clip: place for place, clip in enumerate(self.clips)}
        self.summary, self.keyword = (
            stored[theirs].astype(np.float16).astype(np.float32)
            for stored in (filled.summary, filled.keyword)
        )

    def grades(self, text: Sequence[uuid.UUID], vectors: Any) -> dict[str, dict[uuid.UUID, float]]:
        """Grade what searches should find, hybrid by lists of its own length and by whole ones."""
        weights = Weights()
        # The database compares in half precision, of the question too.
        asked = np.array(vectors, np.float16).astype(np.float32)
        summary, keyword = self.summary @ asked[0], self.keyword @ asked[1]
        combined = weights.summary * summary + weights.keyword * keyword
        return {
            "hybrid": self._best(self._fused(text, summary, keyword, LISTED)),
            FULL: self._best(self._fused(text, summary, keyword, len(self.clips))),
            "semantic": self._best(combined),
        }

    def _fused(self, text: Sequence[uuid.UUID], summary: Any, keyword: Any, length: int) -> Any:
        weights = Weights()
        fused = weights.summary * _shares(summary, length)
        fused += weights.keyword * _shares(keyword, length)
        for place, clip in enumerate(text, start=1):
            fused[self.place_of[clip]] += weights.fulltext / (RRF_K + place)
        return fused

    def _best(self, scores: Any) -> dict[uuid.UUID, float]:
        best = np.argsort(-scores)[: 5 * TOP]
        return exact.grade({self.clips[each]: float(scores[each]) for each in best}, TOP)


def _shares(scores: Any, length: int) -> Any:
    """Give what each clip's place in a ranked list of that length adds to its rank."""
    shares = np.zeros(len(scores))
    best = np.argsort(-scores)[:length]
    shares[best] = 1 / (RRF_K + np.arange(1, len(best) + 1))
    return shares


def write_speed(connection: Connection, filled: Filled) -> None:
    """Write vectors of clips again as workers do, one clip a transaction, indexes in place."""
    numbers = range(min(WRITTEN_CLIPS, len(filled.ids)))
    connection.execute(
        "CREATE TEMP TABLE few AS SELECT unnest(%s::uuid[]) AS id",
        ([filled.ids[each] for each in numbers],),
    )
    connection.execute("DELETE FROM clip_vectors WHERE clip_id IN (SELECT id FROM few)")
    before, began = cpu_ns(connection), time.monotonic()
    for number in numbers:
        with connection.transaction():
            for kind, vectors in ((1, filled.summary), (2, filled.keyword)):
                write_vectors(connection, filled, range(number, number + 1), kind, vectors[number:])
    wall_s = time.monotonic() - began
    cpu_s = (cpu_ns(connection) - before) / 1e9
    print(
        f"\nwriting both vectors of {len(numbers):,} clips: {len(numbers) / wall_s:.0f} a second, "
        f"{1000 * cpu_s / len(numbers):.1f} ms of CPU each, wanted 200 a second",
        flush=True,
    )
    connection.execute("DROP TABLE few")


def race(connection: Connection, original: Connection, world: World, filled: Filled) -> None:
    """Ask both designs the same as the large owner, and print how many times less ours takes."""
    theirs = np.flatnonzero(filled.owner_of == 0)
    who = filled.owners[0]
    took: dict[str, list[tuple[float, float]]] = {}
    for number in range(6):
        clip = int(theirs[number])
        topic = int(filled.topic_of[clip])
        vectors = world.vectors(np.array([topic, topic]))
        words = f"topic{topic}x{number % 8}"
        theirs_asked = original_questions(words, vectors, filled.ids[clip], who)
        for search, ask in questions(words, vectors, filled.ids[clip]).items():
            if search not in theirs_asked:
                continue
            ours = measure(connection, who, ask)[0]
            before = cpu_ns(original)
            original.execute(*theirs_asked[search]).fetchall()
            if number:
                took.setdefault(search, []).append((ours, (cpu_ns(original) - before) / 1e6))
    print("\nagainst the original, as the large owner")
    for search, pairs in took.items():
        ours, was = np.median(np.array(pairs), axis=0)
        print(
            f"  {search:<12} {was:8.1f} ms -> {ours:6.1f} ms, {was / ours:6.0f} times", flush=True
        )


def original_questions(
    words: str, vectors: Any, clip: uuid.UUID, who: uuid.UUID
) -> dict[str, tuple[Any, Any]]:
    """Give the same questions to the original's functions."""
    summary, keyword = written(vectors[0]), written(vectors[1])
    return {
        "hybrid": (
            "SELECT id FROM hybrid_search_clips(%s, %s::vector, %s::vector, %s)",
            (words, summary, keyword, who),
        ),
        "semantic": (
            "SELECT id FROM semantic_search_clips(%s::vector, %s::vector, %s)",
            (summary, keyword, who),
        ),
        "similar": ("SELECT id FROM find_similar_clips(%s, %s)", (clip, who)),
        "text": ("SELECT id FROM fulltext_search_clips(%s, %s)", (words, who)),
        "transcripts": ("SELECT clip_id FROM search_transcripts(%s, %s)", (words, who)),
    }


def say(what: str, spent_ms: Sequence[float], more: str) -> None:
    """Print a line."""
    half, most = np.percentile(spent_ms, [50, 95])
    print(f"  {what:<12} p50 {half:6.1f} ms  p95 {most:6.1f} ms  {more}", flush=True)


def measure(
    connection: Connection, who: uuid.UUID, ask: Callable[[Connection], Rows]
) -> tuple[float, Rows]:
    """Give the CPU milliseconds of the database's process for this connection, and the answer."""
    before = cpu_ns(connection)
    found = as_user(connection, who, ask)
    return (cpu_ns(connection) - before) / 1e6, found


def cpu_ns(connection: Connection) -> int:
    """Give the CPU nanoseconds so far of a connection's process."""
    return int(Path(f"/proc/{connection.info.backend_pid}/schedstat").read_text().split()[0])


def as_user(connection: Connection, who: uuid.UUID, ask: Callable[[Connection], Rows]) -> Rows:
    """Ask under row level security."""
    with connection.transaction():
        connection.execute(
            "SELECT set_config('role', 'authenticated', true),"
            " set_config('request.jwt.claims', jsonb_build_object('sub', %s::text)::text, true)",
            (who,),
        )
        return ask(connection)


def _ids(connection: Connection, query: str, *values: Any) -> Rows:
    return [row[0] for row in connection.execute(query.encode(), values)]


def _hybrid(connection: Connection, words: str, summary: str, keyword: str) -> Rows:
    query = "SELECT id FROM hybrid_search_clips(%s, %s::vector, %s::vector)"
    return _ids(connection, query, words, summary, keyword)


def _semantic(connection: Connection, summary: str, keyword: str) -> Rows:
    query = "SELECT id FROM semantic_search_clips(%s::vector, %s::vector)"
    return _ids(connection, query, summary, keyword)


def _similar(connection: Connection, clip: uuid.UUID) -> Rows:
    return _ids(connection, "SELECT id FROM find_similar_clips(%s)", clip)


def _text(connection: Connection, words: str, count: int) -> Rows:
    return _ids(connection, "SELECT id FROM fulltext_search_clips(%s, %s)", words, count)


def _said(connection: Connection, words: str, count: int) -> Rows:
    return _ids(connection, "SELECT clip_id FROM search_transcripts(%s, %s)", words, count)


def _moments(connection: Connection, words: str, vector: str) -> Rows:
    query = "SELECT segment_id FROM search_moments(%s, %s::vector)"
    return _ids(connection, query, words, vector)


def _moment_words(connection: Connection, words: str, count: int) -> Rows:
    query = "SELECT segment_id FROM search_moments(%s, NULL, %s)"
    return _ids(connection, query, words, count)


if __name__ == "__main__":
    main()
