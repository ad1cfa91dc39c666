"""Putting together what a model said of the overlapping windows of one clip.

Each window speaks for its own part alone: where two overlap, the first up to the middle and the
second from there on. So what both saw is told once. People and voices have no names that hold from
one window to the next: there are at least as many as in the window with the most, and these are
told. What has no time is told once for each different text. Of ratings the poorest holds.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar, get_args

from pydantic import BaseModel

from video_assets.services.analysis import (
    AIAnalysisSummary,
    AudioAnalysis,
    AudioQuality,
    ClipAnalysis,
    ContentAnalysis,
    Entities,
    KeyframeAnalysis,
    Level,
    Rating,
    SceneDescription,
    SpokenWords,
    TechnicalQuality,
    TextAndGraphics,
    VisualAnalysis,
)

MOST_TAGS = 15
_RATINGS, _LEVELS = get_args(Rating), get_args(Level)  # the best, and the most, first
_TIMES = ("timestamp", "start_time", "end_time")
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """What was said of one window, in times of the whole clip, and from when to when it counts."""

    answer: ClipAnalysis
    begin_s: float
    end_s: float

    def holds(self, time_s: float) -> bool:
        """Tell whether it speaks for a moment."""
        return self.begin_s <= time_s < self.end_s


def merge(answers: Sequence[ClipAnalysis], windows: Sequence[tuple[float, float]]) -> ClipAnalysis:
    """Put the answers about a clip's windows together.

    windows  where each lies in the clip; the times of its answer count from its beginning
    """
    parts = _parts(answers, windows)
    seen = [(part, part.answer.visual_analysis) for part in parts]
    heard = [(part, part.answer.audio_analysis) for part in parts]
    known = [(part, part.answer.content_analysis) for part in parts]
    return ClipAnalysis(
        summary=join_summaries([part.answer.summary for part in parts]),
        visual_analysis=_visual(_there(seen)),
        audio_analysis=_audio(_there(heard)),
        content_analysis=_content(_there(known)),
    )


def join_summaries(summaries: Sequence[AIAnalysisSummary]) -> AIAnalysisSummary:
    """Say in short what several summaries say: all sentences, and the most frequent words."""
    categories = [each.content_category for each in summaries]
    moods = [each.mood_tone for each in summaries if each.mood_tone]
    return AIAnalysisSummary(
        overall=" ".join(each.overall for each in summaries),
        key_activities=_different(word for each in summaries for word in each.key_activities),
        content_category=_common(categories),
        mood_tone=_common(moods) if moods else None,
        primary_subjects=_different(word for each in summaries for word in each.primary_subjects),
        content_tags=_frequent([each.content_tags for each in summaries])[:MOST_TAGS],
    )


def _parts(
    answers: Sequence[ClipAnalysis], windows: Sequence[tuple[float, float]]
) -> tuple[Part, ...]:
    begins = [0.0] + [(end + begin) / 2 for (_, end), (begin, _) in pairwise(windows)]
    ends = [*begins[1:], float("inf")]
    return tuple(
        Part(_later(answer, window[0]), begin, end)
        for answer, window, begin, end in zip(answers, windows, begins, ends, strict=True)
    )


def _later(model: M, by_s: float) -> M:
    """Count the times of an answer from the beginning of the whole clip."""
    return type(model).model_validate(_shifted(model.model_dump(), by_s))


def _shifted(value: Any, by_s: float) -> Any:
    if isinstance(value, dict):
        return {
            name: round(each + by_s, 3)
            if name in _TIMES and isinstance(each, int | float)
            else _shifted(each, by_s)
            for name, each in value.items()
        }
    return [_shifted(each, by_s) for each in value] if isinstance(value, list) else value


def _visual(seen: Sequence[tuple[Part, VisualAnalysis]]) -> VisualAnalysis | None:
    if not seen:
        return None
    graphics = _there((part, each.text_and_graphics) for part, each in seen)
    frames = _there((part, each.keyframe_analysis) for part, each in seen)
    return VisualAnalysis(
        scenes=[scene for part, each in seen for scene in _cut(part, each.scenes)],
        shot_types=_timed((part, each.shot_types) for part, each in seen),
        technical_quality=_quality([q for _, each in seen if (q := each.technical_quality)]),
        text_and_graphics=TextAndGraphics(
            detected_text=_timed(
                ((part, each.detected_text) for part, each in graphics),
                lambda text: text.text_content.casefold(),
            ),
            detected_logos_icons=_once(
                (logo for _, each in graphics for logo in each.detected_logos_icons),
                lambda logo: (logo.element_type.casefold(), logo.description),
            ),
        )
        if graphics
        else None,
        keyframe_analysis=KeyframeAnalysis(
            recommended_keyframes=_timed(
                (part, each.recommended_keyframes) for part, each in frames
            )
        )
        if frames
        else None,
    )


def _cut(part: Part, scenes: Iterable[SceneDescription]) -> list[SceneDescription]:
    """Cut scenes to what their window speaks for."""
    bounds = [
        (scene, max(scene.start_time, part.begin_s), min(scene.end_time, part.end_s))
        for scene in scenes
    ]
    return [
        scene.model_copy(update={"start_time": start, "end_time": end})
        for scene, start, end in bounds
        if start < end or (start == end and part.holds(start))
    ]


def _quality(found: Sequence[TechnicalQuality]) -> TechnicalQuality | None:
    if not found:
        return None
    return TechnicalQuality(
        overall_focus_quality=_poorest(each.overall_focus_quality for each in found),
        stability_assessment=_poorest(each.stability_assessment for each in found),
        detected_artifacts=_different(word for each in found for word in each.detected_artifacts),
        usability_rating=_poorest(each.usability_rating for each in found),
    )


def _audio(heard: Sequence[tuple[Part, AudioAnalysis]]) -> AudioAnalysis | None:
    if not heard:
        return None
    spoken = _there((part, each.transcript) for part, each in heard)
    voices = [each.speaker_analysis for _, each in heard if each.speaker_analysis]
    quality = [each.audio_quality for _, each in heard if each.audio_quality]
    return AudioAnalysis(
        transcript=SpokenWords(
            segments=[
                segment
                for part, words in spoken
                for segment in words.segments
                if part.holds((segment.start_time + segment.end_time) / 2)
            ],
            language=next((words.language for _, words in spoken if words.language), None),
        )
        if spoken
        else None,
        speaker_analysis=max(voices, key=lambda each: each.speaker_count, default=None),
        sound_events=_timed(
            ((part, each.sound_events) for part, each in heard),
            lambda event: event.event_type.casefold(),
        ),
        audio_quality=AudioQuality(
            clarity=_poorest(each.clarity for each in quality),
            background_noise_level=_first_of(
                _LEVELS, (each.background_noise_level for each in quality)
            ),
            dialogue_intelligibility=_poorest(each.dialogue_intelligibility for each in quality),
            overall_rating=_poorest(each.overall_rating for each in quality),
        )
        if quality
        else None,
    )


def _content(known: Sequence[tuple[Part, ContentAnalysis]]) -> ContentAnalysis | None:
    if not known:
        return None
    return ContentAnalysis(
        entities=_entities(_there((part, each.entities) for part, each in known)),
        activity_summary=_timed(
            ((part, each.activity_summary) for part, each in known),
            lambda activity: activity.activity.casefold(),
        ),
        content_warnings=_timed(
            ((part, each.content_warnings) for part, each in known), lambda warning: warning.type
        ),
    )


def _entities(known: Sequence[tuple[Part, Entities]]) -> Entities | None:
    if not known:
        return None
    fullest = max((each for _, each in known), key=lambda each: each.people_count)
    return Entities(
        people_count=fullest.people_count,
        people_details=fullest.people_details,
        locations=_once(
            (place for _, each in known for place in each.locations),
            lambda place: (place.name.casefold(), place.type),
        ),
        objects_of_interest=_timed(
            ((part, each.objects_of_interest) for part, each in known),
            lambda thing: thing.object.casefold(),
        ),
    )


def _there(found: Iterable[tuple[Part, T | None]]) -> list[tuple[Part, T]]:
    return [(part, each) for part, each in found if each is not None]


def _timed(
    found: Iterable[tuple[Part, Sequence[Any]]], same: Callable[[Any], Hashable] | None = None
) -> list[Any]:
    """Keep what lies where its window speaks, and of what has no time each different one."""
    kept, timeless = list[Any](), list[Any]()
    for part, things in found:
        for thing in things:
            if thing.timestamp is None:
                timeless.append(thing)
            elif part.holds(thing.timestamp):
                kept.append(thing)
    return kept + (_once(timeless, same) if same else timeless)


def _once(things: Iterable[T], same: Callable[[T], Hashable]) -> list[T]:
    first = dict[Hashable, T]()
    for thing in things:
        first.setdefault(same(thing), thing)
    return list(first.values())


def _common(values: Sequence[Any]) -> Any:
    return max(values, key=values.count)


def _different(words: Iterable[str]) -> list[str]:
    return _once(words, str.casefold)


def _frequent(lists: Sequence[Sequence[str]]) -> list[str]:
    """Give the words of several lists, those first that most lists hold."""
    words = _different(word for each in lists for word in each)
    counts = {
        word: sum(word.casefold() in {each.casefold() for each in words} for words in lists)
        for word in words
    }
    return sorted(words, key=lambda word: -counts[word])


def _poorest(ratings: Iterable[Any]) -> Any:
    return _first_of(_RATINGS[::-1], ratings)


def _first_of(order: Sequence[str], values: Iterable[str | None]) -> Any:
    known = [value for value in values if value is not None]
    return min(known, key=order.index, default=None)
