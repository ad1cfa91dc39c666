"""What analyzers say of one clip, as text for a person."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.text import Text

from video_assets.interfaces.cli.wording import clean, listed, money
from video_assets.storage.analyses import Analysis

STRETCHES_SHOWN = 12
INDENT = "  "


def show(analyses: Iterable[Analysis]) -> Iterator[Text]:
    """Give each analysis, the one whose words stand for the clip with a word of it."""
    for number, analysis in enumerate(analyses):
        if number:
            yield Text()
        yield _heading(analysis)
        for line in _lines(analysis):
            yield Text(f"{INDENT}{clean(line)}", overflow="fold")


def took(analysis: Analysis) -> str:
    """Say what an analysis took: time, tokens and money."""
    parts = [
        f"{analysis.seconds:.1f} s" if analysis.seconds is not None else None,
        f"{analysis.input_tokens:,} tokens in" if analysis.input_tokens is not None else None,
        f"{analysis.output_tokens:,} out" if analysis.output_tokens is not None else None,
        money(analysis.cost_usd) if analysis.cost_usd is not None else None,
    ]
    return ", ".join(filter(None, parts))


def _heading(analysis: Analysis) -> Text:
    text = Text(f"{clean(analysis.analyzer)}, {clean(analysis.ai_model)}", style="bold")
    if analysis.is_partial:
        text.append("  still coming: this has arrived so far", style="yellow")
    elif analysis.is_chosen:
        text.append("  stands for the clip", style="green")
    return text


def _lines(analysis: Analysis) -> Iterator[str]:
    if told := took(analysis):
        yield told
    yield from _summary(analysis.summary or {})
    entities = (analysis.content or {}).get("entities") or {}
    if entities.get("people_count"):
        yield f"People: {entities['people_count']}"
    yield from _list("Places", (_place(each) for each in entities.get("locations") or ()))
    objects = entities.get("objects_of_interest") or ()
    yield from _list("Objects", (each.get("object") for each in objects))
    warnings = (analysis.content or {}).get("content_warnings") or ()
    yield from _list("Not for everybody", (each.get("type") for each in warnings))
    visual = analysis.visual or {}
    texts = (visual.get("text_and_graphics") or {}).get("detected_text") or ()
    yield from _list("Written in it", (each.get("text_content") for each in texts))
    yield from _stretches(visual.get("scenes") or [])
    yield from analysis.warnings


def _summary(summary: Mapping[str, Any]) -> Iterator[str]:
    if summary.get("overall"):
        yield summary["overall"]
    yield from _list("Category", [summary.get("content_category"), summary.get("mood_tone")])
    yield from _list("Tags", summary.get("content_tags") or ())
    yield from _list("Activities", summary.get("key_activities") or ())
    yield from _list("Subjects", summary.get("primary_subjects") or ())


def _list(title: str, words: Iterable[str | None]) -> Iterator[str]:
    """Give a line, where there is something to say."""
    if found := [word for word in words if word]:
        yield f"{title}: {listed(found)}"


def _place(place: Mapping[str, Any]) -> str:
    return f"{place.get('name')} ({place['type']})" if place.get("type") else place.get("name", "")


def _stretches(stretches: list[dict[str, Any]]) -> Iterator[str]:
    for each in stretches[:STRETCHES_SHOWN]:
        start, end = each.get("start_time"), each.get("end_time")
        when = f"{start:.2f}-{end:.2f} s  " if start is not None and end is not None else ""
        yield f"{when}{each.get('description') or ''}"
    if len(stretches) > STRETCHES_SHOWN:
        yield f"and {len(stretches) - STRETCHES_SHOWN} stretches more; --json lists all"
