"""What a search costs, and what it misses: the CPU of the database's own process.

    python benchmarks/search.py [--clips 100000] [--moments 1000000] [--queries 100] [--home DIR]
                                [--postgres 16 18]

One owner has nine tenths of the clips, a hundred have the rest. Everything is asked as an owner
under row level security, through the public functions. What is missed is found by reading every
vector. Where the SQL of the original design is at hand, it is asked the same questions, as the
database's owner and without row level security, under which it does not run, on each Postgres
that is named.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from search_asked import cpu_ns, make_questions
from search_fill import Filled, fill, kept
from search_geometry import print_geometry
from search_groups import OTHERS, ask_common, ask_group
from search_original import load_original, original_server, race
from search_world import KEYWORD, SUMMARY, World

from video_assets.services.vectors import written
from video_assets.settings import Settings
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.embedded import EmbeddedServer
from video_assets_tests.servers import remove_server

BASELINE = Path(__file__).parents[2] / "shared" / "baseline" / "original_search.sql"
WRITTEN_CLIPS = 10_000
RACED = 30


def main() -> None:
    """Fill a catalogue, ask, and print a line for each search and size of owner."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--moments", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--home", type=Path, help="keep the catalogue here, and use it again")
    parser.add_argument("--baseline", type=Path, default=BASELINE, help="SQL of the original")
    parser.add_argument("--postgres", type=int, nargs="*", default=[], help="where to race it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="video-assets-", dir="/var/tmp") as folder:
        home = given.home or Path(folder) / "home"
        Path(folder).chmod(0o755)  # the server's account looks into it
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
        world = World.make(seed=2)
        print_geometry(world)
        for name, owners in grouped(filled).items():
            print(f"\n{name}, {given.queries} questions", flush=True)
            ask_group(connection, world, filled, owners, given.queries)
        print("\nwords that are nearly everywhere, as the large owner", flush=True)
        ask_common(connection, filled.owners[0])
        questions, others = (make_questions(world, filled, [0], each) for each in (RACED, OTHERS))
        for major in given.postgres:
            with original_server(home / "original", major) as theirs:
                load_original(theirs, connection, given.baseline)
                race(connection, theirs, major, questions, others)
    write_speed(server.admin_url("video_assets"), world, filled)


def grouped(filled: Filled) -> dict[str, list[int]]:
    """Group the owners by how many clips they have."""
    counts = np.bincount(filled.owner_of, minlength=len(filled.owners)).tolist()
    groups = {f"an owner of {counts[0]:,} clips": [0]}
    for least, most in ((100, 1500), (1, 99)):
        chosen = [owner for owner, count in enumerate(counts) if owner and least <= count <= most]
        if chosen:
            sizes = [counts[owner] for owner in chosen]
            groups[f"{len(chosen)} owners of {min(sizes)} to {max(sizes)} clips"] = chosen
    return groups


def write_speed(url: str, world: World, filled: Filled) -> None:
    """Write vectors of clips again as workers do, one clip a transaction, indexes in place."""
    count = min(WRITTEN_CLIPS, len(filled.ids))
    meant = filled.meanings[:count]
    summaries, keywords = (world.vectors(meant, kind) for kind in (SUMMARY, KEYWORD))
    rows = [
        [filled.owner(number), filled.ids[number], written(summary), written(keyword)]
        for number, (summary, keyword) in enumerate(zip(summaries, keywords, strict=True))
    ]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "DELETE FROM clip_vectors WHERE kind IN (1, 2) AND clip_id = ANY (%s)",
            ([clip for _, clip, _, _ in rows],),
        )
    print()
    for writers in (1, 2):
        half = rows[writers - 1 :: 2]
        began = time.monotonic()
        with ThreadPoolExecutor(writers) as pool:
            parts = [half[number::writers] for number in range(writers)]
            cpu_s = sum(pool.map(_write, [url] * writers, parts))
        rate = len(half) / (time.monotonic() - began)
        print(
            f"writing both vectors of {len(half):,} clips, {writers} at a time: {rate:.0f} a "
            f"second, {1000 * cpu_s / len(half):.1f} ms of CPU each, wanted 200 a second",
            flush=True,
        )


def _write(url: str, rows: Sequence[Sequence[Any]]) -> float:
    with psycopg.connect(url, autocommit=True) as connection:
        before = cpu_ns(connection)
        for owner, clip, summary, keyword in rows:
            connection.execute(
                """INSERT INTO clip_vectors (user_id, space, kind, clip_id, v)
                   VALUES (%s, 1, 1, %s, %s::halfvec), (%s, 1, 2, %s, %s::halfvec)
                   ON CONFLICT (user_id, space, kind, clip_id) DO UPDATE SET v = excluded.v""",
                (owner, clip, summary, owner, clip, keyword),
            )
        return (cpu_ns(connection) - before) / 1e9


if __name__ == "__main__":
    main()
