"""Several analyzers over the same clips as a page: no scripts, and everything is inside."""

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from video_assets.interfaces.cli import wording
from video_assets.interfaces.cli.clip_analyses import took
from video_assets.interfaces.cli.compare import short
from video_assets.interfaces.web import charts, pages
from video_assets.search.agreement import mean, same_tags
from video_assets.search.comparison import ComparedClip, Comparison, opinion_of
from video_assets.storage.analyses import Analysis
from video_assets.storage.artifact_cache import Cache

CLIPS_SHOWN = 200


def write(path: Path, compared: Comparison, artifacts: Cache) -> None:
    """Write the page, whole or not at all.

    artifacts  where stills are
    """
    environment = pages.environment()
    environment.filters.update(percent=wording.percent, money=wording.money, short=short)
    environment.globals.update(bar=charts.bar)
    template = environment.get_template("comparison_page.html.j2")
    pages.write(path, template, _page(compared, artifacts))


def _page(compared: Comparison, artifacts: Cache) -> dict[str, Any]:
    shown = compared.clips[:CLIPS_SHOWN]
    stills = pages.stills([_middle(clip.thumbnails) for clip in shown], artifacts)
    found = (clip.agreement for clip in compared.clips)
    return {
        "compared": compared,
        "agreement": mean(each for each in found if each is not None),
        "cost_usd": sum(each.cost_usd for each in compared.analyzers),
        "clips": [_card(clip, still) for clip, still in zip(shown, stills, strict=True)],
        "written_at": datetime.now(timezone.utc),
    }


@dataclass(frozen=True)
class Tag:
    """A tag, and whether another analyzer has it too."""

    text: str
    is_common: bool


@dataclass(frozen=True)
class Column:
    """What one analyzer says of a clip."""

    analysis: Analysis
    category: str | None
    mood: str | None
    summary: str
    tags: list[Tag]
    took: str
    agreement: float | None


@dataclass(frozen=True)
class Card:
    """A clip, and what each analyzer says of it."""

    clip: ComparedClip
    still: str | None
    columns: list[Column]


def _card(clip: ComparedClip, still: str | None) -> Card:
    return Card(clip, still, [_column(clip, each) for each in clip.analyses])


def _column(clip: ComparedClip, analysis: Analysis) -> Column:
    opinion = opinion_of(analysis)
    return Column(
        analysis,
        opinion.category,
        (analysis.summary or {}).get("mood_tone"),
        opinion.summary,
        [Tag(tag, same_tags([tag]) <= clip.common_tags) for tag in opinion.tags],
        took(analysis),
        clip.agreement_of(analysis.analyzer),
    )


def _middle(names: list[str] | None) -> str | None:
    return names[len(names) // 2] if names else None
