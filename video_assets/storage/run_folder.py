"""The folder of a run: `<home>/runs/<run_id>/`, computed from the ledger whenever it is written.

`run_manifest.json` and `pipeline_config.json`, `json/` a document of each clip, `ai_analysis/` what
each analyzer says of it, `reports/` all clips in one file and what came of them, `exports/`. Every
file is written whole or not at all.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from video_assets.storage import run_report, runs
from video_assets.storage.artifact_cache import Cache
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.postgres import Postgres
from video_assets.storage.run_facts import RunFacts
from video_assets.storage.run_report import analysis_name, document_name
from video_assets.storage.runs import Run

MANIFEST, PIPELINE = "run_manifest.json", "pipeline_config.json"


@dataclass(frozen=True)
class RunFolder:
    """Where the files of one run lie."""

    path: Path

    @classmethod
    def of(cls, home: Path, run_id: str) -> "RunFolder":
        """Find the folder of a run."""
        return cls(home / "runs" / run_id)

    @property
    def manifest(self) -> Path:
        """What the run is, in short."""
        return self.path / MANIFEST

    @property
    def documents(self) -> Path:
        """A document of each clip."""
        return self.path / "json"

    @property
    def analyses(self) -> Path:
        """What each analyzer says of each clip."""
        return self.path / "ai_analysis"

    @property
    def all_videos(self) -> Path:
        """Every clip of the run."""
        return self.path / "reports" / f"all_videos_{self.path.name}.json"

    @property
    def report(self) -> Path:
        """What came of the run, for programs."""
        return self.path / "reports" / f"processing_report_{self.path.name}.json"

    @property
    def page(self) -> Path:
        """What came of the run, for people."""
        return self.report.with_suffix(".html")

    @property
    def table(self) -> Path:
        """Every clip of the run as a row."""
        return self.path / "exports" / "clips.csv"

    def is_whole(self) -> bool:
        """Tell whether everything was written, so that it need not be again."""
        return self.manifest.is_file() and self.report.is_file() and self.page.is_file()


def write(folder: RunFolder, run: Run, facts: RunFacts, artifacts: Cache) -> dict[str, Any]:
    """Write all but the page and the table, and give the manifest; it is written last."""
    for path in (
        folder.documents,
        folder.analyses,
        folder.path / "reports",
        folder.path / "exports",
    ):
        path.mkdir(parents=True, exist_ok=True)
    totals = facts.totals()
    told = run_report.manifest(run, totals)
    _write_json(folder.path / PIPELINE, run.preset_document)
    _link_files(folder, facts, artifacts)
    videos = {"videos": run_report.videos(facts)}
    _write_stream(folder.all_videos, run_report.head(told, totals), videos)
    times = {"processing_timeline": run_report.times(facts)}
    _write_stream(folder.report, run_report.report(told, totals, facts), times)
    _write_json(folder.manifest, told)
    return told


def own_bytes(folder: RunFolder) -> int:
    """Count the bytes that removing a run's folder gives back: of files without another name."""
    files = (path.lstat() for path in folder.path.rglob("*") if not path.is_dir())
    return sum(found.st_size for found in files if found.st_nlink == 1)


def remove(folder: RunFolder) -> None:
    """Remove a run's folder; the documents in it are further names of files of the store."""
    if folder.path.is_symlink():
        folder.path.unlink()
    elif folder.path.exists():
        shutil.rmtree(folder.path)


@dataclass(frozen=True)
class Removed:
    """A run that was removed, and what that gave back."""

    run_id: str
    folder: Path
    bytes: int


def remove_old(
    catalogue: Postgres,
    home: Path,
    owner: UUID,
    *,
    keep: int,
    older_than_s: float = 0.0,
    dry_run: bool = False,
) -> list[Removed]:
    """Remove an owner's ended runs with their folders, but the newest; a dry run only tells.

    older_than_s  how long ago a run must have ended
    """
    removed: list[Removed] = []
    for run_id in runs.ended(catalogue, owner, keep=keep, older_than_s=older_than_s):
        folder = RunFolder.of(home, run_id)
        removed.append(Removed(run_id, folder.path, own_bytes(folder)))
        if not dry_run:  # first its files, so that a run without a row has left none behind
            remove(folder)
            runs.delete(catalogue, owner, run_id)
    return removed


def _link_files(folder: RunFolder, facts: RunFacts, artifacts: Cache) -> None:
    """Give what was written of each clip a name in the run; bytes are stored once where possible.

    A file that nothing stands behind any more goes.
    """
    named: set[Path] = set()
    for rows in facts.clips():
        files = [each for row in rows for each in _files_of(folder, row)]
        artifacts.bring_all(name for _, name in files)
        for target, name in files:
            if (source := artifacts.root / name).is_file():
                _link(source, target)
                named.add(target)
    for path in (*folder.documents.iterdir(), *folder.analyses.iterdir()):
        if path not in named:
            path.unlink()


def _files_of(folder: RunFolder, row: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield where the files of a clip stand in the run, and what they are in the store."""
    whose = row["file_name"], row["file_checksum"]
    if row["document"] is not None:
        yield folder.documents / document_name(*whose), row["document"]
    for analyzer, name in (row["analyses"] or {}).items():
        yield folder.analyses / analysis_name(*whose, analyzer), name


def _link(source: Path, target: Path) -> None:
    if target.exists():
        if target.samefile(source):
            return
        target.unlink()
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links, or another one than the store's
        shutil.copyfile(source, target)


def create(path: Path) -> AbstractContextManager[Path]:
    """Give the place of a file that gets its name when it is whole."""
    return ArtifactFolder(path.parent).create(path.name)


def _write_json(path: Path, value: Any) -> None:
    with create(path) as unfinished:
        unfinished.write_text(json.dumps(value, indent=2, default=_plain) + "\n", "utf-8")


def _write_stream(
    path: Path, head: Mapping[str, Any], lists: Mapping[str, Iterable[Mapping[str, Any]]]
) -> None:
    """Write an object whose last members are lists that need not fit into memory."""
    with (
        create(path) as unfinished,
        unfinished.open("w", encoding="utf-8") as file,
    ):
        file.write(json.dumps(head, indent=2, default=_plain).removesuffix("\n}"))
        for name, rows in lists.items():
            file.write(f",\n  {json.dumps(name)}: [")
            for number, row in enumerate(rows):
                file.write(",\n    " if number else "\n    ")
                file.write(json.dumps(row, default=_plain))
            file.write("\n  ]")
        file.write("\n}\n")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
