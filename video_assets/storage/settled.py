"""Settled clips: those of which a plan wants nothing now, so that nobody has to look at them again.

A clip is settled by whoever looked, for one plan and a time, and no longer so as soon as one of its
results changes. So finding what is to be done costs as much as there is to do.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql

from video_assets.storage.postgres import Postgres

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class OpenClip:
    """One owner's clip at which somebody has to look."""

    id: UUID
    checksum: str
    preset: str


@dataclass(frozen=True)
class Settled:
    """That a plan, by its digest, wants nothing of a clip for some seconds, or until it changes."""

    clip: UUID
    plan: str
    wait_s: float = math.inf


def presets_in_use(catalogue: Postgres) -> list[str]:
    """Name the presets that clips go by; the empty name is of clips that tell none."""
    with catalogue.transaction() as connection:
        return [row["preset"] for row in _queries.presets_in_use(connection)]


def unsettled(
    catalogue: Postgres, plans: Mapping[str, str], taken: Collection[str], *, at_most: int
) -> list[OpenClip]:
    """List clips that are not settled, the owners taking turns.

    plans  preset to the digest of its plan
    taken  checksums that somebody has in hand
    """
    with catalogue.transaction() as connection:
        rows = _queries.unsettled(
            connection,
            presets=list(plans),
            plans=list(plans.values()),
            taken=list(taken),
            at_most=at_most,
        )
        return [OpenClip(row["id"], row["file_checksum"], row["preset"]) for row in rows]


def settle(catalogue: Postgres, settled: Sequence[Settled]) -> None:
    """Note of which clips nothing is wanted."""
    with catalogue.transaction() as connection:
        _queries.settle(
            connection,
            clips=[each.clip for each in settled],
            plans=[each.plan for each in settled],
            waits_s=[each.wait_s for each in settled],
        )
