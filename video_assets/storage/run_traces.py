"""What run folders still tell of a clip that was forgotten, or of an owner who was erased.

Documents and reports of a run are computed from the ledger, so those that tell of a clip go whole:
`runs report` writes them anew, without it. A mark is left in the transaction that removes the rows,
and taken back when the files are gone: a run's name may be a person's words, so none is kept.
"""

from pathlib import Path
from typing import Any

import aiosql

from video_assets.storage import deletions
from video_assets.storage.folder import Folder
from video_assets.storage.postgres import Postgres
from video_assets.storage.run_folder import MANIFEST, RunFolder

REPORTS, WHOLE = "run reports", "run folder"

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


def remove_marked(catalogue: Postgres, home: Path) -> None:
    """Remove what is marked, and the marks after it."""
    root = RunFolder.of(home, "").path
    for kind in (REPORTS, WHOLE):
        with catalogue.transaction() as connection:
            rows = list(deletions.queries.open_targets(connection, kind=kind))
        for run_id in (row["target"] for row in rows):
            _remove(Folder(root), run_id, is_whole=kind == WHOLE)
            with catalogue.transaction() as connection:
                deletions.queries.withdraw(connection, kind=kind, targets=[run_id])


def _remove(runs: Folder, run_id: str, *, is_whole: bool) -> None:
    if is_whole:
        runs.remove_tree(run_id)
        return
    runs.remove(f"{run_id}/{MANIFEST}")
    runs.remove(f"{run_id}/exports/{RunFolder.of(runs.root.parent, run_id).table.name}")
    for name in ("json", "reports"):
        runs.remove_tree(f"{run_id}/{name}")
