"""What a search found, as a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from video_assets.interfaces.cli.wording import camera, cell, duration, new_table, short_id, shorten
from video_assets.search.queries import Hit

NAME_WIDTH, SUMMARY_WIDTH, SAID_WIDTH, CAMERA_WIDTH = 30, 50, 160, 20
SCORES = {"semantic": "Similarity", "similar": "Similarity", "hybrid": "Rank", "moments": "Rank"}
WORDS = "FTS Rank"


@dataclass(frozen=True)
class Column:
    """One column: what stands in it, and how it lies."""

    heading: str
    value: Callable[[Hit], str | None]
    is_number: bool = False
    is_wrapped: bool = False
    """Gives way in a narrow terminal, so that no number is cut."""


def hits_table(hits: Sequence[Hit], kind: str, *, scores: bool) -> Table:
    """Lay out what a search of one kind found; columns in which nothing stands are left out."""
    columns = [*_columns(hits), *(_scores(kind) if scores else ())]
    table = new_table(gap=1)
    for column in columns:
        justify = "right" if column.is_number else "left"
        table.add_column(
            column.heading, justify=justify, no_wrap=not column.is_wrapped, overflow="fold"
        )
    for hit in hits:
        table.add_row(*(cell(column.value(hit)) for column in columns))
    return table


def _columns(hits: Sequence[Hit]) -> list[Column]:
    columns = [
        Column("ID", lambda hit: short_id(hit.id)),
        Column("File", lambda hit: shorten(hit.file_name, NAME_WIDTH), is_wrapped=True),
    ]
    length = Column("Duration", lambda hit: duration(hit.duration_seconds), is_number=True)
    if any(hit.at_s is not None for hit in hits):
        return [
            *columns,
            Column("At", lambda hit: timecode(hit.at_s), is_number=True),
            Column("Said", lambda hit: cut(hit.excerpt, SAID_WIDTH), is_wrapped=True),
            length,
        ]
    if any(hit.content_summary for hit in hits):
        columns.append(
            Column("Summary", lambda hit: cut(hit.content_summary, SUMMARY_WIDTH), is_wrapped=True)
        )
    if any(hit.content_category for hit in hits):
        columns.append(Column("Category", lambda hit: hit.content_category))
    return [*columns, length, Column("Camera", _camera, is_wrapped=True)]


def _scores(kind: str) -> list[Column]:
    score = Column(SCORES.get(kind, WORDS), lambda hit: f"{hit.score:.3f}", is_number=True)
    is_mixed = kind in ("hybrid", "moments")
    return [score, *([Column("Type", lambda hit: hit.match_type)] if is_mixed else [])]


def timecode(seconds: float | None) -> str | None:
    """Write a time in a clip as H:MM:SS."""
    if seconds is None:
        return None
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def cut(text: str | None, width: int) -> str | None:
    """Cut a text to what a table has room for."""
    if text is None or len(text) <= width:
        return text
    return f"{text[: width - 3]}..."


def _camera(hit: Hit) -> str | None:
    named = camera(hit.camera_make, hit.camera_model)
    return shorten(named, CAMERA_WIDTH) if named else None
