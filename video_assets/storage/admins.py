"""Admins: accounts that may read what all have, made by whoever reaches the database alone."""

from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql

from video_assets.storage.postgres import Postgres

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


def is_admin(catalogue: Postgres, account: UUID) -> bool:
    """Whether an account is an admin."""
    with catalogue.transaction() as connection:
        return bool(queries.is_admin(connection, account=account))


def set_admin(catalogue: Postgres, account: UUID, *, wanted: bool) -> None:
    """Make an account an admin, or no longer one."""
    with catalogue.transaction() as connection:
        queries.set_admin(connection, account=account, wanted=wanted)
