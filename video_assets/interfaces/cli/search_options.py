"""What the searches take in common, and what they search."""

import math
from collections.abc import Sequence
from typing import Annotated

import typer

from video_assets.interfaces.cli.reading import MOST, Reading, leave
from video_assets.interfaces.cli.wording import say
from video_assets.search import queries
from video_assets.search.queries import Question, Visible
from video_assets.storage.selection import Condition, SelectionError, parse


def finite(number: float) -> float:
    """Refuse what no likeness and no weight can be compared with."""
    if not math.isfinite(number):
        raise typer.BadParameter(f"{number} is not a number to compare with")
    return number


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
        "--threshold",
        callback=finite,
        help="The least likeness of what is found by its meaning, at most 1.",
    ),
]
OpenOption = Annotated[bool, typer.Option("--open", help="Show their pictures in the browser.")]


def conditions(where: str | None) -> Sequence[Condition]:
    """Read --where, or end by saying what is wrong with it."""
    try:
        return parse(where or "")
    except SelectionError as error:
        leave(str(error))


def say_nothing_found(what: str, text: str, offset: int) -> None:
    """Say that there is nothing to show."""
    if not text.strip():
        say(f"No {what} found: nothing was asked")
    elif offset:
        say(f"No more {what} from --offset {offset} on")
    else:
        say(f"No {what} found")


def say_how_many_are_wanted(seen: Visible) -> None:
    """Say how many clips --where leaves."""
    if seen.clips_in_question != seen.clips:
        say(f"{seen.clips_in_question:,} of {seen.clips:,} clips are as --where wants them")


def say_what_is_less_alike(text: str, offset: int, threshold: float) -> None:
    """Say how less likeness shows more, where nothing else explains that there is nothing."""
    if text.strip() and not offset:
        say(f"none is more alike than {threshold:g}; a lower --threshold shows more")


def visible(opened: Reading, question: Question) -> Visible | None:
    """Count what can be found, if there is a catalogue."""
    if opened.browser is None:
        return None
    return queries.visible(opened.browser.catalogue, opened.owner, question)
