"""Description: what a clip is about, as the catalogue says it, out of what analyzers say.

Reads the analyses that there are and the transcript; writes one Description per clip: what each
analyzer would have the catalogue say, the one that the preset prefers first. Whom an owner promotes
instead, and what an owner sets by hand, is theirs alone: it is applied where this is projected.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.analyze.transcript import Segment, Transcript
from video_assets.clip_asset import clip_asset
from video_assets.services.analysis import ComprehensiveAIAnalysis, SpokenWords
from video_assets.storage.analyses import ANALYZERS, Analyzer
from video_assets.storage.artifacts import ArtifactFolder


class DescriptionSettings(BaseModel):
    """Whom to believe."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefer: tuple[Analyzer, ...] = Field(
        default=ANALYZERS, strict=False, description="the best first; the others come after these"
    )


class Filmed(BaseModel):
    """A place that is seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    type: str


class Candidate(BaseModel):
    """What one analyzer would have the catalogue say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    analyzer: str
    ai_model: str
    content_category: str
    content_summary: str
    content_tags: tuple[str, ...]
    key_activities: tuple[str, ...]
    locations: tuple[Filmed, ...]
    objects: tuple[str, ...]


class Description(BaseModel):
    """What one clip is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: tuple[Candidate, ...] = Field(description="the preferred one first; may be none")
    language: str | None = Field(description="in which it is spoken")
    heard: tuple[Segment, ...] = Field(
        default=(), description="what an analyzer heard, where nobody else listened"
    )

    @property
    def preferred(self) -> Candidate | None:
        """The one that the preset prefers of those that there are."""
        return next(iter(self.candidates), None)


def summarize(description: Description, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Show the preferred words, and whose they are."""
    chosen = description.preferred
    facts = {"analyses": len(description.candidates), "language": description.language}
    if chosen is not None:
        facts |= {
            "analyzer": chosen.analyzer,
            "model": chosen.ai_model,
            "category": chosen.content_category,
            "summary": dg.MetadataValue.text(chosen.content_summary),
            "tags": ", ".join(chosen.content_tags),
        }
    return {name: value for name, value in facts.items() if value is not None}


@clip_asset(lane="default", code_version="2", metadata=summarize)
def description(
    gemini_analysis: ComprehensiveAIAnalysis | None,
    claude_analysis: ComprehensiveAIAnalysis | None,
    local_analysis: ComprehensiveAIAnalysis | None,
    transcript: Transcript | None,
    settings: DescriptionSettings,
) -> Description:
    """What each clip is about, by the analyzer that the preset prefers of those that looked."""
    said = side_by_side(gemini_analysis, claude_analysis, local_analysis)
    return describe(said, transcript, settings)


def side_by_side(
    gemini: ComprehensiveAIAnalysis | None,
    claude: ComprehensiveAIAnalysis | None,
    local: ComprehensiveAIAnalysis | None,
) -> dict[str, ComprehensiveAIAnalysis]:
    """Give the analyses that there are, by their analyzers."""
    found = zip(ANALYZERS, (gemini, claude, local), strict=True)
    return {name: analysis for name, analysis in found if analysis is not None}


def describe(
    said: Mapping[str, ComprehensiveAIAnalysis],
    transcript: Transcript | None,
    settings: DescriptionSettings,
) -> Description:
    """Order what analyzers say of a clip by whom the settings prefer."""
    order = dict.fromkeys((*settings.prefer, *ANALYZERS))
    names = [name for name in order if name in said]
    heard = [each for name in names if (each := _heard(said[name])) is not None]
    language = transcript.language if transcript and transcript.full_text else None
    is_listened_to = transcript is not None and (
        transcript.source is not None or transcript.has_speech is False
    )
    return Description(
        candidates=tuple(_candidate(name, said[name]) for name in names),
        language=language or next((each.language for each in heard if each.language), None),
        heard=tuple(_segments(heard[0])) if heard and not is_listened_to else (),
    )


def _candidate(name: str, analysis: ComprehensiveAIAnalysis) -> Candidate:
    summary, content = analysis.summary, analysis.content_analysis
    entities = content.entities if content else None
    places = entities.locations if entities else ()
    objects = entities.objects_of_interest if entities else ()
    activities = summary.key_activities or (
        [each.activity for each in content.activity_summary] if content else []
    )
    return Candidate(
        analyzer=name,
        ai_model=analysis.ai_model,
        content_category=summary.content_category,
        content_summary=summary.overall,
        content_tags=_once(summary.content_tags),
        key_activities=_once(activities),
        locations=tuple(Filmed(name=each.name, type=each.type) for each in places),
        objects=_once(each.object for each in objects),
    )


def _heard(analysis: ComprehensiveAIAnalysis) -> SpokenWords | None:
    heard = analysis.audio_analysis.transcript if analysis.audio_analysis else None
    return heard if heard and heard.segments else None


def _segments(heard: SpokenWords) -> Iterator[Segment]:
    """Put what was heard as a transcript has it; how sure a model is of itself is left out."""
    for each in heard.segments:
        yield Segment(
            start_time=each.start_time,
            end_time=each.end_time,
            speaker=each.speaker,
            text=each.text,
            confidence=None,
        )


def _once(words: Any) -> tuple[str, ...]:
    """Each word once, whatever its letters' size, in the order in which they came."""
    found: dict[str, str] = {}
    for word in words:
        if text := " ".join(word.split()):
            found.setdefault(text.casefold(), text)
    return tuple(found.values())
