"""The original design's searches of the same clips, on a server of its own beside ours."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from search_asked import Question, ask, cpu_ns, measure
from search_exact import TOP, Exact, Grades
from search_vectors import Connection

from video_assets.search.measures import recall_at
from video_assets.services.vectors import written
from video_assets.storage import binaries, postmaster, unprivileged

CLIPS = """id, user_id, file_path, local_path, file_name, file_checksum, file_size_bytes,
           content_summary, full_transcript, transcript_preview, transcript_word_count"""
VECTORS = """clip_id, user_id, embedding_type, embedding_source, summary_vector, keyword_vector,
             embedded_content"""
COPIED = (
    ("auth.users (id)", "SELECT id FROM auth.users WHERE email LIKE '%@example.org'"),
    (f"clips ({CLIPS})", f"SELECT {CLIPS} FROM clips"),  # noqa: S608
    (
        f"vectors ({VECTORS})",
        """SELECT s.clip_id, s.user_id, 'full_clip', 'x', s.v::vector, k.v::vector, 'x'
             FROM clip_vectors AS s
             JOIN clip_vectors AS k USING (user_id, space, clip_id)
            WHERE s.kind = 1 AND k.kind = 2""",
    ),
    (
        "transcripts (clip_id, user_id, full_text, segments)",
        "SELECT clip_id, user_id, full_text, segments FROM transcripts",
    ),
)
INDEXES = (
    "CREATE INDEX ON clips (user_id)",
    "CREATE INDEX ON clips USING gin (fts)",
    "CREATE INDEX ON transcripts USING gin (fts)",
    "CREATE INDEX ON vectors USING hnsw (summary_vector vector_ip_ops)",
    "CREATE INDEX ON vectors USING hnsw (keyword_vector vector_ip_ops)",
)

WARMED_S = 10.0

Others = Sequence[Question]
Found = list[uuid.UUID]


@contextmanager
def original_server(folder: Path, major: int) -> Iterator[str]:
    """Run a server that trusts whoever is on this machine; give its address without a database."""
    data = folder / f"pg{major}"
    account = unprivileged.server_account(data)
    copies = folder / f"binaries{major}"
    copies.mkdir(mode=0o755, parents=True, exist_ok=True)
    install = binaries.copy_for_everyone(binaries.install_folder(major), copies)
    control = postmaster.Control(install, data, account)
    if not data.exists():
        data.mkdir(mode=0o700)
        if account is not None:
            account.owns(data)
        words = ["-U", "postgres", "-A", "trust", "--encoding=UTF8", "--locale=C"]
        control.run(["initdb", "-D", data, *words], folder / "initdb.log")
    port = postmaster.free_port()
    control.start(port, folder / "pg_ctl.log")
    try:
        yield f"postgresql://postgres@{postmaster.HOST}:{port}"
    finally:
        control.stop(folder / "pg_ctl.log")


def load_original(server: str, ours: Connection, baseline: Path) -> None:
    """Make its database unless an earlier run has, with the indexes that it names."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        if admin.execute("SELECT 1 FROM pg_database WHERE datname = 'original'").fetchone():
            return
        admin.execute("DROP DATABASE IF EXISTS unfinished")
        admin.execute("CREATE DATABASE unfinished")
        with psycopg.connect(f"{server}/unfinished", autocommit=True) as theirs:
            _load(theirs, ours, baseline)
        admin.execute("ALTER DATABASE unfinished RENAME TO original")


def _load(theirs: Connection, ours: Connection, baseline: Path) -> None:
    for role in ("anon", "authenticated", "service_role"):
        if not theirs.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
            theirs.execute(f"CREATE ROLE {role}".encode())
    theirs.execute(baseline.read_bytes())
    for target, source in COPIED:
        with (
            ours.cursor().copy(f"COPY ({source}) TO STDOUT (FORMAT BINARY)".encode()) as read,
            theirs.cursor().copy(f"COPY {target} FROM STDIN (FORMAT BINARY)".encode()) as write,
        ):
            for block in read:
                write.write(block)
    theirs.execute("SET maintenance_work_mem = '2GB'")
    for index in INDEXES:
        theirs.execute(index.encode())
    theirs.execute("VACUUM ANALYZE")


def race(
    ours: Connection, server: str, major: int, questions: Sequence[Question], others: Others
) -> None:
    """Ask both designs the same, and print what each takes, and what the original misses.

    Each is asked by itself: the original reads every vector, after which nothing that ours needs
    is near the processor any more.
    """
    graded = _graded(ours, questions)
    print(f"\nagainst the original on Postgres {major}, as the large owner", flush=True)
    with psycopg.connect(f"{server}/original", autocommit=True) as theirs:
        for search in _their_searches(questions[0]):
            was, found = _ask_alone(partial(_measure_theirs, theirs, search), questions, others)
            now, _ = _ask_alone(partial(_measure_ours, ours, search), questions, others)
            print(
                f"  {search:<12} {was:8.1f} ms -> {now:6.1f} ms, {was / now:6.1f} times"
                + _found(found, [grades.get(search) for grades in graded]),
                flush=True,
            )


def _ask_alone(
    measured: Callable[[Question], tuple[float, Found]],
    questions: Sequence[Question],
    others: Others,
) -> tuple[float, list[Found]]:
    """Give the middle of what questions take after a while of other ones, and their answers."""
    end = time.monotonic() + WARMED_S
    for other in others:
        if time.monotonic() > end:
            break
        measured(other)
    answers = [measured(question) for question in questions]
    return float(np.median([took for took, _ in answers])), [found for _, found in answers]


def _measure_ours(connection: Connection, search: str, question: Question) -> tuple[float, Found]:
    return measure(connection, question.who, question.searches()[search])


def _measure_theirs(connection: Connection, search: str, question: Question) -> tuple[float, Found]:
    before = cpu_ns(connection)
    found = ask(connection, _their_searches(question)[search])
    return (cpu_ns(connection) - before) / 1e6, found


def _graded(connection: Connection, questions: Sequence[Question]) -> list[dict[str, Grades]]:
    exact = Exact(connection, questions[0].who)
    graded = []
    for question in questions:
        text = measure(connection, question.who, question.ranked_texts())[1]
        graded.append(exact.grades(text, question.clip, (question.summary, question.keyword)))
    return graded


def _found(found: Sequence[Found], graded: Sequence[Grades | None]) -> str:
    recalls = [
        recall_at(answer, wanted, TOP)
        for answer, wanted in zip(found, graded, strict=True)
        if wanted
    ]
    return f", it finds {np.mean(recalls):.3f}" if recalls else ""


def _their_searches(question: Question) -> dict[str, tuple[str, tuple[Any, ...]]]:
    """Give a question to the original's functions, which take an owner for granted."""
    summary, keyword, who = written(question.summary), written(question.keyword), question.who
    return {
        "hybrid": (
            "SELECT id FROM hybrid_search_clips(%s, %s::vector, %s::vector, %s)",
            (question.words, summary, keyword, who),
        ),
        "semantic": (
            "SELECT id FROM semantic_search_clips(%s::vector, %s::vector, %s)",
            (summary, keyword, who),
        ),
        "similar": (
            "SELECT id FROM find_similar_clips(%s, %s, %s, 0)",
            (question.clip, who, TOP),
        ),
        "text": ("SELECT id FROM fulltext_search_clips(%s, %s)", (question.words, who)),
        "transcripts": ("SELECT clip_id FROM search_transcripts(%s, %s)", (question.words, who)),
    }
