"""How the work stands at one moment: runs, lanes, pace and causes, for `status` and `monitor`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from video_assets.automation.quote_words import dollars
from video_assets.interfaces.cli.wording import (
    ago,
    cell,
    clean,
    counted,
    moment,
    new_table,
    shorten,
    span,
    titled,
)
from video_assets.settings import Budget, Settings
from video_assets.slots import Use, in_use
from video_assets.storage import costs, pace, postponed, run_queue
from video_assets.storage.costs import Spending
from video_assets.storage.counts import Counts, count
from video_assets.storage.pace import Cause, Pace
from video_assets.storage.postponed import Postponed
from video_assets.storage.run_queue import RunQueue
from video_assets.storage.way_in import WayIn

NOTHING = Spending(Decimal(0), Decimal(0))
RUNS_SHOWN = 10
CAUSES_SHOWN = 10
WHOSE = {"file": "file", "network": "network", "refused": "refused", "unreachable": "out of reach"}


@dataclass(frozen=True)
class Lane:
    """A lane of this machine: its slots, how many are in use, and how many runs wait for one."""

    lane: str
    slots: int
    in_use: int
    waiting: int


@dataclass(frozen=True)
class Standing:
    """How the work stands.

    used  lanes that somebody has used, by name
    """

    counts: Counts
    queue: RunQueue
    used: Mapping[str, Use]
    pace: Pace
    causes: list[Cause]
    quiet_s: float | None
    waits: list[Postponed] = field(default_factory=list)
    spending: Spending = NOTHING

    @property
    def is_over(self) -> bool:
        """Whether no clip is to come, and no run is left."""
        clips = self.counts.clips
        return not (clips["waiting"] or clips["processing"] or self.queue.in_progress)

    def as_document(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "clips": {"total": sum(self.counts.clips.values()), **self.counts.clips},
            "unreadable_files": self.counts.unreadable_files,
            "steps": self.counts.steps,
            "runs": self.queue.counts,
            "runs_in_progress": self.queue.in_progress,
            "lanes": lanes_of(self.used),
            "pace": asdict(self.pace),
            "causes": self.causes,
            "left_for_later": self.waits,
            "spending": asdict(self.spending),
        }


def stand(settings: Settings, catalogue: WayIn, owner: UUID) -> Standing:
    """Look at everything of an owner once."""
    queue, used = run_queue.look(settings), in_use(settings.lanes_dir)
    waits, spent = postponed.reasons(catalogue, owner), costs.spending(catalogue, owner)
    with catalogue.transaction(owner) as connection:
        counts = count(connection)
        return Standing(
            counts,
            queue,
            used,
            pace.pace(connection, counts),
            pace.causes(connection, at_most=CAUSES_SHOWN),
            pace.quiet_s(connection),
            waits,
            spent,
        )


def lanes_of(used: Mapping[str, Use]) -> list[Lane]:
    """List the lanes of the preset, and those that anybody uses besides."""
    from video_assets.presets.model import DEFAULT_PRESET, load_preset  # 25 ms, with reading it

    sizes = load_preset(DEFAULT_PRESET).worker_config
    return [
        Lane(name, sizes.get(name, 0), use.held, use.waiting)
        for name in sorted({*sizes, *used})
        for use in (used.get(name, Use(0, 0)),)
    ]


def runs_part(queue: RunQueue) -> Iterator[RenderableType]:
    """Runs by status, and each that is not over."""
    yield titled("Job Queue Status", _counts(queue.counts))
    if queue.in_progress:
        yield Text()
        yield titled("Runs in progress", _runs(queue))


def lanes_part(used: Mapping[str, Use]) -> Iterator[RenderableType]:
    """The lanes that somebody uses now, or that all lie idle."""
    busy = {name for name, use in used.items() if use.held or use.waiting}
    if not busy:
        yield Text("Lanes: all idle", style="dim")
        return
    table = new_table()
    table.add_column("Lane", no_wrap=True)
    for heading in ("Slots", "In use", "Waiting"):
        table.add_column(heading, justify="right", no_wrap=True)
    for lane in lanes_of(used):
        if lane.lane in busy:
            table.add_row(cell(lane.lane), str(lane.slots), str(lane.in_use), str(lane.waiting))
    yield titled("Lanes", table)


def pace_sentence(found: Pace, *, is_over: bool) -> str:
    """Say how fast results come, and when the rest will be there."""
    if found.results_per_min is None:
        return "No result in the last 10 minutes."
    within = span(found.within_s)
    text = f"{found.results:,} results within {within}, {found.results_per_min:.0f} a minute"
    if found.clips_per_min is not None:
        text += f" ({found.clips_per_min:.1f} clips)"
    if found.left_s and not is_over:
        text += f"; about {span(found.left_s)} left"
    return f"{text}."


def waits_part(standing: Standing, budget: Budget) -> Iterator[RenderableType]:
    """What is left for later and why, and what was spent; nothing where nothing costs anything."""
    for wait in standing.waits:
        yield Text(clean(wait_sentence(wait)), style="yellow")
    for pause in standing.spending.pauses:
        yield Text(clean(f"{pause.reason}; until {moment(pause.until)}"), style="yellow")
    if standing.spending.month_usd:
        yield Text(spending_sentence(standing.spending, budget))


def wait_sentence(wait: Postponed) -> str:
    """Say how many clips an asset left for later, and why."""
    waits = "waits" if wait.clips == 1 else "wait"
    until = "" if wait.until is None else f" (until {moment(wait.until)})"
    return f"{wait.asset}: {counted(wait.clips, 'clip')} {waits}: {wait.reason}{until}"


def spending_sentence(spending: Spending, budget: Budget) -> str:
    """Say what was spent today and this month, beside what may be."""
    month = _beside(spending.month_usd, budget.owner_month_usd)
    return f"Spent today {_beside(spending.today_usd, budget.day_usd)}, this month {month}"


def _beside(usd: Decimal, cap: Decimal | None) -> str:
    return dollars(usd) if cap is None else f"{dollars(usd)} of {dollars(cap)}"


def causes_part(causes: Sequence[Cause]) -> Iterator[RenderableType]:
    """Why steps failed, one line each, with the command that tells more."""
    if not causes:
        return
    table = new_table()
    table.add_column("Clips", justify="right", no_wrap=True)
    table.add_column("Step", no_wrap=True)
    table.add_column("Cause", overflow="fold")
    table.add_column("Look", no_wrap=True)
    for each in causes:
        table.add_row(
            Text(f"{each.clips:,}", style="red"),
            cell(shorten(each.step, 20)),
            cell(f"{each.error_class or 'unknown'} ({WHOSE.get(each.fault or '', 'bug')})"),
            cell(f"video-assets failures --asset {each.step}", "dim"),
        )
    yield titled("Failures", table)


def _counts(counts: Mapping[str, int]) -> Table:
    table = new_table()
    table.add_column("Status", no_wrap=True)
    table.add_column("Count", justify="right", no_wrap=True)
    for status, runs in counts.items():
        table.add_row(cell(_status(status)), f"{runs:,}")
    if not counts:
        table.add_row(Text("no runs", style="dim"), "0")
    return table


def _status(status: str) -> str:
    ended = ("success", "failure", "canceled")
    return f"{status}, last day" if status in ended else status.replace("_", " ")


def _runs(queue: RunQueue) -> Table:
    table = new_table()
    for heading in ("Run", "Job", "Status", "Since"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Clips", justify="right", no_wrap=True)
    for run in queue.in_progress[:RUNS_SHOWN]:
        table.add_row(
            cell(run.run_id[:8]),
            cell(shorten(run.job, 24)),
            cell(run.status.replace("_", " ")),
            cell(ago(run.seconds)),
            cell(None if run.clips is None else f"{run.clips:,}"),
        )
    more = len(queue.in_progress) - RUNS_SHOWN
    if more > 0:
        table.add_row(Text(f"and {more:,} more", style="dim"))
    return table
