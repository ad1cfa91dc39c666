"""What the searches take in common, and what they search."""

from collections.abc import Sequence
from typing import Annotated

import typer

from video_assets.interfaces.cli.reading import MOST, Reading, leave
from video_assets.search import queries
from video_assets.search.queries import Question, Visible
from video_assets.storage.selection import Condition, SelectionError, parse

WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where",
        help="Only clips that are so: camera_make=Canon,duration>60,tag=beach,near=47.4/8.5/10",
    ),
]
OffsetOption = Annotated[int, typer.Option("--offset", min=0, max=MOST, help="Leave out so many.")]
ScoresOption = Annotated[bool, typer.Option("--scores", help="With how good each answer is.")]
ExplainOption = Annotated[
    bool,
    typer.Option(
        "--explain", help="Say which lists were made, by which plan, and among how many clips."
    ),
]
ThresholdOption = Annotated[
    float,
    typer.Option(
        "--threshold", help="The least likeness of what is found by its meaning, at most 1."
    ),
]
OpenOption = Annotated[bool, typer.Option("--open", help="Show their pictures in the browser.")]


def conditions(where: str | None) -> Sequence[Condition]:
    """Read --where, or end by saying what is wrong with it."""
    try:
        return parse(where or "")
    except SelectionError as error:
        leave(str(error))


def nothing_found(what: str, text: str, offset: int) -> tuple[str, bool]:
    """Say that there is nothing to show, and whether less likeness could show more."""
    if not text.strip():
        return f"No {what} found: nothing was asked", False
    if offset:
        return f"No more {what} from --offset {offset} on", False
    return f"No {what} found", True


def visible(opened: Reading, question: Question) -> Visible | None:
    """Count what can be found, if there is a catalogue."""
    if opened.browser is None:
        return None
    return queries.visible(opened.browser.catalogue, opened.owner, question)
