"""Analyses as analyzers give them, made by hand."""

from collections.abc import Sequence
from typing import Any

from video_assets.assets.describe.description import DescriptionSettings, describe
from video_assets.services.analysis import ComprehensiveAIAnalysis

STRETCHES = ((0.0, 2.0, "A bridge over a river.", ["bridge"], ["flowing"]),)


def analysis(
    model: str = "gemini-2.5-flash",
    *,
    overall: str = "Two people cross a bridge at dusk. A boat passes below.",
    category: str = "travel",
    tags: Sequence[str] = ("bridge", "dusk", "river"),
    stretches: Sequence[tuple[float, float, str, list[str], list[str]]] = STRETCHES,
    cost_usd: float = 0.0021,
    seconds: float = 4.5,
    tokens: tuple[int, int] = (12_000, 640),
    language: str | None = None,
    file: str = "aa/analysis.json",
) -> dict[str, Any]:
    """What a model says of a clip of a few seconds, as the ledger keeps it."""
    document = {
        "summary": {
            "overall": overall,
            "key_activities": ["crossing a bridge"],
            "content_category": category,
            "mood_tone": "calm",
            "primary_subjects": ["two people"],
            "content_tags": list(tags),
        },
        "visual_analysis": {
            "scenes": [
                {
                    "start_time": start,
                    "end_time": end,
                    "description": text,
                    "objects": objects,
                    "activities": activities,
                }
                for start, end, text, objects, activities in stretches
            ],
            "shot_types": [],
            "technical_quality": {
                "overall_focus_quality": "good",
                "stability_assessment": "fair",
                "detected_artifacts": [],
                "usability_rating": "good",
            },
            "text_and_graphics": None,
            "keyframe_analysis": None,
        },
        "audio_analysis": {
            "transcript": {
                "segments": [
                    {
                        "start_time": 0.0,
                        "end_time": 1.0,
                        "speaker": None,
                        "text": "Da drüben.",
                        "confidence": None,
                    }
                ],
                "language": language,
            }
            if language
            else None,
            "speaker_analysis": {"speaker_count": 1, "speakers": []} if language else None,
            "sound_events": [],
            "audio_quality": None,
        },
        "content_analysis": {
            "entities": {
                "people_count": 2,
                "people_details": [],
                "locations": [
                    {
                        "name": "stone bridge",
                        "type": "outdoor",
                        "description": None,
                        "confidence": None,
                    }
                ],
                "objects_of_interest": [
                    {
                        "object": "rowing boat",
                        "significance": "passes below",
                        "timestamp": 1.0,
                        "confidence": 0.9,
                    }
                ],
            },
            "activity_summary": [],
            "content_warnings": [],
        },
        "analysis_file_path": file,
        "ai_model": model,
        "prompt_version": "0123456789ab",
        "processing_time_seconds": seconds,
        "calls": 1,
        "input_tokens": tokens[0],
        "cached_tokens": 0,
        "output_tokens": tokens[1],
        "cost_usd": cost_usd,
        "warnings": [],
    }
    return ComprehensiveAIAnalysis.model_validate(document).model_dump(mode="json")


GEMINI = analysis()
CLAUDE = analysis(
    "claude-sonnet-4",
    overall="Hikers walk over a stone bridge in the evening light.",
    tags=("bridge", "hiking", "evening", "River"),
    stretches=((0.0, 5.5, "Hikers on a bridge.", ["bridge", "rucksack"], ["hiking"]),),
    cost_usd=0.0312,
    seconds=9.25,
    tokens=(8_100, 720),
)
LOCAL = analysis(
    "llava:13b",
    overall="A person stands near water.",
    category="nature",
    tags=("water", "person"),
    stretches=(),
    cost_usd=0.0,
    seconds=31.0,
    tokens=(4_000, 150),
)


def description(**said: dict[str, Any]) -> dict[str, Any]:
    """What the asset of that name makes of analyses, the default order being preferred."""
    found = {name: ComprehensiveAIAnalysis.model_validate(each) for name, each in said.items()}
    return describe(found, None, DescriptionSettings()).model_dump(mode="json")


SAID = {"gemini_analysis": GEMINI, "claude_analysis": CLAUDE, "local_analysis": LOCAL}
