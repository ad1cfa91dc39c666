"""How values are written: short, exact, and harmless to a terminal."""

from decimal import Decimal
from fractions import Fraction

import pytest
from rich.cells import cell_len

from video_assets.interfaces.cli import wording


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "—"),
        (0, "0.0s"),
        (12.34, "12.3s"),
        (59.9, "59.9s"),
        (59.96, "1m 0s"),
        (60, "1m 0s"),
        (307.9, "5m 7s"),
        (3599.9, "59m 59s"),
        (3600, "1h 0m 0s"),
        (3723, "1h 2m 3s"),
    ],
)
def test_durations(seconds: float | None, text: str):
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (None, "—"),
        (0, "0B"),
        (1023, "1023B"),
        (1536, "1.5KB"),
        (1024**2, "1.0MB"),
        (1024**3 * 3 // 2, "1.5GB"),
        (1024**5, "1.0PB"),
        (1024**6, "1024.0PB"),
    ],
)
def test_sizes(size_bytes: int | None, text: str):
    assert wording.size(size_bytes) == text


@pytest.mark.parametrize(
    ("decimal", "exact"),
    [
        ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("59.94005994", Fraction(60000, 1001)),
        ("25", Fraction(25)),
        ("12.5", Fraction(25, 2)),
    ],
)
def test_the_fraction_behind_a_decimal_rate(decimal: str, exact: Fraction):
    assert wording.exact_rate(Decimal(decimal)) == exact


@pytest.mark.parametrize(
    "text", ["short.mp4", "a very long name 0042.mp4", "日本語日本語日本語.mp4"]
)
@pytest.mark.parametrize("width", [5, 8, 12, 40])
def test_a_shortened_name_fits_and_keeps_both_ends(text: str, width: int):
    short = wording.shorten(text, width)
    assert cell_len(short) <= width
    assert short == text or (short[0] == text[0] and short[-1] == text[-1] and "…" in short)


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\u202eb", "bell\a", "\udcff", "\x9b31m"])
def test_what_a_terminal_would_obey_is_written_out(text: str):
    assert wording.clean(text).isprintable()


def test_a_line_break_in_a_value_does_not_break_the_table():
    assert wording.clean("two\nlines") == "two lines"


@pytest.mark.parametrize(("percent", "full"), [(0, 0), (9, 0), (10, 1), (99, 9), (100, 10)])
def test_the_bar_is_full_only_at_the_end(percent: int, full: int):
    assert wording.bar(percent) == "█" * full + "░" * (10 - full)


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0s ago"), (45, "45s ago"), (300, "5m ago"), (90_000, "1d ago")]
)
def test_how_long_ago(seconds: float, text: str):
    assert wording.ago(seconds) == text
