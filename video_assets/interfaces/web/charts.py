"""Small plots as SVG inside a page: their colours are the page's, their words are text.

Each is a picture of a few numbers that also stand in it, so nothing is lost where none is shown.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

WIDTH, HEIGHT = 360, 150
TOP, BOTTOM = 18, 22
MOST_BARS = 8
MOST_DAYS, MOST_MONTHS, MOST_SPANS = 16, 24, 60
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
DURATIONS = {
    0: "< 5 s",
    5: "5-15 s",
    15: "15-30 s",
    30: "30-60 s",
    60: "1-3 min",
    180: "3-10 min",
    600: "10-30 min",
    1800: "> 30 min",
}
"""From how many seconds on, and what it is called."""


@dataclass(frozen=True)
class Column:
    """One column of a plot; a label may be left out where they would be too many."""

    label: str
    value: int


def columns(title: str, found: Sequence[Column]) -> Markup:
    """Draw columns side by side, each with its number on top."""
    top = max((column.value for column in found), default=0) or 1
    step = WIDTH / max(len(found), 1)
    drawn = [_column(column, number * step, step, top) for number, column in enumerate(found)]
    baseline = HEIGHT - BOTTOM
    line = Markup('<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>')
    told = ", ".join(f"{each.label}: {each.value}" for each in found if each.value)
    return Markup(
        '<svg class="columns" viewBox="-14 0 {} {}" role="img" aria-label="{}">{}{}</svg>'
    ).format(
        WIDTH + 28,  # the first and the last label are wider than their columns
        HEIGHT,
        f"{title}. {told}",
        Markup("").join(drawn),
        line.format(WIDTH, baseline, baseline),
    )


def _column(column: Column, left: float, step: float, top: int) -> Markup:
    height = (HEIGHT - TOP - BOTTOM) * column.value / top
    height = max(height, 1.5) if column.value else 0
    y, middle = HEIGHT - BOTTOM - height, left + step / 2
    bar = Markup(
        '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1.5"/>'
    )
    number = Markup('<text class="number" x="{:.1f}" y="{:.1f}">{}</text>')
    label = Markup('<text class="label" x="{:.1f}" y="{}">{}</text>')
    return Markup("").join(
        [
            bar.format(left + step * 0.12, y, step * 0.76, height) if column.value else "",
            number.format(middle, y - 4, f"{column.value:,}") if column.value else "",
            label.format(middle, HEIGHT - 6, column.label) if column.label else "",
        ]
    )


@dataclass(frozen=True)
class Bar:
    """One row of a list with bars: how long the bar is, of 100; the last may be all the rest."""

    label: str
    value: int
    percent: float
    is_rest: bool = False


def bars(counts: Mapping[str, int], *, at_most: int = MOST_BARS) -> list[Bar]:
    """Turn counts into rows, the longest first, what is left in the last one."""
    top = max(counts.values(), default=0) or 1
    rows = [Bar(label, value, 100 * value / top) for label, value in counts.items()]
    if len(rows) > at_most:
        rest = rows[at_most - 1 :]
        more = sum(row.value for row in rest)
        rows = [
            *rows[: at_most - 1],
            Bar(f"{len(rest)} others", more, min(100, 100 * more / top), is_rest=True),
        ]
    return rows


def bar(percent: float, kind: str = "bar") -> Markup:
    """Draw one bar that is as wide as its place allows."""
    return Markup(
        '<svg class="track" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="{}" width="{:.2f}" height="8"/></svg>'
    ).format(kind, max(percent, 0.6) if percent > 0 else 0)


@dataclass(frozen=True)
class Slot:
    """A stretch of time on a lane: where it begins and ends, of 100, and how full it is, of 1."""

    start: float
    width: float
    share: float
    failed: bool


def lane(slots: Iterable[Slot]) -> Markup:
    """Draw when there was something to do, darker where there was more."""
    cell = Markup('<rect class="{}" x="{:.2f}" width="{:.2f}" height="14" opacity="{:.2f}"/>')
    drawn = [
        cell.format(
            "failed" if slot.failed else "bar", slot.start, slot.width, 0.25 + 0.75 * slot.share
        )
        for slot in slots
    ]
    return Markup(
        '<svg class="lane" viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true">'
        "{}</svg>"
    ).format(Markup("").join(drawn))


def by_duration(values_s: Iterable[float]) -> list[Column]:
    """Count lengths in steps that editors think in."""
    counts = dict.fromkeys(DURATIONS, 0)
    for value in values_s:
        counts[max(limit for limit in DURATIONS if value >= limit)] += 1
    return _without_empty_ends([Column(DURATIONS[limit], n) for limit, n in counts.items()])


def by_width(values: Sequence[float], width: float) -> list[Column]:
    """Count values in steps of one width; a label names where its step begins."""
    if not values:
        return []
    numbers = [int(value // width) for value in values]
    low, high = min(numbers), max(numbers)
    counts = dict.fromkeys(range(low, high + 1), 0)
    for number in numbers:
        counts[number] += 1
    skip = max(1, -(-len(counts) // 8))
    return [
        Column(
            f"{number * width:+g}".replace("+0", "0").replace("-", "\u2212")
            if (number - low) % skip == 0
            else "",
            count,
        )
        for number, count in counts.items()
    ]


def by_time(days: Mapping[str, int]) -> list[Column]:
    """Count days (YYYY-MM-DD) as days, months or years, by how far they reach."""
    known = sorted(day for day in days if _DAY.fullmatch(day))
    if not known:
        return []
    first, last = date.fromisoformat(known[0]), date.fromisoformat(known[-1])
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if (last - first).days < MOST_DAYS:
        every = [first + timedelta(n) for n in range((last - first).days + 1)]
        return _few_labels([Column(f"{d:%d %b}", days.get(d.isoformat(), 0)) for d in every])
    length = 7 if months <= MOST_MONTHS else 4
    sums: dict[str, int] = {}
    for day in known:
        sums[day[:length]] = sums.get(day[:length], 0) + days[day]
    if length == 4:
        spans = [str(year) for year in range(first.year, last.year + 1)]
    else:
        ordinal = first.year * 12 + first.month - 1
        spans = [f"{n // 12}-{n % 12 + 1:02}" for n in range(ordinal, ordinal + months)]
    return _few_labels([Column(span, sums.get(span, 0)) for span in spans[-MOST_SPANS:]])


def _few_labels(found: list[Column]) -> list[Column]:
    skip = max(1, -(-len(found) // 7))
    return [
        column if number % skip == 0 else Column("", column.value)
        for number, column in enumerate(found)
    ]


def _without_empty_ends(found: list[Column]) -> list[Column]:
    filled = [number for number, column in enumerate(found) if column.value]
    return found[filled[0] : filled[-1] + 1] if filled else []
