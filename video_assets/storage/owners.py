"""Owners: whom a word names, and what admins see of all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from video_assets.settings import LOCAL, LOCAL_OWNER
from video_assets.storage.named_queries import load
from video_assets.storage.postgres import Postgres
from video_assets.storage.way_in import WayIn

_queries: Any = load(Path(__file__))


class OwnerError(ValueError):
    """There is no such owner, or whoever asks may not see the others."""


@dataclass(frozen=True)
class Profile:
    """An owner, how much they have, and what was spent for them this month."""

    id: UUID
    email: str | None
    display_name: str | None
    profile_type: str
    created_at: datetime
    clips: int
    size_bytes: int
    duration_s: float
    month_usd: Decimal


@dataclass(frozen=True)
class SomebodysClip:
    """A clip, whoever has it."""

    id: UUID
    user_id: UUID
    file_name: str
    file_path: str
    file_checksum: str
    file_size_bytes: int
    duration_seconds: Decimal | None
    state: str
    processing_progress: int
    content_category: str | None
    content_summary: str | None
    content_tags: list[str] | None
    created_at: datetime


@dataclass(frozen=True)
class Statistics:
    """How much there is of all owners together.

    contents  clips that differ: several owners may have the same
    """

    owners: int
    admins: int
    clips: int
    contents: int
    size_bytes: int
    duration_s: float
    unfinished: int
    month_usd: Decimal


def find(catalogue: Postgres, word: str) -> UUID | None:
    """Find an owner by id or address; `local` is the one of an embedded catalogue."""
    with catalogue.transaction() as connection:
        return _queries.find(connection, word=str(LOCAL_OWNER) if word == LOCAL else word)


def require(catalogue: Postgres, owner: UUID) -> None:
    """Raise OwnerError where an owner has no account: their clips could not be written down."""
    if find(catalogue, str(owner)) is not None:
        return
    if owner == LOCAL_OWNER:
        raise OwnerError(
            "this catalogue has accounts, and `local` is none of them; set SUPABASE_URL and "
            "SUPABASE_PUBLISHABLE_KEY and run `video-assets auth login`, or name the id of a user "
            "as owner of the watched folder"
        )
    raise OwnerError(
        f"owner {owner} has no account in this catalogue; `video-assets auth status` shows the id "
        "of whoever is signed in"
    )


def profiles(
    catalogue: WayIn, admin: UUID, *, at_most: int, skipped: int = 0
) -> tuple[list[Profile], int]:
    """List owners in the order in which they came, and give how many there are."""
    with _asked_by(catalogue, admin) as connection:
        rows = list(_queries.profiles(connection, at_most=at_most, skipped=skipped))
    return [Profile(**_counted(row)) for row in rows], _total(rows)


def clips(
    catalogue: WayIn, admin: UUID, whose: str | None, *, at_most: int, skipped: int = 0
) -> tuple[list[SomebodysClip], int]:
    """List the clips of one owner, or of all, newest first, and give how many there are."""
    with _asked_by(catalogue, admin) as connection:
        rows = list(_queries.clips(connection, whose=whose, at_most=at_most, skipped=skipped))
    return [SomebodysClip(**_counted(row)) for row in rows], _total(rows)


def statistics(catalogue: WayIn, admin: UUID) -> Statistics:
    """Add up what there is of all owners."""
    with _asked_by(catalogue, admin) as connection:
        return Statistics(**_queries.statistics(connection))


@contextmanager
def _asked_by(catalogue: WayIn, admin: UUID) -> Iterator[Any]:
    try:
        with catalogue.transaction(admin) as connection:
            yield connection
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue) as refused:
        raise OwnerError(refused.diag.message_primary or str(refused)) from None


def _counted(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "total"}


def _total(rows: list[dict[str, Any]]) -> int:
    return rows[0]["total"] if rows else 0
