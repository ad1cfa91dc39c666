"""Every command that processes is an output run: written down as it goes, reported at its end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg
from rich.text import Text

from video_assets.interfaces.cli.wording import console
from video_assets.presets.model import PipelineConfiguration
from video_assets.settings import Settings
from video_assets.storage import run_folder, runs
from video_assets.storage.artifact_store import open_cache
from video_assets.storage.export import open_rows
from video_assets.storage.export_files import write_csv
from video_assets.storage.locations import display
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registered
from video_assets.storage.run_facts import RunFacts
from video_assets.storage.run_folder import RunFolder
from video_assets.storage.way_in import WayIn

STOPPED = "stopped by Ctrl-C"


@dataclass
class OutputRun:
    """A run that goes on, and what is to be said of it at its end."""

    record: runs.RunRecord
    folder: RunFolder
    troubles: list[str] = field(default_factory=list)
    is_idle: bool = False
    is_left_to_daemon: bool = False

    @property
    def run_id(self) -> str:
        """What it is called."""
        return self.record.run_id

    @property
    def page(self) -> str | None:
        """Where its report lies; None where nothing was done that one could report."""
        return None if self.is_idle else str(self.folder.page)

    def note_file(self, file: Registered) -> None:
        """Note what became of a file."""
        if file.checksum is not None and file.state not in ("unreadable", "forgotten"):
            self.record.take_in(file.checksum, file.state)
        elif file.reason is not None:
            self.record.note_unreadable(display(file.path), file.reason)

    def take_in(self, checksums: Sequence[str]) -> None:
        """Note the clips of a run that registers none."""
        for checksum in checksums:
            self.record.take_in(checksum, "known")
        self.record.flush()

    def close(
        self, troubles: Sequence[str], *, is_idle: bool = False, is_left: bool = False
    ) -> None:
        """Say how it went.

        is_idle  nothing was to be done, so there is nothing to report
        is_left  some clips are left to whoever works in the background
        """
        self.troubles, self.is_idle, self.is_left_to_daemon = [*troubles], is_idle, is_left

    def say(self, *, error: bool = False) -> None:
        """Print where its report lies, in one line that can be copied."""
        if not self.is_idle:
            line = Text(f"Report of run {self.run_id}: {self.page}")
            console(error=error).print(line, soft_wrap=True)


@contextmanager
def output_run(
    settings: Settings,
    catalogue: Postgres,
    owner: UUID,
    kind: runs.Kind,
    preset: PipelineConfiguration,
    *,
    name: str | None = None,
    roots: Sequence[Path] = (),
) -> Iterator[OutputRun]:
    """Write a run down from its beginning to its end, however it ends, and report it."""
    catch_up(settings, catalogue, owner)
    record = runs.begin(
        catalogue,
        owner,
        kind,
        preset=preset.name,
        preset_document=preset.model_dump(mode="json"),
        name=name,
        roots=[display(root) for root in roots],
    )
    run = OutputRun(record, RunFolder.of(settings.home, record.run_id))
    try:
        yield run
    except BaseException as error:
        with suppress(psycopg.Error):  # where the database is gone, the next command tells
            if isinstance(error, KeyboardInterrupt):
                record.end("stopped", STOPPED)
            else:
                record.end("failed", f"{type(error).__name__}: {error}")
            write_folder(settings, catalogue, owner, record.run_id)
        raise
    if run.is_left_to_daemon:
        record.leave_to_daemon()
    elif run.troubles:
        record.end("failed", run.troubles[0])
    else:
        record.end("completed")
    if not run.is_idle:
        write_folder(settings, catalogue, owner, record.run_id)


def catch_up(settings: Settings, catalogue: WayIn, owner: UUID) -> None:
    """Close an owner's runs whose process was killed or whose last clip is done; report them.

    Machines that process see to it; whoever has but a token finds the runs as they are.
    """
    if not isinstance(catalogue, Postgres):
        return
    for run_id in runs.settle(catalogue, owner):
        write_folder(settings, catalogue, owner, run_id)


def write_folder(settings: Settings, catalogue: WayIn, owner: UUID, run_id: str) -> RunFolder:
    """Write everything that is told of a run, by what the ledger says now."""
    from video_assets.interfaces.web import report  # loads what draws the page

    (run, *_), _ = runs.list_runs(catalogue, owner, named=run_id, at_most=1)
    facts = RunFacts(catalogue, owner, run_id)
    folder = RunFolder.of(settings.home, run_id)
    artifacts = open_cache(settings, catalogue)
    run_folder.write(folder, run, facts, artifacts)
    with (
        open_rows(catalogue, owner, "clips", run_id=run_id) as rows,
        run_folder.create(folder.table) as unfinished,
        unfinished.open("wb") as file,
    ):
        write_csv(rows, file)
    report.write(folder, run, facts, artifacts)
    return folder
