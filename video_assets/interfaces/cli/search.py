"""`video-assets search`: find clips by words, by meaning, by what is said, by likeness."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import typer

from video_assets.interfaces.cli.browse import info
from video_assets.interfaces.cli.meaning import (
    needed_vectors,
    no_vectors,
    question_vectors,
)
from video_assets.interfaces.cli.reading import (
    NO_CATALOGUE,
    JsonOption,
    LimitOption,
    Reading,
    leave,
    reading,
)
from video_assets.interfaces.cli.search_eval import evaluate
from video_assets.interfaces.cli.search_explain import say_legs
from video_assets.interfaces.cli.search_moments import moments
from video_assets.interfaces.cli.search_options import (
    ExplainOption,
    OffsetOption,
    OpenOption,
    ScoresOption,
    ThresholdOption,
    WhereOption,
    conditions,
    finite,
    say_how_many_are_wanted,
    say_nothing_found,
    say_what_is_less_alike,
    visible,
)
from video_assets.interfaces.cli.search_pictures import show_pictures
from video_assets.interfaces.cli.search_similar import similar
from video_assets.interfaces.cli.search_table import hits_table
from video_assets.interfaces.cli.wording import (
    console,
    counted,
    new_table,
    say,
    say_json,
    size,
    titled,
)
from video_assets.search import queries
from video_assets.search.queries import Hit, Question, Visible, Weights
from video_assets.search.spelling import suggest


class SearchType(str, Enum):
    """Ways to search."""

    SEMANTIC = "semantic"
    FULLTEXT = "fulltext"
    HYBRID = "hybrid"
    TRANSCRIPTS = "transcripts"


LISTS = {
    SearchType.SEMANTIC: ("summary", "keyword"),
    SearchType.FULLTEXT: ("text",),
    SearchType.HYBRID: ("text", "summary", "keyword"),
    SearchType.TRANSCRIPTS: ("transcripts",),
}

BY_MEANING = (SearchType.SEMANTIC, SearchType.HYBRID)

search = typer.Typer(help="Find clips and look at them.", no_args_is_help=True)
search.command("info")(info)
search.command("similar")(similar)
search.command("moments")(moments)
search.command("eval")(evaluate)


@dataclass(frozen=True)
class Asked:
    """What is searched for."""

    text: str
    kind: SearchType
    weights: Weights
    threshold: float


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
    threshold: ThresholdOption = 0.3,
    fulltext_weight: Annotated[
        float, typer.Option(min=0, callback=finite, help="hybrid: how much the words count.")
    ] = 1.0,
    summary_weight: Annotated[
        float,
        typer.Option(min=0, callback=finite, help="How much likeness to the summaries counts."),
    ] = 1.0,
    keyword_weight: Annotated[
        float,
        typer.Option(min=0, callback=finite, help="How much likeness to the keywords counts."),
    ] = 0.8,
    explain: ExplainOption = False,
    open_it: OpenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find clips by words and by meaning.

    hybrid goes by both together, fulltext by the words of names, tags, cameras, places, folders
    and speech, semantic by what clips are about, transcripts by what is said in them and when.

    "exact words", -without and this OR that mean what they do in a web search. Where no clip has
    all of the words, those with any of them are shown.
    """
    asked = Asked(text, kind, Weights(fulltext_weight, summary_weight, keyword_weight), threshold)
    question = Question(conditions(where), limit, offset, [] if explain else None)
    with reading() as opened:
        hits = _search(opened, asked, question)
        seen = visible(opened, question) if explain or not hits else None
        meant = None if offset else _meant(opened, asked, hits)
        if open_it:
            show_pictures(opened, text, hits)
    if as_json:
        found = {"type": kind.value, "shown": len(hits), "clips": hits}
        say_json({**found, "visible": seen, "legs": question.legs, "did_you_mean": meant})
        return
    if hits:
        table = hits_table(hits, kind.value, scores=scores)
        console().print(titled(f"Search Results ({len(hits)} found)", table))
    if seen is not None:
        if not hits:
            say_nothing_found("results", text, offset)
        _say_what_was_searched(asked, seen)
        if not hits and seen.clips_with_vectors and kind in BY_MEANING:
            say_what_is_less_alike(text, offset, threshold)
    elif not hits:
        say(NO_CATALOGUE)
    if question.legs is not None and seen is not None:
        say_legs(question.legs, LISTS[kind])
    if meant is not None:
        say(f"no clip has these words; did you mean: {meant}")


@search.command("stats")
def stats(as_json: JsonOption = False) -> None:
    """Count what the catalogue holds."""
    with reading() as opened:
        if opened.browser is None:
            leave(NO_CATALOGUE)
        found = queries.statistics(opened.browser.catalogue, opened.owner)
        spaces = queries.spaces(opened.browser.catalogue, opened.owner)
    if as_json:
        say_json({**vars(found), "embeddings": spaces})
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
    for space in spaces:
        state = "searched" if space.is_in_use else "filled, and searched when all have them"
        say(f"{space.clips:,} clips have vectors of {space.model}, {state}")


def _search(opened: Reading, asked: Asked, question: Question) -> list[Hit]:
    if opened.browser is None:
        return []
    catalogue = opened.browser.catalogue
    if asked.kind is SearchType.TRANSCRIPTS:
        return queries.transcripts(catalogue, opened.owner, asked.text, question)
    if asked.kind is SearchType.FULLTEXT:
        return queries.fulltext(catalogue, opened.owner, asked.text, question)
    weights, threshold = asked.weights, asked.threshold
    if asked.kind is SearchType.SEMANTIC:
        model = queries.model_in_use(catalogue, opened.owner)
        if model is None or not asked.text.strip():
            return []
        needed = needed_vectors(model, asked.text)
        return queries.semantic(
            catalogue, opened.owner, needed, question, weights=weights, threshold=threshold
        )
    vectors = question_vectors(catalogue, opened.owner, asked.text)
    return queries.hybrid(
        catalogue,
        opened.owner,
        asked.text,
        vectors,
        question,
        weights=weights,
        threshold=threshold,
    )


def _meant(opened: Reading, asked: Asked, hits: Sequence[Hit]) -> str | None:
    """Suggest other words where none was found."""
    is_by_words = asked.kind is not SearchType.SEMANTIC
    if opened.browser is None or not is_by_words or any(h.match_type != "semantic" for h in hits):
        return None
    return suggest(opened.browser.catalogue, opened.owner, asked.text)


def _say_what_was_searched(asked: Asked, seen: Visible) -> None:
    say_how_many_are_wanted(seen)
    if asked.kind is SearchType.TRANSCRIPTS:
        say(f"searched what is said in {seen.clips_with_speech:,} of {seen.clips:,} clips")
        return
    if asked.kind is not SearchType.SEMANTIC:
        say(f"searched the words of {counted(seen.clips, 'clip')}")
    if asked.kind not in BY_MEANING:
        return
    if seen.clips_with_vectors:
        say(f"by meaning: {seen.clips_with_vectors:,} clips have vectors of {seen.model}")
    else:
        say(f"by meaning: {no_vectors(seen)}")
