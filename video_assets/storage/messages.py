"""What somebody is still to be told of: steps that failed for good since the last message."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql
from psycopg.types.json import Jsonb

from video_assets.storage.postgres import Postgres

EXAMPLES = 3

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Cause:
    """One cause of failure, and how many clips it hit.

    examples  file names of the owner who is told; a clip of others is called by its checksum
    """

    asset: str
    fault: str
    error_class: str
    clips: int
    examples: list[str]
    error: str


@dataclass(frozen=True)
class Due:
    """A message that may be sent now."""

    since: datetime
    until: datetime
    causes: list[Cause]


@contextmanager
def due(
    catalogue: Postgres,
    owner: UUID,
    *,
    min_interval_s: float,
    lasting: int,
    passing: Mapping[str, int],
) -> Iterator[Due | None]:
    """Give what failed for good since the last message; None when it is too early for another.

    lasting  attempts after which a step is not tried again, where the clip itself is to blame
    passing  the same by step, where something else was
    """
    with catalogue.transaction() as connection:
        if not _queries.take_turn(connection):  # another process is sending
            yield None
            return
        last = _queries.last_message(connection, min_interval_s=min_interval_s)
        if not last["is_time"]:
            yield None
            return
        rows = _queries.failures(
            connection,
            owner=owner,
            since=last["since"],
            until=last["until"],
            lasting=lasting,
            passing=Jsonb(dict(passing)),
            at_most=EXAMPLES,
        )
        yield Due(last["since"], last["until"], [Cause(**row) for row in rows])


def note(catalogue: Postgres, message: Due, *, is_delivered: bool) -> None:
    """Remember that a message was sent, or that nobody took it."""
    with catalogue.transaction() as connection:
        _queries.note(connection, until=message.until, is_delivered=is_delivered)
