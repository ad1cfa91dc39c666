"""How far one run has come: what each of its steps took, how fast it goes, and what is left."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from video_assets.interfaces.cli.standing import lanes_of, lanes_part
from video_assets.interfaces.cli.wording import (
    bar,
    cell,
    clean,
    counted,
    new_table,
    shorten,
    span,
    titled,
)
from video_assets.slots import Use
from video_assets.storage.run_progress import RunProgress, RunStep

STYLES = {"completed": "green", "success": "green", "failed": "red", "failure": "red"}


def document(progress: RunProgress, used: Mapping[str, Use]) -> dict[str, Any]:
    """A run for programs."""
    return {
        **asdict(progress.run),
        "seconds": round(progress.seconds, 1),
        "clips": progress.clips,
        "clips_failed": progress.failed,
        "cells": progress.cells,
        "cells_done": progress.cells_done,
        "clips_per_min": round(progress.clips_per_min, 2),
        "left_s": progress.left_s,
        "steps": progress.steps,
        "lanes": lanes_of(used),
    }


def page(progress: RunProgress, used: Mapping[str, Use]) -> RenderableType:
    """A run for people."""
    parts: list[RenderableType] = [
        titled(f"Run: {clean(progress.run.run_id)}", _state(progress)),
        Text(),
        titled("Step Timings", _steps(progress.steps)),
    ]
    if not progress.is_over:
        parts += [Text(), *lanes_part(used)]
    return Group(*parts)


def _state(progress: RunProgress) -> Table:
    run = progress.run
    percent = 100 * progress.cells_done // progress.cells if progress.cells else 0
    failed = f", {progress.failed:,} failed" if progress.failed else ""
    left = f", about {span(progress.left_s)} left" if progress.left_s else ""
    steps = "steps" if run.is_output else "steps begun"  # of Dagster's, the others are not known
    lasted = "Took" if progress.is_over else "For"
    table = new_table(header=False)
    table.add_row("Status", cell(run.status, STYLES.get(run.status, "yellow")))
    table.add_row("What", cell(run.what))
    table.add_row("Clips", cell(f"{counted(progress.clips, 'clip')}{failed}"))
    table.add_row(
        "Progress",
        cell(f"{bar(percent)} {progress.cells_done:,} of {progress.cells:,} {steps}{left}"),
    )
    table.add_row("Pace", cell(f"{progress.clips_per_min:.1f} clips a minute"))
    table.add_row(lasted, cell(span(progress.seconds)))
    return table


def _steps(steps: Sequence[RunStep]) -> Table:
    table = new_table()
    table.add_column("Step", no_wrap=True)
    for heading in ("Done", "Failed", "Median", "p95", "Slowest"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Slowest clip", no_wrap=True, overflow="ellipsis")
    for step in steps:
        table.add_row(
            cell(shorten(step.step, 20)),
            f"{step.done:,}",
            Text(f"{step.failed:,}", style="red" if step.failed else "dim"),
            *(cell(_seconds(each)) for each in (step.median_s, step.p95_s, step.slowest_s)),
            cell(None if step.slowest is None else shorten(step.slowest, 30)),
        )
    return table


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}" if value < 10 else f"{value:.0f}"
