"""Whose words stand for an owner's clips, and what the owner says instead.

The ledger is shared by content; these are rows of each owner, and the database applies them where
the ledger is projected. So a change shows at once, and nothing is computed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from video_assets.storage.named_queries import load, together
from video_assets.storage.way_in import WayIn

Field = Literal["summary", "category", "tags"]

queries: Any = load(Path(__file__))


@dataclass(frozen=True)
class Promotion:
    """An analyzer that was chosen for one clip, or for all; one that was rolled back is history."""

    clip_id: UUID | None
    file_name: str | None
    analyzer: str
    promoted_at: datetime
    rolled_back_at: datetime | None


def promote(
    catalogue: WayIn, owner: UUID, analyzer: str, clips: Sequence[UUID] | None = None
) -> None:
    """Let an analyzer's words stand for some clips, or for all that have none of their own choice.

    Where it has said nothing, what was chosen before stands.
    """
    with catalogue.transaction(owner) as connection:
        queries.promote(connection, analyzer=analyzer, clips=_listed(clips))


def roll_back(
    catalogue: WayIn, owner: UUID, clips: Sequence[UUID] | None = None
) -> list[Promotion]:
    """Take back the newest promotion of each of these clips, or the newest for all."""
    with catalogue.transaction(owner) as connection:
        rows = queries.roll_back(connection, clips=_listed(clips))
        return [Promotion(**row, file_name=None) for row in rows]


def promotions(
    catalogue: WayIn, owner: UUID, clips: Sequence[UUID] | None = None
) -> list[Promotion]:
    """List whom an owner promoted, the newest first: for all, and for these clips or any."""
    with catalogue.transaction(owner) as connection:
        rows = queries.promotions(connection, clips=_listed(clips))
        return [Promotion(**row) for row in rows]


def speakers(
    catalogue: WayIn, owner: UUID, clips: Sequence[UUID] | None = None
) -> dict[str | None, int]:
    """Count for how many clips each analyzer's words stand; None: for those nobody's do."""
    with catalogue.transaction(owner) as connection:
        rows = queries.speakers(connection, clips=_listed(clips))
        return {row["analyzer"]: row["clips"] for row in rows}


def edit(
    catalogue: WayIn,
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
    changes = [partial(queries.clear, clip_id=clip_id)] if clear else []
    changes += [
        partial(getattr(queries, f"set_{field}"), clip_id=clip_id, value=value)
        for field, value in values.items()
    ]
    with catalogue.transaction(owner) as connection:
        *_, edited = together(connection, *changes, partial(queries.edited, clip_id=clip_id))
    return [row["field"] for row in edited]


def _listed(clips: Sequence[UUID] | None) -> list[UUID] | None:
    return None if clips is None else list(clips)
