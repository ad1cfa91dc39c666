"""Whose words stand for an owner's clips, and what the owner says instead.

The ledger is shared by content; these are rows of each owner, and the database applies them where
the ledger is projected. So a change shows at once, and nothing is computed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import aiosql

from video_assets.storage.postgres import Connection, Postgres

Field = Literal["summary", "category", "tags"]

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Promotion:
    """An analyzer that was chosen for one clip, or for all; one that was rolled back is history."""

    clip_id: UUID | None
    file_name: str | None
    analyzer: str
    promoted_at: datetime
    rolled_back_at: datetime | None


def promote(
    catalogue: Postgres, owner: UUID, analyzer: str, clips: Sequence[UUID] | None = None
) -> None:
    """Let an analyzer's words stand for some clips, or for all that have none of their own choice.

    Where it has said nothing, what was chosen before stands.
    """
    with catalogue.transaction(owner) as connection:
        _queries.promote(connection, analyzer=analyzer, clips=_listed(clips))


def roll_back(
    catalogue: Postgres, owner: UUID, clips: Sequence[UUID] | None = None
) -> list[Promotion]:
    """Take back the newest promotion of each of these clips, or the newest for all."""
    with catalogue.transaction(owner) as connection:
        rows = _queries.roll_back(connection, clips=_listed(clips))
        return [Promotion(**row, file_name=None) for row in rows]


def promotions(
    catalogue: Postgres, owner: UUID, clips: Sequence[UUID] | None = None
) -> list[Promotion]:
    """List whom an owner promoted, the newest first: for all, and for these clips or any."""
    with catalogue.transaction(owner) as connection:
        rows = _queries.promotions(connection, clips=_listed(clips))
        return [Promotion(**row) for row in rows]


def speakers(
    catalogue: Postgres, owner: UUID, clips: Sequence[UUID] | None = None
) -> dict[str | None, int]:
    """Count for how many clips each analyzer's words stand; None: for those nobody's do."""
    with catalogue.transaction(owner) as connection:
        rows = _queries.speakers(connection, clips=_listed(clips))
        return {row["analyzer"]: row["clips"] for row in rows}


def edit(
    catalogue: Postgres,
    owner: UUID,
    clip_id: UUID,
    values: Mapping[Field, str | list[str] | None],
    *,
    clear: bool = False,
) -> list[str]:
    """Set what an owner says of a clip, and give the fields that are the owner's words now.

    values  None: that there is nothing to say; a field that is not named stays as it is
    clear   takes back first what was set before
    """
    with catalogue.transaction(owner) as connection:
        if clear:
            _queries.clear(connection, clip_id=clip_id)
        for field, value in values.items():
            getattr(_queries, f"set_{field}")(connection, clip_id=clip_id, value=value)
        return edited(connection, clip_id)


def edited(connection: Connection, clip_id: UUID) -> list[str]:
    """Name the fields of a clip that its owner set, within a transaction of the owner."""
    return [row["field"] for row in _queries.edited(connection, clip_id=clip_id)]


def _listed(clips: Sequence[UUID] | None) -> list[UUID] | None:
    return None if clips is None else list(clips)
