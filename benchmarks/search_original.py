"""The original design's searches on the same clips, in a database beside ours."""

from pathlib import Path
from typing import Any

import psycopg

from video_assets.storage.embedded import EmbeddedServer

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


def load_original(server: EmbeddedServer, ours: psycopg.Connection[Any], baseline: Path) -> None:
    """Make its database unless an earlier run has, with the indexes that it names."""
    with psycopg.connect(server.admin_url("postgres"), autocommit=True) as admin:
        known = admin.execute("SELECT FROM pg_database WHERE datname = 'original'").fetchone()
        if known is not None:
            return
        admin.execute("CREATE DATABASE original")
    with psycopg.connect(server.admin_url("original"), autocommit=True) as theirs:
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
