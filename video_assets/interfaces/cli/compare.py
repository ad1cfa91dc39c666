"""`video-assets compare`: what several analyzers say of the same clips, side by side."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from video_assets.interfaces.cli import meaning
from video_assets.interfaces.cli.parts import WhereOption
from video_assets.interfaces.cli.reading import (
    NO_CATALOGUE,
    JsonOption,
    LimitOption,
    Reading,
    leave,
    one_clip,
    reading,
    where_processed,
)
from video_assets.interfaces.cli.wording import (
    cell,
    console,
    counted,
    money,
    new_table,
    percent,
    say,
    say_json,
    shorten,
    titled,
)
from video_assets.search import comparison, queries
from video_assets.search.comparison import AnalyzerTotals, ComparedClip, Comparison, PairTotals
from video_assets.storage.analyses import Analysis, analyses
from video_assets.storage.selection import SelectionError, parse, select_clips
from video_assets.storage.way_in import WayIn

NAME_WIDTH = 34


def compare(
    clips: Annotated[
        list[str] | None,
        typer.Argument(help="Ids, checksums, names or paths.", show_default="all clips"),
    ] = None,
    where: WhereOption = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page with pictures to this file.")
    ] = None,
    by_meaning: Annotated[
        bool,
        typer.Option(
            "--meaning",
            help="Compare summaries by the model of the clips, if it is on this machine.",
        ),
    ] = False,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Compare what several analyzers say of clips: where they agree, what they cost and take.

    Agreement is the mean of three: the same category; the tags that both have, of all that either
    has; the words that both summaries have, of all that either has. The clips in which they agree
    least come first. `promote` lets one of them stand for your clips.
    """
    with reading() as opened:
        if opened.browser is None:
            leave(NO_CATALOGUE)
        catalogue = opened.browser.catalogue
        found = analyses(catalogue, opened.owner, _checksums(opened, clips, where))
        try:
            embed = _embedder(catalogue, opened.owner) if by_meaning else None
            compared = comparison.compare(found, embed)
        except meaning.MeaningError as error:
            leave(str(error))
    if as_json:
        say_json(_document(compared))
    elif not compared.clips:
        described = where_processed("ingest FOLDER --enable-ai")
        say(
            f"no analyzer has described these clips yet; the preset ai_research or {described} "
            "has it done"
        )
    elif html is None:
        _print(compared, limit)
    if html is not None and compared.clips:
        from video_assets.interfaces.web import comparison_page

        comparison_page.write(html, compared, opened.artifacts)
        say(f"{counted(len(compared.clips), 'clip')} compared in {html}", error=as_json)


def _checksums(opened: Reading, names: list[str] | None, where: str | None) -> list[str] | None:
    if not names and where is None:
        return None
    if opened.browser is None:
        leave(NO_CATALOGUE)
    try:
        found = select_clips(opened.browser.catalogue, parse(where or ""), owner=opened.owner)
    except SelectionError as error:
        leave(str(error))
    chosen = {one_clip(opened.browser, name).file_checksum for name in names or ()}
    return [clip.checksum for clip in found if not names or clip.checksum in chosen]


def _embedder(catalogue: WayIn, owner: UUID) -> comparison.Embed:
    """Ask the model by which the clips are embedded. Raises MeaningError where there is none."""
    model = queries.model_in_use(catalogue, owner)
    if model is None:
        raise meaning.MeaningError("no clip is embedded yet, so there is no model to compare by")
    return lambda texts: meaning.vectors_of(texts, model)


def _document(compared: Comparison) -> dict[str, Any]:
    return {
        "analyzers": compared.analyzers,
        "pairs": compared.pairs,
        "clips": [
            {
                "clip": clip.clip_id,
                "file_name": clip.file_name,
                "duration_s": clip.duration_s,
                "agreement": clip.agreement,
                "analyses": clip.analyses,
                "pairs": [
                    {
                        "first": first,
                        "second": second,
                        "category": each.category,
                        "tags": each.tags,
                        "summary": each.summary,
                        "overall": each.overall,
                    }
                    for (first, second), each in clip.pairs.items()
                ],
            }
            for clip in compared.clips
        ],
    }


def _print(compared: Comparison, limit: int) -> None:
    terminal = console()
    terminal.print(titled("Analyzers", _analyzers(compared.analyzers)))
    if compared.pairs:
        terminal.print()
        terminal.print(titled("How far they agree", _pairs(compared.pairs)))
    terminal.print()
    terminal.print(titled("Clip by clip", _clips(compared.clips[:limit])))
    if len(compared.clips) > limit:
        say(f"{limit:,} of {len(compared.clips):,} clips; --limit, --html and --json show more")


def _columns(table: Table, words: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    for heading in words:
        table.add_column(heading, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _analyzers(totals: tuple[AnalyzerTotals, ...]) -> Table:
    table = _columns(
        new_table(),
        ("Analyzer", "Model"),
        ("Clips", "Stands for", "Agrees", "Words", "Tags", "Seconds", "Cost", "A clip"),
    )
    for each in totals:
        table.add_row(
            cell(short(each.analyzer)),
            cell(", ".join(each.models)),
            cell(f"{each.clips:,}"),
            cell(f"{each.stands_for:,}"),
            cell(percent(each.agreement)),
            cell(_number(each.words)),
            cell(_number(each.tags)),
            cell(_number(each.seconds)),
            cell(money(each.cost_usd)),
            cell(money(each.cost_a_clip_usd)),
        )
    return table


def _pairs(totals: tuple[PairTotals, ...]) -> Table:
    table = _columns(new_table(), ("Pair",), ("Clips", "Category", "Tags", "Summary", "In all"))
    for each in totals:
        shares = (each.category, each.tags, each.summary, each.overall)
        table.add_row(
            cell(f"{short(each.first)}, {short(each.second)}"),
            cell(f"{each.clips:,}"),
            *(cell(percent(share)) for share in shares),
        )
    return table


def _clips(clips: tuple[ComparedClip, ...]) -> Table:
    table = _columns(
        new_table(),
        ("Clip", "Analyzer", "Category"),
        ("Agrees", "Words", "Tags", "Seconds", "Tokens", "Cost"),
    )
    for clip in clips:
        for number, each in enumerate(clip.analyses):
            name = shorten(clip.file_name, NAME_WIDTH) if number == 0 else " "
            table.add_row(cell(name), *_row(clip, each))
    return table


def _row(clip: ComparedClip, each: Analysis) -> list[Any]:
    opinion = comparison.opinion_of(each)
    tokens = (each.input_tokens or 0) + (each.output_tokens or 0)
    return [
        cell(short(each.analyzer) + (" ✓" if each.is_chosen else "")),
        cell(opinion.category),
        cell(percent(clip.agreement_of(each.analyzer))),
        cell(len(opinion.summary.split())),
        cell(len(opinion.tags)),
        cell(_number(each.seconds)),
        cell(f"{tokens:,}"),
        cell(money(each.cost_usd)),
    ]


def short(analyzer: str) -> str:
    """Name an analyzer in few letters."""
    return analyzer.removesuffix("_analysis")


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"
