"""One pass of an ingest: register, process, close; and the passes after it when watching."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from video_assets.interfaces.cli import closing
from video_assets.interfaces.cli.faults import FAILED, MACHINE, explain, tell
from video_assets.interfaces.cli.identity import Identity
from video_assets.interfaces.cli.intake import Intake, take_in
from video_assets.interfaces.cli.output_runs import OutputRun, output_run
from video_assets.interfaces.cli.planned import plan_for
from video_assets.interfaces.cli.processing import Pipeline, is_needed, process
from video_assets.interfaces.cli.progress import Meter
from video_assets.interfaces.cli.stopping import Stop
from video_assets.interfaces.cli.watching import Watcher, hold
from video_assets.interfaces.cli.wording import counted, plain
from video_assets.logs import open_log
from video_assets.media.discovery import Listing, Rules, discover
from video_assets.presets.model import PipelineConfiguration
from video_assets.settings import Settings
from video_assets.storage import costs, ledger, locations, owners, postponed
from video_assets.storage.ai_calls import Payer
from video_assets.storage.artifact_store import open_store, share
from video_assets.storage.catalogue import open_catalogue
from video_assets.storage.registration import Registrar
from video_assets.storage.runs import Kind

if TYPE_CHECKING:
    from video_assets.automation.here import Trouble

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wish:
    """What the command line asked for."""

    roots: tuple[Path, ...]
    preset: PipelineConfiguration
    workers: int | None = None
    rules: Rules = field(default_factory=Rules)
    as_json: bool = False
    name: str | None = None
    kind: Kind = "ingest"
    cap: Decimal | None = None

    def look(self) -> Listing:
        """List the files that are there now."""
        return discover(self.roots, self.rules)


@dataclass(frozen=True)
class Done:
    """How one pass went."""

    checksums: tuple[str, ...]
    summary: closing.Summary
    troubles: tuple[str, ...]
    code: int
    is_idle: bool
    run: OutputRun


class Ingest:
    """Takes files in and processes their clips, as often as there are new ones."""

    def __init__(self, wish: Wish, settings: Settings, asking: Identity, stop: Stop) -> None:
        """Open the catalogue, which is made if there is none."""
        self._wish = wish
        self._owner = asking.owner
        self._stop = stop
        self._is_busy = False
        self._meter = Meter()
        open_log(settings)
        wish.preset.refuse_other_checksums(settings.checksum_algorithm)
        plan = plan_for(settings, wish.preset)
        catalogue = open_catalogue(settings)
        owners.require(catalogue, self._owner)
        open_store(settings, catalogue)  # a key that it lacks is told before anything is read
        self.pipeline = Pipeline(settings, catalogue, wish.preset, plan)
        self._registrar = Registrar(
            catalogue, self._owner, settings.checksum_algorithm, lifts_forgotten=True
        )

    def run(self, listing: Listing, *, watch: bool) -> int:
        """Ingest what a listing holds and perhaps what comes later, and give the exit code."""
        if not watch:
            code = self.once(listing)
            for root in filter(Path.is_dir, self._wish.roots):
                hold(self.pipeline.catalogue, self._owner, root, listing.within(root))
        else:
            wish, catalogue = self._wish, self.pipeline.catalogue
            watcher = Watcher(wish.roots, wish.rules, catalogue, self._owner)
            code = self.once(watcher.first(listing))
            self._registrar = replace(self._registrar, lifts_forgotten=False)
            tell(f"Watching {', '.join(map(locations.display, self._wish.roots))}; Ctrl-C ends it")
            try:
                while True:
                    code = max(code, self.once(watcher.wait()))
            except KeyboardInterrupt:  # between two passes it is how watching ends
                if self._is_busy:
                    raise
        return code

    def once(self, listing: Listing) -> int:
        """Ingest what a listing holds, say how it went, and give the exit code."""
        self._is_busy = True
        done = self.do(listing)
        self._is_busy = False
        self._close(done)
        for trouble in done.troubles:
            tell(trouble)
        return done.code

    def do(self, listing: Listing) -> Done:
        """Ingest what a listing holds, as a run of its own."""
        wish, pipeline = self._wish, self.pipeline
        with output_run(
            *(pipeline.settings, pipeline.catalogue, self._owner, wish.kind, wish.preset),
            name=wish.name,
            roots=wish.roots,
        ) as run:
            return self._do(listing, run)

    def _do(self, listing: Listing, run: OutputRun) -> Done:
        began = time.monotonic()
        catalogue = self.pipeline.catalogue
        intake = Intake(self._wish.roots)
        take_in(intake, self._registrar, listing, self._meter, self._stop, run.note_file)
        run.record.flush()  # a process that is killed while it processes has them written down
        checksums = intake.checksums
        ledger.plan_clips(
            catalogue, self._owner, checksums, self._wish.preset.name, self.pipeline.steps
        )
        new = [file.checksum for file in intake.of_state("new") if file.checksum]
        share(self.pipeline.settings, catalogue, new)
        postponed.take_up(catalogue, checksums)  # whoever ingests a clip asks for it
        is_idle = not is_needed(self.pipeline, checksums)
        troubles: Sequence[str] = ()
        if self._wish.workers != 0 and not is_idle:
            troubles = self._process(checksums, Payer(run.run_id, self._wish.cap))
        copies = [file.checksum for file in intake.of_state("duplicate") if file.checksum]
        summary = closing.summarize(
            intake,
            self.pipeline.cells(checksums),
            locations.known_as(catalogue, self._owner, copies) if copies else {},
            time.monotonic() - began,
            spent_usd=costs.of_run(catalogue, run.run_id),
            waits=postponed.reasons(catalogue, self._owner, checksums),
        )
        code = MACHINE if troubles else FAILED if summary.failures else 0
        run.close(
            troubles,
            is_idle=is_idle and not summary.new,
            is_left=self._wish.workers == 0 and summary.unfinished > 0,
        )
        return Done(tuple(checksums), summary, tuple(troubles), code, is_idle=is_idle, run=run)

    def _process(self, checksums: Sequence[str], payer: Payer) -> list[str]:
        """Process clips, and tell what went wrong beside them in one line each."""
        try:
            troubles = process(
                *(self.pipeline, checksums, self._meter, self._stop),
                workers=self._wish.workers,
                payer=payer,
            )
        except Exception as error:
            self._stop.check()  # a library may have made another error of the interruption
            if explain(error) is not None:
                raise
            log.exception("broke off")
            return [f"{type(error).__name__}: {error}; details are in {self.pipeline.log}"]
        return [self._word(trouble) for trouble in troubles]

    def _word(self, trouble: "Trouble") -> str:
        step = f"step {trouble.step} " if trouble.step else ""
        return (
            f"{step}of Dagster run {trouble.run_id[:8]} broke off: {trouble.error}; "
            f"details are in {self.pipeline.log}"
        )

    def _close(self, done: Done) -> None:
        summary = done.summary
        if self._wish.as_json:
            told = {"exit_code": done.code, "run_id": done.run.run_id, "report": done.run.page}
            typer.echo(json.dumps({**summary.as_dict(), **told}, default=plain))
            return
        console = Console()
        if done.is_idle and not (summary.new or summary.moved or summary.duplicates):
            closing.show_idle(summary, console)
        else:
            closing.show(summary, console, is_over=self._wish.workers != 0)
            if done.is_idle:
                closing.say(console, "No step had to run: the catalogue knew these clips.")
        done.run.say()
        if self._wish.workers == 0 and summary.unfinished:
            wait = "waits" if summary.unfinished == 1 else "wait"
            tell(
                f"{counted(summary.unfinished, 'clip')} {wait} for `video-assets dev`, which works "
                "in the background; the same command without --workers 0 processes here"
            )
