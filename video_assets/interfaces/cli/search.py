"""`video-assets search`: find clips by words, by what is said, by likeness, and look at them."""

from collections.abc import Sequence
from enum import Enum
from typing import Annotated

import typer
from rich.table import Table

from video_assets.interfaces.cli.browse import info
from video_assets.interfaces.cli.reading import (
    NO_CATALOGUE,
    JsonOption,
    LimitOption,
    Reading,
    leave,
    one_clip,
    reading,
)
from video_assets.interfaces.cli.wording import (
    cell,
    console,
    duration,
    new_table,
    say,
    say_json,
    short_id,
    shorten,
    size,
    titled,
)
from video_assets.search import queries
from video_assets.search.queries import Hit, Question
from video_assets.settings import LOCAL_OWNER
from video_assets.storage.selection import Condition, SelectionError, parse

NAME_WIDTH, SUMMARY_WIDTH, CAMERA_WIDTH = 30, 50, 20


class SearchType(str, Enum):
    """Ways to search."""

    HYBRID = "hybrid"
    FULLTEXT = "fulltext"
    TRANSCRIPTS = "transcripts"


WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where",
        help="Only clips that are so: camera_make=Canon,duration>60,tag=beach,near=47.4/8.5/10",
    ),
]
OffsetOption = Annotated[int, typer.Option("--offset", min=0, help="Leave out so many.")]
ScoresOption = Annotated[bool, typer.Option("--scores", help="With how good each answer is.")]

search = typer.Typer(help="Find clips and look at them.", no_args_is_help=True)
search.command("info")(info)


@search.command("query")
def query(
    text: Annotated[str, typer.Argument(metavar="QUERY", help="Words, as in a web search.")],
    kind: Annotated[
        SearchType, typer.Option("--type", "-t", help="What is searched.")
    ] = SearchType.HYBRID,
    limit: LimitOption = 10,
    offset: OffsetOption = 0,
    where: WhereOption = None,
    scores: ScoresOption = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which lists found what, among how many clips.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find clips by words: of names, tags, cameras, places, folders and speech.

    "exact words", -without and this OR that mean what they do in a web search. Where no clip has
    all of the words, those with any of them are shown.
    """
    question = Question(_conditions(where), limit, offset)
    with reading() as opened:
        hits = _search(opened, kind, text, question)
        seen = _visible(opened) if explain or not hits else None
    if as_json:
        say_json({"type": kind.value, "shown": len(hits), "clips": hits, "visible": seen})
        return
    if hits:
        console().print(titled(f"Search Results ({len(hits)} found)", _table(hits, scores=scores)))
    if seen is None and not hits:
        say(NO_CATALOGUE)
    elif seen is not None:
        _say_what_was_searched(kind, seen, found=bool(hits))


@search.command("similar")
def similar(
    clip: Annotated[
        str, typer.Argument(help="Id or checksum, or the beginning of one; or a name.")
    ],
    limit: LimitOption = 5,
    threshold: Annotated[
        float, typer.Option("--threshold", "-t", help="The least likeness, at most 1.")
    ] = 0.5,
    where: WhereOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find clips that are about the same as one of them."""
    question = Question(_conditions(where), limit)
    with reading() as opened:
        name = one_clip(opened.browser, clip)
        hits: list[Hit] = []
        if opened.browser is not None:
            catalogue = opened.browser.catalogue
            hits = queries.similar(catalogue, LOCAL_OWNER, name.id, question, threshold=threshold)
        seen = None if hits else _visible(opened)
    if as_json:
        say_json({"shown": len(hits), "clips": hits})
    elif hits:
        console().print(titled(f"Similar Clips ({len(hits)} found)", _table(hits, scores=True)))
    elif seen is not None and seen.clips_with_vectors == 0:
        say(f"no clip has a vector yet: {seen.clips:,} wait for `embeddings`")
    else:
        say(f"no similar clip found; --threshold {threshold / 2:g} shows less similar ones")


@search.command("stats")
def stats(as_json: JsonOption = False) -> None:
    """Count what the catalogue holds."""
    with reading() as opened:
        if opened.browser is None:
            leave(NO_CATALOGUE)
        found = queries.statistics(opened.browser.catalogue, LOCAL_OWNER)
    if as_json:
        say_json(found)
        return
    table = new_table(header=False)
    table.add_column("Metric", style="dim", no_wrap=True)
    table.add_column("Value", justify="right", no_wrap=True)
    for metric, value in (
        ("Total Videos", f"{found.total_clips:,}"),
        ("Total Duration", f"{found.total_duration_hours:,.1f} hours"),
        ("Storage Used", size(round(found.total_storage_gb * 1024**3))),
        ("With Transcripts", f"{found.clips_with_transcripts:,}"),
        ("In Progress", f"{found.clips_in_progress:,}"),
        ("Completed", f"{found.clips_completed:,}"),
    ):
        table.add_row(metric, value)
    console().print(titled("Video Catalog Statistics", table))


def _search(opened: Reading, kind: SearchType, text: str, question: Question) -> list[Hit]:
    if opened.browser is None:
        return []
    catalogue = opened.browser.catalogue
    if kind is SearchType.TRANSCRIPTS:
        return queries.transcripts(catalogue, LOCAL_OWNER, text, question)
    if kind is SearchType.FULLTEXT:
        return queries.fulltext(catalogue, LOCAL_OWNER, text, question)
    return queries.hybrid(catalogue, LOCAL_OWNER, text, None, question)


def _visible(opened: Reading) -> queries.Visible | None:
    if opened.browser is None:
        return None
    return queries.visible(opened.browser.catalogue, LOCAL_OWNER)


def _say_what_was_searched(kind: SearchType, seen: queries.Visible, *, found: bool) -> None:
    if not found:
        say("No results found")
    if kind is SearchType.TRANSCRIPTS:
        say(f"searched what is said in {seen.clips_with_speech:,} of {seen.clips:,} clips")
        return
    say(f"searched the words of {seen.clips:,} clips")
    if kind is SearchType.HYBRID:
        say(
            f"by meaning: {seen.clips_with_vectors:,} clips have vectors of {seen.model}"
            if seen.model
            else f"by meaning: no vectors yet, {seen.clips:,} clips wait for `embeddings`"
        )


def _conditions(where: str | None) -> Sequence[Condition]:
    try:
        return parse(where or "")
    except SelectionError as error:
        leave(str(error))


def _table(hits: Sequence[Hit], *, scores: bool) -> Table:
    has_times = any(hit.excerpt for hit in hits)
    has_summaries = not has_times and any(hit.content_summary for hit in hits)
    table = new_table(gap=1)
    for heading, is_shown in (
        ("ID", True),
        ("File", True),
        ("At", has_times),
        ("Said", has_times),
        ("Summary", has_summaries),
        ("Duration", True),
        ("Camera", not has_times),
        ("Score", scores),
        ("Type", scores),
    ):
        if is_shown:
            is_number = heading in ("At", "Duration", "Score")
            justify = "right" if is_number else "left"
            table.add_column(heading, justify=justify, no_wrap=heading not in ("Said", "Summary"))
    for hit in hits:
        row = [cell(short_id(hit.id)), cell(shorten(hit.file_name, NAME_WIDTH))]
        if has_times:
            row += [cell(_timecode(hit.at_s)), cell(hit.excerpt)]
        if has_summaries:
            row += [cell(_summary(hit.content_summary))]
        row += [cell(duration(hit.duration_seconds))]
        if not has_times:
            row += [cell(_camera(hit))]
        if scores:
            row += [cell(f"{hit.score:.3f}"), cell(hit.match_type)]
        table.add_row(*row)
    return table


def _timecode(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _summary(text: str | None) -> str | None:
    if text is None or len(text) <= SUMMARY_WIDTH:
        return text
    return f"{text[: SUMMARY_WIDTH - 3]}..."


def _camera(hit: Hit) -> str | None:
    named = " ".join(part for part in (hit.camera_make, hit.camera_model) if part)
    return shorten(named, CAMERA_WIDTH) if named else None
