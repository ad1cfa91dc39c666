"""Merging what was said of overlapping windows: each moment is told once."""

import itertools

import pytest

from video_assets.services.analysis import ClipAnalysis
from video_assets.services.merging import merge
from video_assets.services.windows import windows_of
from video_assets_tests.assets.gemini_clip import answer, scene

WINDOWS = [(0.0, 110.0), (90.0, 200.0)]  # the middle of what both show is at 100


def merged(*answers: dict) -> ClipAnalysis:
    return merge([ClipAnalysis.model_validate(each) for each in answers], WINDOWS)


def activity(name: str, timestamp: float | None) -> dict:
    return {
        "activity": name,
        "timestamp": timestamp,
        "duration_seconds": None,
        "importance": "low",
        "confidence": None,
    }


def people(count: int, *places: str) -> dict:
    details = [
        {
            "person_id": f"person_{number}",
            "role": None,
            "visibility_seconds": 1.0,
            "confidence": None,
        }
        for number in range(1, count + 1)
    ]
    found = [
        {"name": place, "type": "outdoor", "description": None, "confidence": None}
        for place in places
    ]
    return {
        "people_count": count,
        "people_details": details,
        "locations": found,
        "objects_of_interest": [],
    }


def content(entities: dict | None = None, *activities: dict) -> dict:
    return {"entities": entities, "activity_summary": list(activities), "content_warnings": []}


def test_scenes_are_cut_where_the_second_window_begins_to_speak():
    first = answer(visual={"scenes": [scene(0, 60, "a"), scene(60, 110, "b")]})
    second = answer(visual={"scenes": [scene(0, 30, "b still"), scene(30, 110, "c")]})
    found = merged(first, second)
    assert found.visual_analysis is not None
    times = [
        (each.start_time, each.end_time, each.description) for each in found.visual_analysis.scenes
    ]
    assert times == [(0, 60, "a"), (60, 100, "b"), (100, 120, "b still"), (120, 200, "c")]


def test_what_both_saw_is_told_once_in_times_of_the_clip():
    first = answer(content=content(None, activity("walks", 95), activity("runs", 105)))
    second = answer(content=content(None, activity("walks", 5), activity("runs", 15)))
    found = merged(first, second)
    assert found.content_analysis is not None
    told = [(each.activity, each.timestamp) for each in found.content_analysis.activity_summary]
    assert told == [("walks", 95), ("runs", 105)]


def test_what_has_no_time_is_told_once_for_each_text():
    first = answer(content=content(None, activity("Waves", None)))
    second = answer(content=content(None, activity("waves", None), activity("sits", None)))
    found = merged(first, second)
    assert found.content_analysis is not None
    told = [each.activity for each in found.content_analysis.activity_summary]
    assert told == ["Waves", "sits"]


def test_people_are_not_counted_twice():
    found = merged(
        answer(content=content(people(2, "Beach", "pier"))),
        answer(content=content(people(3, "beach"))),
    )
    assert found.content_analysis is not None
    entities = found.content_analysis.entities
    assert entities is not None
    assert (entities.people_count, len(entities.people_details)) == (3, 3)
    assert [place.name for place in entities.locations] == ["Beach", "pier"]


def test_what_one_window_says_nothing_of_is_what_the_other_says():
    found = merged(answer(), answer(content=content(people(1))))
    assert found.content_analysis is not None
    assert found.content_analysis.entities is not None
    assert found.audio_analysis is None


def test_speech_is_told_by_the_window_that_speaks_for_its_middle():
    def said(*segments: tuple[float, float, str]) -> dict:
        words = [
            {"start_time": a, "end_time": b, "speaker": None, "text": text, "confidence": None}
            for a, b, text in segments
        ]
        return {
            **answer(),
            "audio_analysis": {
                "transcript": {"segments": words, "language": "en"},
                "speaker_analysis": None,
                "sound_events": [],
                "audio_quality": None,
            },
        }

    found = merged(
        said((0, 5, "one"), (97, 101, "two"), (101, 105, "three")),
        said((7, 11, "two"), (11, 15, "three")),
    )
    assert found.audio_analysis is not None
    assert found.audio_analysis.transcript is not None
    told = [(each.start_time, each.text) for each in found.audio_analysis.transcript.segments]
    assert told == [(0, "one"), (97, "two"), (101, "three")]


def test_the_poorest_rating_holds():
    def rated(focus: str | None, stable: str) -> dict:
        quality = {
            "overall_focus_quality": focus,
            "stability_assessment": stable,
            "detected_artifacts": ["noise"],
            "usability_rating": None,
        }
        return answer(visual={"technical_quality": quality})

    found = merged(rated("good", "excellent"), rated(None, "poor"))
    assert found.visual_analysis is not None
    quality = found.visual_analysis.technical_quality
    assert quality is not None
    assert (quality.overall_focus_quality, quality.stability_assessment) == ("good", "poor")
    assert (quality.usability_rating, quality.detected_artifacts) == (None, ["noise"])


def test_without_a_model_the_summary_is_all_sentences_and_the_most_frequent_words():
    found = merged(
        answer("A wall.", summary={"content_tags": ["wall", "Grey", "rain"]}),
        answer("A door.", summary={"content_tags": ["grey", "door"], "mood_tone": None}),
    )
    assert found.summary.overall == "A wall. A door."
    assert found.summary.content_tags == ["Grey", "wall", "rain", "door"]
    assert found.summary.mood_tone == "calm"


@pytest.mark.parametrize(
    ("duration_s", "windows"),
    [
        (900.0, ((0.0, 900.0),)),
        (1000.0, ((0.0, 507.5), (492.5, 1000.0))),
        (1785.0, ((0.0, 900.0), (885.0, 1785.0))),
    ],
)
def test_windows_are_alike_and_cover_a_clip(duration_s, windows):
    assert windows_of(duration_s, 900, 15) == windows


def test_an_hour_has_no_gap_and_no_window_that_is_too_long():
    found = windows_of(3600.0, 900, 15)
    assert (found[0][0], found[-1][1]) == (0.0, 3600.0)
    assert all(end - begin <= 900 for begin, end in found)
    overlaps = [end - begin for (_, end), (begin, _) in itertools.pairwise(found)]
    assert overlaps == pytest.approx([15.0] * len(overlaps))
