"""Supabase on loopback: `@supabase/lite` on a database of its own of an embedded server.

It shows that clients speak to Supabase as they should. Its tokens hold less than Supabase's, and
it coerces parameters otherwise than PostgREST: of these it is no evidence.
"""

import os
import secrets
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.migrations import sql_folder
from video_assets_tests.servers import quiet_port

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
NODE = shutil.which("node")

CONFIG = """
[api]
port = {port}
[db]
driver = "postgres"
url = "{url}"
[db.seed]
sql_paths = []
[auth]
enabled = true
jwt_secret = "{jwt_secret}"
jwt_expiry = {jwt_expiry_s}
enable_signup = true
publishable_key = "{publishable_key}"
secret_key = "{secret_key}"
[auth.email]
enable_confirmations = false
[storage]
enabled = true
file_size_limit = "50MiB"
"""


@dataclass(frozen=True)
class Project:
    """A project.

    url        of its HTTP interfaces
    admin_url  of its database, as whoever owns the tables
    """

    url: str
    admin_url: str = field(repr=False)
    publishable_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class Lite(Project):
    """A project on loopback.

    admin_url   of its database, as the superuser
    jwt_secret  with which it signs tokens, by HS256
    """

    jwt_secret: str = field(repr=False)


@contextmanager
def serve_lite(server: EmbeddedServer, folder: Path, *, jwt_expiry_s: int = 3600) -> Iterator[Lite]:
    """Run a project with every migration applied, in an empty folder; skips where it cannot."""
    with migrated_lite(server, folder, jwt_expiry_s=jwt_expiry_s) as lite:
        _open_schemas(lite.admin_url)
        with _served(folder, int(lite.url.rpartition(":")[2])):
            yield lite


@contextmanager
def migrated_lite(
    server: EmbeddedServer, folder: Path, *, jwt_expiry_s: int = 3600
) -> Iterator[Lite]:
    """Have lite itself apply every migration to a database, without serving it."""
    if NODE is None or not MODULES.is_dir():
        pytest.skip(f"no node, or nothing in {MODULES.name}: `npm ci` in {HERE.name} brings it")
    name = f"lite_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.admin_url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            lite = _project(server.admin_url(name), folder, jwt_expiry_s)
            _prepare(lite.admin_url)
            migrate_lite(folder)
            yield lite
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(drop)


def migrate_lite(folder: Path) -> None:
    """Apply what a project in a folder lacks."""
    done = subprocess.run(
        [MODULES / ".bin" / "lite", "migration", "up"],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _project(url: str, folder: Path, jwt_expiry_s: int) -> Lite:
    port = quiet_port()
    lite = Lite(
        f"http://127.0.0.1:{port}",
        url,
        publishable_key=f"sb_publishable_{secrets.token_hex(16)}",
        secret_key=f"sb_secret_{secrets.token_hex(16)}",
        jwt_secret=secrets.token_hex(32),
    )
    supabase = folder / "supabase"
    supabase.mkdir(parents=True)
    (supabase / "migrations").symlink_to(sql_folder() / "migrations")
    config = CONFIG.format(
        port=port,
        url=lite.admin_url,
        jwt_secret=lite.jwt_secret,
        jwt_expiry_s=jwt_expiry_s,
        publishable_key=lite.publishable_key,
        secret_key=lite.secret_key,
    )
    (supabase / "config.toml").write_text(config)
    return lite


def _prepare(url: str) -> None:
    """Find what lies in the schema extensions, as every project does."""
    with psycopg.connect(url) as connection:
        name = sql.Identifier(connection.info.dbname)
        path = sql.SQL('"$user", public, extensions')
        connection.execute(sql.SQL("ALTER DATABASE {} SET search_path TO {}").format(name, path))


def _open_schemas(url: str) -> None:
    """Let policies ask who somebody is, and alone decide who reaches which file."""
    with psycopg.connect(url) as connection:
        roles = "anon, authenticated, service_role"
        connection.execute(f"GRANT USAGE ON SCHEMA auth, storage TO {roles}")
        connection.execute(f"GRANT ALL ON storage.buckets, storage.objects TO {roles}")


@contextmanager
def _served(folder: Path, port: int) -> Iterator[None]:
    assert NODE
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [NODE, HERE / "serve.mjs", str(port)],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    with process:
        try:
            said = next((line for line in process.stdout or () if "READY" in line), None)
            assert said is not None, log.read_text()
            yield
        finally:
            process.terminate()


def _environment() -> dict[str, str]:
    quiet = {"DO_NOT_TRACK": "1", "LITE_TELEMETRY": "0", "EXPERIMENTAL_STORAGE": "1"}
    return {**os.environ, **quiet}
