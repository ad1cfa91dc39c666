"""The report of a run for people: one page without scripts, in which everything is inside.

Names come out of files, so nothing in them is obeyed: the template escapes every value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Template

from video_assets.interfaces.cli import wording
from video_assets.interfaces.cli.closing import advise
from video_assets.interfaces.cli.wording import counted
from video_assets.interfaces.web import charts, pages
from video_assets.storage.artifact_cache import Cache
from video_assets.storage.run_facts import Activity, Fault, RunFacts, Totals
from video_assets.storage.run_folder import RunFolder
from video_assets.storage.run_report import document_name, elapsed_s
from video_assets.storage.runs import Run

CLIPS_SHOWN = 200
FAILURES_SHOWN = 300
FILES_IN_VIEW = 6
SLOWEST_SHOWN = 8
SLOTS = 96
STILLS_BYTES = 4_000_000  # of all stills together, as they stand in the page


def write(folder: RunFolder, run: Run, facts: RunFacts, artifacts: Cache) -> Path:
    """Write the page of a run, whole or not at all, and give its path."""
    pages.write(folder.page, _template(), _page(folder, run, facts, artifacts))
    return folder.page


def _template() -> Template:
    environment = pages.environment()
    environment.filters.update(when=_when, took=_took)
    environment.globals.update(bar=charts.bar, columns=charts.columns, lane=charts.lane)
    return environment.get_template("report.html.j2")


def _page(folder: RunFolder, run: Run, facts: RunFacts, artifacts: Cache) -> dict[str, Any]:
    totals, counts, spreads = facts.totals(), facts.counts(), facts.spreads()
    steps = facts.steps()
    return {
        "run": run,
        "totals": totals,
        "title": run.name or _place(run),
        "elapsed_s": elapsed_s(run),
        "written_at": datetime.now(timezone.utc),
        "version": _version(),
        "files": {
            "all_videos": folder.all_videos.name,
            "report": folder.report.name,
            "table": folder.table.name,
        },
        "problems": _problems(run, facts),
        "files_in_view": FILES_IN_VIEW,
        "footage": _footage(totals),
        "plots": {
            "Length": charts.by_duration(spreads.durations_s),
            "Loudness, LUFS": charts.by_width(spreads.loudness_lufs, 3.0),
            "Exposure, stops from middle grey": charts.by_width(spreads.exposure_stops, 0.5),
            "Captured": charts.by_time(counts.get("day", {})),
        },
        "lists": {
            title: charts.bars(counts[kind])
            for title, kind in (
                ("Camera", "camera"),
                ("Resolution", "resolution"),
                ("Codec", "codec"),
                ("Container", "container"),
                ("Rated exposure", "exposure"),
                ("Place", "place"),
                ("Spoken language", "language"),
            )
            if kind in counts
        },
        "clips": _clips(facts, artifacts),
        "clips_shown": min(CLIPS_SHOWN, totals.clips),
        "steps": steps,
        "longest_step_s": max((step.total_s for step in steps), default=0) or 1,
        "cost_usd": sum(step.cost_usd for step in steps),
        "slowest": facts.slowest(at_most=SLOWEST_SHOWN),
        "lanes": _lanes(facts.activity(slots=SLOTS)),
        "pipeline": [step for step in run.preset_document.get("steps", []) if step.get("enabled")],
    }


@dataclass(frozen=True)
class Reason:
    """Why a step failed, and what to do about it."""

    step: str
    found: str
    advice: str
    attempts: int = field(compare=False)


@dataclass(frozen=True)
class Problem:
    """What failed for the same reasons: of most files there is one, and no file is named twice."""

    reasons: tuple[Reason, ...]
    files: list[str]


@dataclass(frozen=True)
class Problems:
    """What failed, and how many clips or files failed beyond those that are shown."""

    total: int
    shown: list[Problem]

    @property
    def left_out(self) -> int:
        """How many are not shown."""
        return self.total - sum(len(problem.files) for problem in self.shown)


def _problems(run: Run, facts: RunFacts) -> Problems:
    failures = facts.failures(at_most=FAILURES_SHOWN)
    told: dict[tuple[Reason, ...], Problem] = {}
    for each in failures.first:
        reasons = tuple(map(_reason, each.faults))
        problem = told.setdefault(reasons, Problem(reasons, []))
        problem.files.append(_below(run.roots, each.file))
    shown = sorted(told.values(), key=lambda problem: -len(problem.files))
    return Problems(failures.total, shown)


def _reason(fault: Fault) -> Reason:
    found, advice = advise(fault.step, fault.error or "", fault.fault, fault.error_class)
    return Reason(fault.step, found, advice, fault.attempts)


@dataclass(frozen=True)
class Lane:
    """When one step had something to do."""

    step: str
    slots: list[charts.Slot]


@dataclass(frozen=True)
class Lanes:
    """What was in hand when, over the time between the first and the last result."""

    steps: list[Lane]
    since: datetime
    length_s: float


def _lanes(activity: list[Activity]) -> Lanes | None:
    if not activity:
        return None
    steps = [
        Lane(step, _slots(list(slots)))
        for step, slots in groupby(activity, key=lambda each: each.step)
    ]
    first = activity[0]
    since = datetime.fromtimestamp(first.since, timezone.utc)
    return Lanes(steps, since, first.slot_s * SLOTS)


def _slots(activity: list[Activity]) -> list[charts.Slot]:
    most, width = max(each.clips for each in activity), 100 / SLOTS
    return [
        charts.Slot(
            start=each.slot * width,
            width=width * 1.02,  # no seam between two
            share=each.clips / most,
            failed=each.failed > 0,
        )
        for each in activity
    ]


@dataclass(frozen=True)
class Card:
    """A clip as the page shows it."""

    row: dict[str, Any]
    lines: list[str]
    still: str | None
    document: str | None


def _clips(facts: RunFacts, artifacts: Cache) -> list[Card]:
    stream = facts.clips()
    rows = list(islice(chain.from_iterable(stream), CLIPS_SHOWN))
    stream.close()
    stills = pages.stills([_middle(row["thumbnails"]) for row in rows], artifacts)
    return [
        Card(row, _lines(row), still, _document(row))
        for row, still in zip(rows, _affordable(stills), strict=True)
    ]


def _lines(row: dict[str, Any]) -> list[str]:
    """What is known of a clip, in as many lines as there is something for."""
    local, utc = row["captured_at_local"], row["captured_at"]
    loud, rating = row["loudness_lufs"], row["exposure_quality"]
    rate, scenes = row["frame_rate"], row["scene_count"]
    lines = [
        [
            wording.resolution(row["width"], row["height"]) if row["width"] else None,
            f"{wording.rate(rate)} fps" if rate else None,
            row["codec"],
            row["hdr_format"] or ("HDR" if row["is_hdr"] else None),
            wording.size(row["file_size_bytes"]),
        ],
        [wording.camera(row["camera_make"], row["camera_model"]), row["lens_model"]],
        [
            f"{local:%Y-%m-%d %H:%M}" if local else f"{utc:%Y-%m-%d %H:%M} UTC" if utc else None,
            row["location_name"],
        ],
        [
            counted(scenes, "scene") if scenes else None,
            f"exposure {rating}" if rating not in (None, "unknown") else None,
            f"{loud:.1f} LUFS".replace("-", "\u2212") if loud is not None else None,
        ],
    ]
    return [line for parts in lines if (line := " · ".join(filter(None, parts)))]


def _middle(names: list[str] | None) -> str | None:
    return names[len(names) // 2] if names else None


def _affordable(stills: list[str | None]) -> Iterator[str | None]:
    spent = 0
    for still in stills:
        spent += len(still or "")
        yield still if spent <= STILLS_BYTES else None


def _document(row: dict[str, Any]) -> str | None:
    """Where the clip's document lies, as seen from the page."""
    if row["document"] is None:
        return None
    return f"../json/{quote(document_name(row['file_name'], row['file_checksum']))}"


def _footage(totals: Totals) -> list[str]:
    """What there is of everything, as far as there is any."""
    counts = {
        "with sound": totals.with_audio,
        "with words": totals.with_transcript,
        "with a position": totals.with_position,
        "HDR": totals.hdr,
        "in 4K or more": totals.is_4k,
        "with clipped highlights or shadows": totals.exposure_warnings,
    }
    told = [counted(totals.scenes, "scene")] if totals.scenes else []
    told += [f"{count:,} {what}" for what, count in counts.items() if count]
    days = [f"{at:%Y-%m-%d}" for at in (totals.first_captured, totals.last_captured) if at]
    return [*told, *([f"captured {' to '.join(dict.fromkeys(days))}"] if days else [])]


def _below(roots: list[str], path: str) -> str:
    """Write a file as its owner knows it: below the folder that was named."""
    for root in roots:
        if path.startswith(f"{root}/"):
            return path[len(root) + 1 :]
    return path


def _place(run: Run) -> str:
    names = [Path(root).name or root for root in run.roots]
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "") or run.kind


def _when(at: datetime) -> str:
    """A time on this machine's clock, with its zone: the page may be read elsewhere."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _took(seconds: float | None) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds and seconds < 0.95 else wording.duration(seconds)


def _version() -> str:
    try:
        return version("video-assets")
    except PackageNotFoundError:
        return ""
