"""Vectors of a model that another has replaced: nothing searches them, and nothing will again.

Marked first, as files are, so that whoever chose the new model by mistake has time to notice.
"""

from pathlib import Path
from typing import Any

import aiosql

from video_assets.storage import deletions
from video_assets.storage.deletions import Candidate, Outcome, Wish
from video_assets.storage.postgres import Postgres

VECTOR_BYTES = 8 + 2 * 1024
VECTORS_PER_STATEMENT = 10_000  # each goes out of several indexes

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


def remove_replaced(catalogue: Postgres, wish: Wish) -> Outcome:
    """Remove the vectors of models that have been replaced for so long, model by model."""
    outcome = Outcome("vectors")
    since = deletions.now(catalogue)
    with catalogue.transaction() as connection:
        candidates = [_candidate(row) for row in queries.replaced(connection)]
    due = deletions.mark(catalogue, "vectors", candidates, wish)
    outcome.wait(each for each in candidates if each not in due)
    for each in due:
        if not wish.dry_run:
            _remove(catalogue, each.target, wish.by)
        outcome.remove(each.target, each.items, each.size_bytes)
    if not wish.dry_run:
        _withdraw(catalogue, since)
    return outcome


def _candidate(row: dict[str, Any]) -> Candidate:
    count = row["vectors"]
    return Candidate(row["model"], count * VECTOR_BYTES, row["replaced_at_ns"], count)


def _remove(catalogue: Postgres, model: str, by: str) -> None:
    for remove in (queries.remove_moments, queries.remove_clips):
        removed = VECTORS_PER_STATEMENT
        while removed == VECTORS_PER_STATEMENT:
            with catalogue.transaction() as connection:
                removed = remove(connection, model=model, at_most=VECTORS_PER_STATEMENT)
    with catalogue.transaction() as connection:
        queries.remove_texts(connection, model=model)
        queries.remove_space(connection, model=model)
        deletions.queries.settle(connection, kind="vectors", targets=[model], by=by)


def _withdraw(catalogue: Postgres, since: Any) -> None:
    """End the marks of what was not found again: its model is used once more, or made room."""
    with catalogue.transaction() as connection:
        rows = deletions.queries.not_seen(connection, kind="vectors", since=since)
        targets = [row["target"] for row in rows]
        deletions.queries.withdraw(connection, kind="vectors", targets=targets)
