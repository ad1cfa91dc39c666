"""Several analyzers over the same clips: where they agree, and what each costs and takes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from uuid import UUID

from video_assets.search.agreement import Agreement, Opinion, mean, pairs, same_tags
from video_assets.storage.analyses import Analysis

Pair = tuple[str, str]
Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]


@dataclass(frozen=True)
class ComparedClip:
    """What analyzers say of one clip, and how far each two agree."""

    clip_id: UUID
    file_name: str
    duration_s: float | None
    thumbnails: list[str] | None
    analyses: tuple[Analysis, ...]
    pairs: Mapping[Pair, Agreement]

    @property
    def agreement(self) -> float | None:
        """How far all agree; None of one alone."""
        return mean(_overall(self.pairs.values()))

    def agreement_of(self, analyzer: str) -> float | None:
        """How far one agrees with the others."""
        mine = (each for pair, each in self.pairs.items() if analyzer in pair)
        return mean(_overall(mine))

    @property
    def common_tags(self) -> frozenset[str]:
        """The tags that more than one has, as they are compared."""
        tags = [tag for each in self.analyses for tag in same_tags(opinion_of(each).tags)]
        return frozenset(tag for tag in tags if tags.count(tag) > 1)


@dataclass(frozen=True)
class AnalyzerTotals:
    """One analyzer over all clips.

    stands_for  of how many clips its words are in the catalogue
    seconds     typical of a clip, and of the slowest
    words, tags of a clip, on average
    """

    analyzer: str
    models: tuple[str, ...]
    clips: int
    stands_for: int
    agreement: float | None
    words: float | None
    tags: float | None
    seconds: float | None
    slowest_s: float | None
    input_tokens: int
    output_tokens: int
    cost_usd: float
    cost_a_clip_usd: float


@dataclass(frozen=True)
class PairTotals:
    """Two analyzers over the clips that both have described."""

    first: str
    second: str
    clips: int
    category: float | None
    tags: float | None
    summary: float | None
    overall: float | None


@dataclass(frozen=True)
class Comparison:
    """All of it; the clips in which analyzers agree least come first."""

    analyzers: tuple[AnalyzerTotals, ...]
    pairs: tuple[PairTotals, ...]
    clips: tuple[ComparedClip, ...]


def compare(analyses: Iterable[Analysis], embed: Embed | None = None) -> Comparison:
    """Put the whole answers of analyzers side by side.

    analyses  those of a clip one after the other
    embed     turns summaries into vectors; without it, their words are compared
    """
    whole = [each for each in analyses if not each.is_partial and each.summary]
    vectors = _vectors(whole, embed)
    clips = [
        _clip(list(found), vectors) for _, found in groupby(whole, key=lambda each: each.clip_id)
    ]
    clips.sort(key=lambda clip: (clip.agreement is None, clip.agreement or 0.0))
    names = sorted({each.analyzer for each in whole})
    both = sorted({pair for clip in clips for pair in clip.pairs})
    return Comparison(
        analyzers=tuple(_totals(name, clips) for name in names),
        pairs=tuple(_pair(pair, clips) for pair in both),
        clips=tuple(clips),
    )


def opinion_of(analysis: Analysis, vector: Sequence[float] | None = None) -> Opinion:
    """Take what is compared of an analysis."""
    summary = analysis.summary or {}
    return Opinion(
        category=summary.get("content_category"),
        tags=tuple(summary.get("content_tags") or ()),
        summary=summary.get("overall") or "",
        vector=vector,
    )


def _vectors(whole: Sequence[Analysis], embed: Embed | None) -> dict[str, Sequence[float]]:
    texts = sorted({text for each in whole if (text := opinion_of(each).summary)})
    if embed is None or not texts:
        return {}
    return dict(zip(texts, embed(texts), strict=True))


def _clip(found: list[Analysis], vectors: Mapping[str, Sequence[float]]) -> ComparedClip:
    first = found[0]
    opinions = {
        each.analyzer: opinion_of(each, vectors.get(opinion_of(each).summary)) for each in found
    }
    return ComparedClip(
        first.clip_id,
        first.file_name,
        first.duration_s,
        first.thumbnails,
        analyses=tuple(found),
        pairs=pairs(opinions),
    )


def _totals(name: str, clips: Sequence[ComparedClip]) -> AnalyzerTotals:
    mine = [each for clip in clips for each in clip.analyses if each.analyzer == name]
    opinions = [opinion_of(each) for each in mine]
    seconds = [each.seconds for each in mine if each.seconds is not None]
    agreements = (clip.agreement_of(name) for clip in clips)
    cost = sum(each.cost_usd or 0.0 for each in mine)
    return AnalyzerTotals(
        analyzer=name,
        models=tuple(dict.fromkeys(each.ai_model for each in mine)),
        clips=len(mine),
        stands_for=sum(each.is_chosen for each in mine),
        agreement=mean(each for each in agreements if each is not None),
        words=mean(len(each.summary.split()) for each in opinions),
        tags=mean(len(each.tags) for each in opinions),
        seconds=median(seconds) if seconds else None,
        slowest_s=max(seconds, default=None),
        input_tokens=sum(each.input_tokens or 0 for each in mine),
        output_tokens=sum(each.output_tokens or 0 for each in mine),
        cost_usd=cost,
        cost_a_clip_usd=cost / len(mine),
    )


def _pair(pair: Pair, clips: Sequence[ComparedClip]) -> PairTotals:
    found = [clip.pairs[pair] for clip in clips if pair in clip.pairs]
    return PairTotals(
        *pair,
        clips=len(found),
        category=mean(each.category for each in found if each.category is not None),
        tags=mean(each.tags for each in found if each.tags is not None),
        summary=mean(each.summary for each in found if each.summary is not None),
        overall=mean(_overall(found)),
    )


def _overall(found: Iterable[Agreement]) -> list[float]:
    return [overall for each in found if (overall := each.overall) is not None]
