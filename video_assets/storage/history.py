"""The history of clips: what was begun, what came of it and how long it took, attempt by attempt.

Kept for whoever looks on, in the table `processing_events` and in the log; neither ever fails the
work that it tells of.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiosql
from psycopg.types.json import Jsonb

LETTERS_OF_CLIP = 12

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")
_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())  # where no log is open, nothing is said


@dataclass(frozen=True)
class Event:
    """What happened to some clips in one asset.

    failed  the clip's content is at fault
    error   something else is: a bug, a service, a file out of reach, a process that was killed
    """

    asset: str
    status: Literal["starting", "completed", "failed", "error"]
    run_id: str | None
    error: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def note(connection: Any, event: Event, checksums: Sequence[str]) -> None:
    """Write a row for every owner of the clips, in the transaction of what happened."""
    _queries.note(
        connection,
        checksums=list(checksums),
        step=event.asset,
        status=event.status,
        error=event.error,
        metadata=Jsonb({"run": event.run_id, **event.facts}),
    )


def tell(event: Event, checksums: Sequence[str]) -> None:
    """Write a line for each clip into the log, once what happened is committed."""
    level = logging.INFO if event.error is None else logging.WARNING
    for checksum in checksums:
        about = {"clip": checksum[:LETTERS_OF_CLIP], "asset": event.asset, "run": event.run_id}
        _log.log(level, _sentence(event), extra={**about, "event": event.status, **event.facts})


def tell_registered(checksum: str, state: str, path: str) -> None:
    """Write into the log what registration made of a file."""
    about = {"clip": checksum[:LETTERS_OF_CLIP], "asset": "checksum", "run": None}
    _log.info("%s is %s", path, state, extra={**about, "event": "registered"})


def _sentence(event: Event) -> str:
    text = f"{event.asset} {event.status}"
    return text if event.error is None else f"{text}: {event.error}"
