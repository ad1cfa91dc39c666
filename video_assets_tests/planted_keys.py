"""Keys that tests of services are called with, and where they must never be found again."""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from video_assets.redaction import protect

KEYS = {
    name: f"Planted/{number}+{name.lower()[:9]}=Zx9&Qm4%Lw7"
    for number, name in enumerate(
        (
            "VIDEO_ASSETS_SPEECH_API_KEY",
            "VIDEO_ASSETS_EMBEDDING_API_KEY",
            "DEEPINFRA_API_KEY",
            "OPENAI_API_KEY",
            "ANTHROPIC_API_KEY",
            "GEMINI_API_KEY",
        )
    )
}
"""By the variable that holds it. Each is written otherwise in a URL, and none has a known form."""

GREP = shutil.which("grep") or "grep"
ALLOWED = frozenset({"settings.toml"})  # where people write keys themselves


def plant(patch: pytest.MonkeyPatch) -> None:
    """Let this process and its children hold every key."""
    for name, key in KEYS.items():
        patch.setenv(name, key)
    protect([])


def forms_of(key: str) -> set[str]:
    """Every way in which a text may hold a key."""
    data = key.encode()
    # Whatever stands before and behind it, these letters are the same: three bytes are four.
    within = {
        base64.b64encode(data[skipped : skipped + (len(data) - skipped) // 3 * 3]).decode()
        for skipped in range(3)
    }
    return {key, quote(key, safe=""), quote(key), *within}


FORMS = {form: name for name, key in KEYS.items() for form in forms_of(key)}


def found_in(text: str) -> set[str]:
    """Name the keys that a text holds."""
    return {name for form, name in FORMS.items() if form in text}


def found_below(folder: Path, allowed: frozenset[str] = ALLOWED) -> set[str]:
    """Name the files below a folder that hold a key, whatever they are."""
    left_out = (f"--exclude={name}" for name in allowed)
    searched = subprocess.run(
        [GREP, "-rlaF", "-D", "skip", "-f", "-", *left_out, str(folder)],
        input="\n".join(FORMS),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    return {os.path.relpath(line, folder) for line in searched.stdout.splitlines()}


def found_in_database(url: str) -> set[str]:
    """Name the tables of a database in which a row holds a key, and the key."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            """SELECT c.oid::regclass::text, n.nspname, c.relname
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'm')
                  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"""
        ).fetchall()
        return {
            f"{name}: {key}"
            for name, schema, table in tables
            for row in _rows(connection, schema, table)
            for key in found_in(row)
        }


def _rows(connection: psycopg.Connection, schema: str, table: str) -> Iterator[str]:
    statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(schema, table))
    with connection.cursor().copy(statement) as copy:
        for data in copy:
            yield bytes(data).decode("utf-8", "replace").replace("\\\\", "\\")
