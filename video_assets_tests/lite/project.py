"""The project that tests of clients use: a real one that variables name, else one on loopback."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from video_assets_tests.lite.server import Project

VARIABLE = "TEST_SUPABASE_"  # of the names of the settings nothing reaches a test
PREFIX = "video-assets-test-"


def named_project() -> Project | None:
    """The project that the variables name, if they do."""
    names = ("URL", "DB_URL", "PUBLISHABLE_KEY", "SECRET_KEY")
    given = [os.environ.get(f"{VARIABLE}{name}", "") for name in names]
    if not any(given):
        return None
    missing = [f"{VARIABLE}{name}" for name, value in zip(names, given, strict=True) if not value]
    if missing:
        pytest.fail(f"{', '.join(missing)} are needed too")
    return Project(*given)


def new_address(name: str = "somebody") -> str:
    """An address that nobody has yet; Supabase takes none of example.org."""
    domain = os.environ.get(f"{VARIABLE}DOMAIN", "example.org")
    return f"{PREFIX}{name}-{uuid.uuid4().hex[:12]}@{domain}"


@contextmanager
def without_traces(project: Project) -> Iterator[Project]:
    """Lend a project, and remove the accounts that were made meanwhile, with all that is theirs."""
    with psycopg.connect(project.admin_url, autocommit=True) as connection:
        before = {row[0] for row in connection.execute("SELECT id FROM auth.users")}
        try:
            yield project
        finally:
            connection.execute(
                "DELETE FROM auth.users WHERE email LIKE %s AND id <> ALL (%s)",
                (f"{PREFIX}%", list(before)),
            )
