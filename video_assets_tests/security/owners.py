"""Owners with a row in every table, and ways to ask as one of them."""

import uuid
from dataclasses import dataclass
from typing import Any

import psycopg

from video_assets.storage.postgres import Postgres

DENIED = psycopg.errors.InsufficientPrivilege
CHILDREN = {
    "clip_locations": "clip_id",
    "artifacts": "video_id",
    "processing_events": "video_id",
    "scenes": "video_id",
    "segments": "clip_id",
    "transcripts": "clip_id",
    "run_clips": "clip_id",
    "clip_texts": "clip_id",
    "vectors": "clip_id",
    "clip_vectors": "clip_id",
    "moment_vectors": "clip_id",
    "analysis": "clip_id",
    "promotions": "clip_id",
    "human_edits": "clip_id",
}
OWNED = (
    "clips",
    "unreadable_files",
    "runs",
    "run_unreadable_files",
    "forgotten",
    "ai_calls",
    *CHILDREN,
)
SHARED = "a" * 64


@dataclass(frozen=True)
class Owner:
    """An owner with a clip."""

    id: uuid.UUID
    clip: uuid.UUID
    name: str
    checksum: str


def make_owner(
    catalogue: Postgres,
    admin_url: str,
    name: str,
    checksum: str = SHARED,
    *,
    account: uuid.UUID | None = None,
) -> Owner:
    """Give an account rows that all hold its name, with a clip that others may have too.

    account  None: a new one
    """
    owner, clip = account or uuid.uuid4(), uuid.uuid4()
    if account is None:
        with psycopg.connect(admin_url) as connection:
            connection.execute(
                "INSERT INTO auth.users (id, email) VALUES (%s, %s)",
                (owner, f"{name}@example.org"),
            )
    values = {
        "owner": owner,
        "clip": clip,
        "name": name,
        "path": name.encode(),
        "checksum": checksum,
    }
    with catalogue.transaction() as connection:
        for statement in (
            """INSERT INTO clips (id, user_id, file_path, local_path, file_name, file_checksum,
                                  file_size_bytes, content_summary, full_transcript, camera_make,
                                  gps_latitude, gps_longitude)
               VALUES (%(clip)s, %(owner)s, '/x', '/x', %(name)s, %(checksum)s, 1, %(name)s,
                       %(name)s, %(name)s, 47.37, 8.54)""",
            """INSERT INTO clip_locations (clip_id, user_id, host, path_bytes, path, size_bytes,
                                           mtime_ns)
               VALUES (%(clip)s, %(owner)s, 'host', %(path)s, %(name)s, 1, 1)""",
            """INSERT INTO unreadable_files (user_id, host, path_bytes, path, reason)
               VALUES (%(owner)s, 'host', %(path)s, %(name)s, 'torn')""",
            """INSERT INTO forgotten (user_id, identity, file_checksum)
               VALUES (%(owner)s, repeat('b', 64), repeat('b', 64))""",
            """INSERT INTO artifacts (video_id, user_id, step_name, artifact_type, file_path)
               VALUES (%(clip)s, %(owner)s, 'thumbnails', %(name)s, 'aa/0.jpg')""",
            """INSERT INTO processing_events (video_id, user_id, step_name, status)
               VALUES (%(clip)s, %(owner)s, 'probe', 'done')""",
            """INSERT INTO scenes (video_id, user_id, scene_number, timestamp_start, timestamp_end)
               VALUES (%(clip)s, %(owner)s, 1, 0, 1)""",
            """INSERT INTO segments (clip_id, user_id, kind, number, content)
               VALUES (%(clip)s, %(owner)s, 'passage', 1, %(name)s)""",
            """INSERT INTO transcripts (clip_id, user_id, full_text, segments)
               VALUES (%(clip)s, %(owner)s, %(name)s, '[]')""",
            """INSERT INTO runs (run_id, user_id, kind, preset, preset_document, host, process)
               VALUES (%(name)s, %(owner)s, 'ingest', 'default', '{}', 'host', '1 1.00')""",
            """INSERT INTO run_clips (run_id, clip_id, user_id, taken_as)
               VALUES (%(name)s, %(clip)s, %(owner)s, 'new')""",
            """INSERT INTO run_unreadable_files (run_id, user_id, path, reason)
               VALUES (%(name)s, %(owner)s, %(name)s, 'torn')""",
            """INSERT INTO embedding_spaces (id, model, is_in_use) VALUES (1, 'a model', true)
               ON CONFLICT DO NOTHING""",
            """INSERT INTO vectors (clip_id, user_id, embedding_source, embedded_content)
               VALUES (%(clip)s, %(owner)s, 'a model', %(name)s)""",
            """INSERT INTO clip_vectors (user_id, space, kind, clip_id, v)
               SELECT %(owner)s, 1, 1, %(clip)s, array_fill(1, ARRAY[1024])::vector""",
            """INSERT INTO moment_vectors (user_id, space, clip_id, segment_id, v)
               SELECT %(owner)s, 1, clip_id, id, array_fill(1, ARRAY[1024])::vector
                 FROM segments WHERE clip_id = %(clip)s""",
            """INSERT INTO ai_calls (user_id, file_checksum, asset, provider, model, account,
                                     request, reserved_usd, reserved_tokens, answer)
               VALUES (%(owner)s, %(checksum)s, 'gemini_analysis', 'gemini', 'a model', 'x', 'y',
                       0.1, 100, to_jsonb(%(name)s::text))""",
            """INSERT INTO analysis (clip_id, user_id, analyzer, ai_model, analysis_summary)
               VALUES (%(clip)s, %(owner)s, 'gemini_analysis', 'a model',
                       to_jsonb(%(name)s::text))""",
            """INSERT INTO promotions (user_id, clip_id, analyzer)
               VALUES (%(owner)s, %(clip)s, lower(%(name)s) || '_analysis')""",
            """INSERT INTO human_edits (clip_id, user_id, field, value)
               VALUES (%(clip)s, %(owner)s, 'content_summary', to_jsonb(%(name)s::text))""",
            """INSERT INTO results (file_checksum, asset, status, code_version, result, measured_at)
               VALUES (%(checksum)s, 'probe', 'done', '1', '{}', now() - interval '1 year')
               ON CONFLICT DO NOTHING""",
        ):
            connection.execute(statement.encode(), values)
    return Owner(owner, clip, name, checksum)


REMAINS = (
    """INSERT INTO results (file_checksum, asset, status, code_version, error, error_class)
       VALUES (%(checksum)s, 'camera', 'failed', '1', %(name)s, %(name)s)""",
    """INSERT INTO results (file_checksum, asset, status, code_version, result)
       VALUES (%(checksum)s, 'video_document', 'done', '1',
               jsonb_build_object('content', %(name)s::text))""",
    "INSERT INTO storage.buckets (id, name) VALUES (%(name)s, %(name)s)",
    """INSERT INTO deletions (kind, target, marked_by)
       VALUES ('forgotten', %(checksum)s, %(name)s)""",
    """INSERT INTO private.postponed_cells (file_checksum, asset, reason, until)
       VALUES (%(checksum)s, 'camera', %(name)s, 'infinity')""",
    """INSERT INTO private.ai_pauses (account, provider, asset, reason)
       VALUES (%(name)s, 'gemini', 'gemini_analysis', %(name)s)""",
    "INSERT INTO private.messages (covers_until, is_delivered) VALUES (now(), true)",
    "UPDATE clips SET planned_steps = '{probe}' WHERE id = %(clip)s",
    """INSERT INTO processing_events (video_id, user_id, step_name, status, "timestamp")
       SELECT id, user_id, 'probe', 'starting', now() + interval '1 s' FROM clips
        WHERE id = %(clip)s""",
    # Whatever is written of a clip takes this back.
    "INSERT INTO private.settled_clips (clip_id, plan) VALUES (%(clip)s, %(name)s)",
    "ANALYZE",  # what is known of values is more to guess by
)


def fill(admin_url: str, owner: Owner) -> None:
    """Write into every table beside an owner's own what workers keep of their clip."""
    values = {
        "clip": owner.clip,
        "name": owner.name,
        "checksum": owner.checksum,
    }
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for statement in REMAINS:
            connection.execute(statement.encode(), values)


def run(catalogue: Postgres, owner: Owner, query: str, *values: Any) -> list[dict[str, Any]]:
    """Ask as an owner."""
    with catalogue.transaction(owner.id) as connection:
        cursor = connection.execute(query.encode(), values)
        return cursor.fetchall() if cursor.description else []


def count(catalogue: Postgres, owner: Owner, query: str, *values: Any) -> int:
    """Give how many rows a statement of an owner reached."""
    with catalogue.transaction(owner.id) as connection:
        return connection.execute(query.encode(), values).rowcount
