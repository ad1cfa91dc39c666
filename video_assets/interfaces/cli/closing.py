"""The closing table: what an ingest found, what became of it, and what to do about each failure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from video_assets.automation.quote_words import dollars
from video_assets.interfaces.cli.intake import Intake
from video_assets.interfaces.cli.standing import wait_sentence
from video_assets.interfaces.cli.wording import clean, counted, span
from video_assets.storage import ledger
from video_assets.storage.postponed import Postponed

DUPLICATES_SHOWN = 10

# What to do when the finding itself does not say.
ADVICE = {
    "file": "copy the file from the card again, or leave it out",
    "ours": "this is a bug of video-assets: report it with this line",
    "network": "run the same command again when the network is back",
    "refused": "read what the service says; `video-assets backfill --failed` asks it once more",
    "unreachable": "make the file reachable, then run the same command again",
}
READ = "read"  # what stands for a step where a file could not become a clip
READ_ADVICE = "mend or remove the file, then run the same command again"


@dataclass(frozen=True)
class Failure:
    """One file that failed in one step, under the name its owner knows."""

    file: str
    step: str
    error_class: str | None
    found: str
    advice: str


@dataclass(frozen=True)
class Duplicate:
    """A file whose content the catalogue has already."""

    file: str
    first: str


@dataclass(frozen=True)
class Summary:
    """What an ingest says at its end."""

    found: int
    new: int
    known: int
    moved: int
    duplicates: tuple[Duplicate, ...]
    clips: int
    complete: int
    unfinished: int
    failures: tuple[Failure, ...]
    seconds: float
    spent_usd: Decimal = Decimal(0)
    waits: tuple[Postponed, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)


def summarize(
    intake: Intake,
    cells: Sequence[ledger.Cell],
    first_copies: dict[str, str],
    seconds: float,
    *,
    spent_usd: Decimal,
    waits: Sequence[Postponed],
) -> Summary:
    """Put together what became of files and clips.

    first_copies  checksum to the path by which the catalogue knows the clip
    spent_usd     what its calls of paid services cost
    waits         why some of these clips are left for later
    """
    places = intake.places()
    failures = [_unreadable(intake.name(path), why) for path, why in intake.unreachable.items()]
    failures += [
        _unreadable(intake.name(file.path), file.reason or "")
        for file in intake.of_state("unreadable")
    ]
    failures += [
        _failed(intake.name(places[cell.checksum]), cell)
        for cell in cells
        if cell.state == "failed"
    ]
    failed = {cell.checksum for cell in cells if cell.state == "failed"}
    left = {cell.checksum for cell in cells if cell.postponed}
    open_clips = {cell.checksum for cell in cells if cell.state != "done"}
    duplicates = tuple(
        Duplicate(
            intake.name(file.path), intake.name(Path(first_copies.get(file.checksum or "", "?")))
        )
        for file in intake.of_state("duplicate")
    )
    return Summary(
        found=len(intake.states),
        new=intake.count("new"),
        known=intake.count("known"),
        moved=intake.count("moved"),
        duplicates=duplicates,
        clips=len(places),
        complete=len(places) - len(open_clips),
        unfinished=len(open_clips - failed - left),
        failures=tuple(sorted(failures, key=lambda failure: failure.file)),
        seconds=round(seconds, 2),
        spent_usd=spent_usd,
        waits=tuple(waits),
    )


def show(summary: Summary, console: Console, *, is_over: bool) -> None:
    """Print the closing tables; `is_over` when clips were to be processed to the end."""
    table = Table(title="Ingest", title_justify="left", show_header=False)
    for name, count in (
        ("New clips", summary.new),
        ("Known, unchanged", summary.known),
        ("Moved or renamed", summary.moved),
        ("Duplicates", len(summary.duplicates)),
        ("Failures", len(summary.failures)),
    ):
        if count or name in ("New clips", "Failures"):
            table.add_row(name, f"{count:,}")
    table.add_row("Clips complete", f"{summary.complete:,} of {summary.clips:,}")
    console.print(table)
    for duplicate in summary.duplicates[:DUPLICATES_SHOWN]:
        say(console, f"{duplicate.file} is a copy of {duplicate.first}")
    if len(summary.duplicates) > DUPLICATES_SHOWN:
        say(console, f"and {len(summary.duplicates) - DUPLICATES_SHOWN} more copies")
    if summary.failures:
        console.print(failures_table(summary.failures))
    if summary.unfinished and is_over:
        say(
            console,
            f"Unfinished: {counted(summary.unfinished, 'clip')}. Another process has them in hand, "
            "or was stopped; run the same command again.",
        )
    for wait in summary.waits:
        say(console, wait_sentence(wait))
    if summary.spent_usd:
        say(console, f"Spent {dollars(summary.spent_usd)}; `video-assets costs` tells for what.")
    say(console, f"Took {span(summary.seconds)}.")


def show_idle(summary: Summary, console: Console) -> None:
    """Print that nothing was to be done, and what failed for good earlier."""
    files = "the file is" if summary.known == 1 else f"all {summary.known:,} files are"
    clips = f"{summary.complete:,} of {counted(summary.clips, 'clip')} complete"
    say(console, f"Nothing to do: {files} known, {clips}.")
    for wait in summary.waits:
        say(console, wait_sentence(wait))
    if summary.failures:
        console.print(failures_table(summary.failures))


def failures_table(failures: Sequence[Failure]) -> Table:
    """Lay out one row for each failure."""
    table = Table(title="Failures", title_justify="left", show_lines=True, expand=False)
    table.add_column("File", overflow="fold", ratio=3)
    table.add_column("Step", no_wrap=True)
    table.add_column("Found, and what to do", overflow="fold", ratio=5)
    for failure in failures:
        told = Text(failure.found)
        told.append(f"\n→ {failure.advice}", style="green")
        table.add_row(Text(failure.file), failure.step, told)
    return table


def _unreadable(name: str, reason: str) -> Failure:
    return Failure(name, READ, None, *advise(READ, reason))


def _failed(name: str, cell: ledger.Cell) -> Failure:
    told = advise(cell.asset, cell.error, cell.fault, cell.error_class)
    return Failure(name, cell.asset, cell.error_class, *told)


def advise(
    step: str, error: str | None, fault: str | None = None, error_class: str | None = None
) -> tuple[str, str]:
    """Tell what was found and what to do; an error says both, or only the first."""
    usual = READ_ADVICE if step == READ else ADVICE[fault or "ours"]
    found, advice = part_advice(error or "no reason was kept", usual)
    if fault == "ours" and error_class:
        found = f"{error_class}: {found}"
    return clean(found), clean(advice)


def part_advice(text: str, advice: str) -> tuple[str, str]:
    """Part `what was found; what to do`, in which the last part may be missing."""
    found, separator, said = text.rpartition("; ")
    return (found, said) if separator else (text, advice)


def say(console: Console, text: str) -> None:
    """Print a line as it is."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)
