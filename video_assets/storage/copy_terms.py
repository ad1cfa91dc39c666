"""Whether one catalogue can take another's rows, and what it has to know for that."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql

from video_assets.storage.catalogue import CatalogueError
from video_assets.storage.copied_tables import ALL
from video_assets.storage.row_digests import Columns, columns_of

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class Terms:
    """What both catalogues agree on.

    spaces  numbers at the source of the models whose vectors are copied -> the model's name, the
            one first by which is searched
    """

    algorithm: str
    columns: Columns
    spaces: dict[int, str]


def agree(source: Any, target: Any, *, from_owner: UUID, to_owner: UUID) -> Terms:
    """Agree, or raise CatalogueError with what stands in the way."""
    if queries.place(source) == queries.place(target):
        raise CatalogueError("both are one database, so there is nothing to copy")
    algorithm = queries.algorithm(source)
    _agree_on_checksums(algorithm, queries.algorithm(target))
    columns = _agree_on_columns(columns_of(source), columns_of(target))
    others = queries.count_of_others(
        target,
        clips=[row["id"] for row in queries.clips(source, owner=from_owner)],
        runs=[row["run_id"] for row in queries.runs(source, owner=from_owner)],
        owner=to_owner,
    )
    if others:
        raise CatalogueError(
            f"{others:,} of these clips and runs are there already and somebody else's: a "
            "catalogue is copied to one owner; name the one to whom it went before"
        )
    return Terms(algorithm, columns, _agree_on_models(list(queries.models(source)), target))


def _agree_on_checksums(source: str, target: str | None) -> None:
    if target is not None and source != target:
        raise CatalogueError(
            f"clips are known by {source} at the source and by {target} at the target, so they "
            "cannot be told to be the same; ingest the files anew instead"
        )


def _agree_on_columns(source: Columns, target: Columns) -> Columns:
    for table in ALL:
        here, there = source[table.name], target.get(table.name, {})
        if strange := {
            name for name in here.keys() | there.keys() if here.get(name) != there.get(name)
        }:
            raise CatalogueError(
                f"the table {table.name} is not the same in both ({', '.join(sorted(strange))}): "
                "one of them was migrated by another release; use the newer release, and its "
                "`video-assets db migrate`"
            )
    return source


def _agree_on_models(models: Sequence[dict[str, Any]], target: Any) -> dict[int, str]:
    there = [row["model"] for row in queries.models(target)]  # the one by which is searched first
    here = {row["id"]: row["model"] for row in models}
    wanted = list(here.values())
    strange = [model for model in wanted if model not in there]
    if there and (wanted[:1] == strange[:1] or len(there) + len(strange) > 2) and strange:
        raise CatalogueError(
            f"search by meaning goes by {there[0]} at the target and there is no room for vectors "
            f"of {strange[0]}: let the steps embeddings and moment_embeddings here name "
            f"{there[0]}, make the vectors by `video-assets backfill`, and copy then"
        )
    return here
