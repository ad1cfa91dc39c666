"""How values are written in a terminal: short, exact where it counts, and never obeyed by it."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.cells import cell_len
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

NONE = "—"
ID_LENGTH = 8
NTSC = Fraction(1000, 1001)


def console(*, error: bool = False) -> Console:
    """A console that takes every character, whatever the terminal's encoding is."""
    stream = sys.stderr if error else sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue]
    return Console(stderr=error, highlight=False, emoji=False)


def say(text: str, *, error: bool = False) -> None:
    """Print a line as it is, however wide: a path or a command in it can be copied."""
    console(error=error).print(Text(clean(text)), soft_wrap=True)


def say_json(value: Any) -> None:
    """Print a value for other programs."""
    sys.stdout.write(json.dumps(value, default=plain, indent=2) + "\n")


def new_table(*, header: bool = True, gap: int = 2) -> Table:
    """A table in the one style of all commands, open at the sides so that it stays narrow."""
    return Table(
        box=None,
        show_header=header,
        header_style="dim",
        pad_edge=False,
        padding=(0, gap, 0, 0),
    )


def titled(title: str, table: Table) -> Group:
    """A table below its title, which may be wider than the table."""
    return Group(Text(clean(title), style="bold"), table)


def clean(text: object) -> str:
    """Text without anything that a terminal would obey: it may come out of a file."""
    return "".join(
        char if char.isprintable() else " " if char.isspace() else _escaped(char)
        for char in str(text)
    )


def cell(value: object, style: str = "") -> Text:
    """A value as it is, never read as markup; nothing is a dash, zero is zero."""
    return Text(NONE if value is None or value == "" else clean(value), style=style)


def whole(text: object) -> Text:
    """A line that is not wrapped, to be copied; for a Group that is printed with crop=False."""
    return Text(clean(text), no_wrap=True, overflow="ignore")


def shorten(text: str, width: int) -> str:
    """Text of at most so many columns, shortened in the middle, because both ends tell apart."""
    text = clean(text)
    if cell_len(text) <= width:
        return text
    head, tail = "", ""
    for number in range(len(text)):
        is_head = number % 2 == 0
        more = text[number // 2] if is_head else text[-(number // 2) - 1]
        if cell_len(head + tail + more) > width - 1:
            break
        head, tail = (head + more, tail) if is_head else (head, more + tail)
    return f"{head}…{tail}"


def short_id(clip_id: UUID) -> str:
    """The beginning of an id, enough to paste."""
    return str(clip_id)[:ID_LENGTH]


def duration(seconds: float | Decimal | None) -> str:
    """Seconds as 12.3s, 5m 7s or 1h 2m 3s."""
    if seconds is None:
        return NONE
    if round(float(seconds), 1) < 60:
        return f"{float(seconds):.1f}s"
    minutes, rest = divmod(max(60, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes}m {rest}s" if hours else f"{minutes}m {rest}s"


def span(seconds: float) -> str:
    """Write a length of time for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def size(size_bytes: int | None) -> str:
    """Bytes in steps of 1024: 512B, 1.5KB, 2.0GB."""
    if size_bytes is None:
        return NONE
    if size_bytes < 1024:
        return f"{size_bytes}B"
    value, units = size_bytes / 1024, iter(("KB", "MB", "GB", "TB", "PB"))
    unit = next(units)
    while value >= 1024 and unit != "PB":
        value, unit = value / 1024, next(units)
    return f"{value:.1f}{unit}"


def camera(make: str | None, model: str | None) -> str:
    """Name a camera; some models begin with their make."""
    parts = [model] if make and model and model.startswith(make) else [make, model]
    return " ".join(filter(None, parts))


def resolution(width: int | None, height: int | None) -> str:
    """A size in pixels, WxH."""
    return NONE if width is None or height is None else f"{width}x{height}"


def rate(frames_per_s: float | Decimal | Fraction | None) -> str:
    """A frame rate as people say it: 25, 29.97, 23.976."""
    if frames_per_s is None:
        return NONE
    return f"{float(frames_per_s):.3f}".rstrip("0").rstrip(".")


def exact_rate(frames_per_s: Decimal | None) -> Fraction | None:
    """The fraction behind a decimal frame rate: 29.97 is 30000/1001."""
    if frames_per_s is None:
        return None
    found = Fraction(frames_per_s)
    likely = (Fraction(round(found)), round(found / NTSC) * NTSC)
    near = [each for each in likely if abs(each - found) < Fraction(1, 1000)]
    return near[0] if near else found.limit_denominator(1001)


def moment(at: datetime | None) -> str:
    """A time on this machine's clock, to the second: 19 characters."""
    return NONE if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def ago(seconds: float) -> str:
    """How long ago: 12s, 5m, 3h, 2d."""
    whole = max(0, round(seconds))
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if whole >= 2 * length or (unit == "d" and whole >= length):
            return f"{whole // length}{unit} ago"
    return f"{whole}s ago"


def bar(percent: int, cells: int = 10) -> str:
    """Progress as a bar, full only at 100."""
    full = percent * cells // 100
    return "█" * full + "░" * (cells - full)


def listed(names: Iterable[str]) -> str:
    """Names in a row."""
    return ", ".join(map(clean, names)) or NONE


def money(usd: float | Decimal | None) -> str:
    """Dollars, with as many digits as a small sum needs: $12.40, $0.0021."""
    if usd is None:
        return NONE
    return f"${usd:,.2f}" if usd == 0 or abs(usd) >= 1 else f"${usd:,.4f}"


def percent(share: float | None) -> str:
    """A share of 1 as 62%."""
    return NONE if share is None else f"{share:.0%}"


def counted(number: int, thing: str) -> str:
    """Write a number of things: 1 clip, 2 clips."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def page_note(shown: int, total: int) -> str:
    """Say that a list is not all there is."""
    return f"{shown:,} of {total:,}; --limit {total} shows all" if shown < total else ""


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def plain(value: Any) -> Any:
    """Give what JSON has no form for a plain form; for `json.dumps`."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Path | Fraction):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
