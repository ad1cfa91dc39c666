"""How far one clip has come: its steps with what each waits for, what was tried, what there is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from video_assets.interfaces.cli.clip_details import STEP_SIGNS, STEP_STYLES
from video_assets.interfaces.cli.planned import plan_for
from video_assets.interfaces.cli.wording import (
    bar,
    cell,
    listed,
    moment,
    new_table,
    shorten,
    titled,
)
from video_assets.presets.model import DEFAULT_PRESET, load_preset
from video_assets.presets.strict import PresetError
from video_assets.settings import Settings
from video_assets.storage.browse import ClipDetails, Step
from video_assets.storage.pace import Attempt

# Longer than the daemon's look for work: until then a failure may be tried once more.
SETTLED_S = 60.0
NAME_WIDTH = 30
TITLE_WIDTH = 60
ATTEMPTS_SHOWN = 12
ATTEMPT_STYLES = {"completed": "green", "failed": "red", "error": "red", "starting": "yellow"}

Needs = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class ClipProgress:
    """One clip at one moment.

    needs  step to the steps without which it cannot run
    """

    details: ClipDetails
    attempts: list[Attempt]
    needs: Needs

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to the clip by itself."""
        if self.details.clip.state in ("complete", "missing"):
            return True
        runs = any(step.state == "running" for step in self.details.steps)
        return (
            self.details.clip.state == "failed" and not runs and self.details.quiet_s >= SETTLED_S
        )

    def waits_for(self, step: Step) -> list[str]:
        """Name what a step that has not begun still needs."""
        if step.state not in ("waiting", "blocked"):
            return []
        done = {each.name for each in self.details.steps if each.state == "done"}
        return [name for name in self.needs.get(step.name, ()) if name not in done]

    def as_document(self) -> dict[str, Any]:
        """The same for programs."""
        clip = self.details.clip
        return {
            "id": clip.id,
            "file_name": clip.file_name,
            "file_checksum": clip.file_checksum,
            "state": clip.state,
            "progress": clip.progress,
            "steps": [
                {
                    "step": step.name,
                    "state": step.state,
                    "seconds": step.seconds,
                    "attempts": step.attempts,
                    "waits_for": self.waits_for(step),
                    "fault": step.fault,
                    "error_class": step.error_class,
                    "error": step.error,
                }
                for step in self.details.steps
            ],
            "attempts": [asdict(attempt) for attempt in self.attempts],
            "features": dict(features(self.details)),
        }

    def page(self) -> RenderableType:
        """The same for people."""
        name = shorten(self.details.clip.file_name, TITLE_WIDTH)
        parts: list[RenderableType] = [
            titled(f"Video: {name}", _state(self.details)),
            Text(),
            titled("Step Timings", self._timings()),
            Text(),
            titled("Available Features", _features(self.details)),
        ]
        if len(self.attempts) > len({attempt.step for attempt in self.attempts}):
            parts += [Text(), titled("Attempts, the latest first", _attempts(self.attempts))]
        return Group(*parts)

    def _timings(self) -> Table:
        table = new_table()
        table.add_column("Step", no_wrap=True)
        table.add_column("Duration", justify="right", no_wrap=True)
        table.add_column("")
        table.add_column("", overflow="fold")
        for step in self.details.steps:
            style = STEP_STYLES[step.state]
            table.add_row(
                cell(shorten(step.name, NAME_WIDTH)),
                cell(_duration(step)),
                cell(STEP_SIGNS[step.state], style),
                Text(self._note(step), style=style),
            )
        return table

    def _note(self, step: Step) -> str:
        """Why a step is not done: what it failed by and how often, or what it waits for."""
        if step.error is not None:
            tries = f" ({step.attempts} attempts)" if step.attempts > 1 else ""
            return cell(f"{step.error}{tries}").plain
        needed = self.waits_for(step)
        failed = {each.name for each in self.details.steps if each.state == "failed"}
        if failed & set(needed):
            return f"cannot be made without {listed(needed)}"
        return f"waits for {listed(needed)}" if needed else ""


def needs_of(settings: Settings, preset: str) -> Needs:
    """Say what each step of a clip's preset cannot run without; nothing where it is gone."""
    try:
        plan = plan_for(settings, load_preset(preset or DEFAULT_PRESET))
    except PresetError:
        return {}
    return {asset.asset: asset.required for asset in plan}


def features(details: ClipDetails) -> Iterator[tuple[str, int]]:
    """Count what there is of a clip; zero is nothing."""
    clip = details.clip
    done = {step.name for step in details.steps if step.state == "done"}
    yield "Metadata", int(clip.codec is not None)
    yield "Thumbnails", len(clip.thumbnails or [])
    yield "Searchable", int(bool(done & {"description", "embeddings"}))
    yield "Transcript", int(clip.full_transcript is not None)


def _state(details: ClipDetails) -> Table:
    clip = details.clip
    planned = [step for step in details.steps if step.name in clip.planned_steps]
    done = sum(step.state == "done" for step in planned)
    current = [step.name for step in details.steps if step.state == "running"]
    current = current or clip.failed_steps
    table = new_table(header=False)
    table.add_row("Status", cell(clip.state))
    table.add_row("Progress", cell(f"{bar(clip.progress)} {clip.progress}%"))
    table.add_row("Current Step", cell(listed(current) if current else clip.current_step))
    table.add_row("Steps Completed", cell(f"{done}/{len(planned)}"))
    return table


def _duration(step: Step) -> str | None:
    if step.state == "running":
        return "Running..."
    return None if step.seconds is None else f"{step.seconds:.1f}"


def _features(details: ClipDetails) -> Table:
    table = new_table()
    table.add_column("Feature", no_wrap=True)
    table.add_column("")
    for name, value in features(details):
        sign = cell("✗", "dim") if not value else cell(f"✓ {value}" if value > 1 else "✓", "green")
        table.add_row(name, sign)
    return table


def _attempts(attempts: Sequence[Attempt]) -> Table:
    table = new_table()
    for heading in ("When", "Step", "What"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Seconds", justify="right", no_wrap=True)
    table.add_column("Run", no_wrap=True)
    table.add_column("")
    for each in attempts[:ATTEMPTS_SHOWN]:
        style = ATTEMPT_STYLES[each.status]
        table.add_row(
            cell(moment(each.at)[11:]),
            cell(shorten(each.step, 16)),
            cell("in work" if each.status == "starting" else each.status, style),
            cell(None if each.seconds is None else f"{each.seconds:.1f}"),
            cell((each.run_id or "")[:8]),
            cell(each.error_class or "", "dim") if each.error_class else Text(),
        )
    return table
