"""Processing: Dagster is told of new clips and runs what they lack, here and to the end."""

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from video_assets import logs
from video_assets.automation.work import LASTING_ATTEMPTS, SETTLED_S, find_work
from video_assets.interfaces.cli.faults import MACHINE
from video_assets.interfaces.cli.lifeline import lifeline
from video_assets.interfaces.cli.planned import quiet_dagster
from video_assets.interfaces.cli.progress import Meter
from video_assets.interfaces.cli.stopping import Stop
from video_assets.lanes import warm_up
from video_assets.presets.model import PipelineConfiguration
from video_assets.settings import Settings
from video_assets.storage import dagster_database, ledger, processes
from video_assets.storage.ai_calls import Payer
from video_assets.storage.postgres import Postgres

if TYPE_CHECKING:
    from video_assets.automation.here import Trouble

MARK = "processing-"
# When a process is killed, Python's own keeper of semaphores would warn over its last line.
NO_SEMAPHORE_WARNING = "ignore::UserWarning:multiprocessing.resource_tracker"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pipeline:
    """What an ingest makes of clips, and where."""

    settings: Settings
    catalogue: Postgres
    preset: PipelineConfiguration
    plan: tuple[ledger.PlannedAsset, ...]

    @property
    def steps(self) -> list[str]:
        """The enabled steps in the order in which they run."""
        return [asset.asset for asset in sorted(self.plan, key=lambda asset: asset.position)]

    @property
    def log(self) -> Path:
        """Where the details of what went wrong beside the clips are written."""
        return logs.file_of(self.settings)

    def cells(self, checksums: Sequence[str]) -> list[ledger.Cell]:
        """Work out the state of every cell of some clips."""
        return ledger.cells(self.catalogue, self.plan, checksums)


def is_needed(pipeline: Pipeline, checksums: Sequence[str]) -> bool:
    """Tell whether there is anything for Dagster to do, without loading it."""
    return bool(
        _dead_marks(pipeline.settings)
        or ledger.unreported(pipeline.catalogue, older_than_s=SETTLED_S)
        or find_work(pipeline.catalogue, pipeline.plan, checksums, at_once=True)
    )


def process(
    pipeline: Pipeline,
    checksums: Sequence[str],
    meter: Meter,
    stop: Stop,
    *,
    workers: int | None,
    payer: Payer,
) -> "list[Trouble]":
    """Make what these clips lack, and give what went wrong beside the clips.

    payer  what paid calls are counted to

    Raises KeyboardInterrupt when it is asked to stop: once the clips in hand are finished, or at
    the second wish at once, with the run closed and its workers ended.
    """
    if not pipeline.settings.is_embedded:
        pipeline.catalogue.confirm_sessions()
    meter.say("starting Dagster…")
    dagster_database.start(pipeline.settings)

    def on_lost(reason: str) -> None:
        meter.close()
        meter.say(
            f"the database is gone ({reason}); what was finished is saved, and the same command "
            "goes on from there"
        )
        # Nothing can be written down any more, and the workers end with their parent.
        os._exit(MACHINE)

    os.environ.setdefault("PYTHONWARNINGS", NO_SEMAPHORE_WARNING)
    with logs.libraries_aside(pipeline.settings), lifeline(pipeline.catalogue.dsn, on_lost):
        troubles = stop.gently(lambda: _run(pipeline, checksums, meter, workers, payer), meter.say)
    for trouble in troubles:
        about = {"run": trouble.run_id, "asset": trouble.step, "details": trouble.details}
        log.error("broke off: %s", trouble.error, extra=about)
    return troubles


def _run(
    pipeline: Pipeline,
    checksums: Sequence[str],
    meter: Meter,
    workers: int | None,
    payer: Payer,
) -> "list[Trouble]":
    warm_up()
    quiet_dagster()
    from video_assets.automation import here, instance, reporting
    from video_assets.definitions import defs
    from video_assets.run_process import end_dead_runs

    with instance.open_instance(pipeline.settings) as dagster, _marked(pipeline.settings):
        end_dead_runs(dagster)
        dead = _dead_marks(pipeline.settings)
        reporting.report_results(dagster, pipeline.catalogue, settled_s=0 if dead else SETTLED_S)
        for mark in dead:
            mark.unlink(missing_ok=True)
        due = Counter(cell.checksum for cell in due_cells(pipeline.cells(checksums)))
        with meter.processing(pipeline.catalogue, due, pipeline.steps):
            return here.process_here(
                dagster,
                pipeline.catalogue,
                defs.resolve_job_def("process_clips"),
                pipeline.preset,
                checksums,
                workers=workers,
                payer=payer,
            )


def due_cells(cells: Sequence[ledger.Cell]) -> list[ledger.Cell]:
    """List the cells that a run would try to make now.

    A cell that waits for one that failed for good is not among them.
    """
    given_up = {
        cell.checksum for cell in cells if cell.state == "failed" and not _is_tried_again(cell)
    }
    return [
        cell
        for cell in cells
        if cell.state in ("missing", "stale")
        or (cell.state == "waiting" and cell.checksum not in given_up)
        or (cell.state == "failed" and _is_tried_again(cell))
    ]


def _is_tried_again(cell: ledger.Cell) -> bool:
    return cell.fault in ledger.PASSING_FAULTS or cell.attempts < LASTING_ATTEMPTS


@contextmanager
def _marked(settings: Settings) -> Iterator[None]:
    """Leave a mark while processing, so that the next command sees if this one was killed."""
    mark = settings.dagster_home / f"{MARK}{processes.this_process().replace(' ', '-')}"
    mark.touch()
    yield
    mark.unlink(missing_ok=True)


def _dead_marks(settings: Settings) -> list[Path]:
    """Find the marks of processes that were killed, or that lost the database."""
    marks = settings.dagster_home.glob(f"{MARK}*")
    named = ((mark, mark.name.removeprefix(MARK).replace("-", " ")) for mark in marks)
    return [mark for mark, process in named if not processes.is_alive(process)]
