"""What a model might answer about a clip of two seconds, in the contract's form and in others."""

import json
from typing import Any

SUMMARY: dict[str, Any] = {
    "overall": "A grey picture flickers for two seconds.",
    "key_activities": ["flickering"],
    "content_category": "test_pattern",
    "mood_tone": None,
    "primary_subjects": ["blocks"],
    "content_tags": ["grey", "blocks", "flicker"],
}
SCENE: dict[str, Any] = {
    "start_time": 0.0,
    "end_time": 2.0,
    "description": "Blocks change from black to white.",
    "objects": ["blocks"],
    "activities": [],
}
WHOLE: dict[str, Any] = {
    "summary": SUMMARY,
    "visual_analysis": {
        "scenes": [SCENE],
        "shot_types": [],
        "technical_quality": {
            "overall_focus_quality": "good",
            "stability_assessment": None,
            "detected_artifacts": [],
            "usability_rating": None,
        },
        "text_and_graphics": None,
        "keyframe_analysis": {
            "recommended_keyframes": [
                {"timestamp": 1.0, "reason": "in the middle", "visual_quality": "good"}
            ]
        },
    },
    "audio_analysis": None,
    "content_analysis": {
        "entities": None,
        "activity_summary": [
            {
                "activity": "flickering",
                "timestamp": None,
                "duration_seconds": 2.0,
                "importance": "low",
                "confidence": 0.5,
            }
        ],
        "content_warnings": [],
    },
}


def late(seconds: float) -> dict[str, Any]:
    """Answer with a scene that ends so late."""
    scene = SCENE | {"end_time": seconds}
    return WHOLE | {"visual_analysis": WHOLE["visual_analysis"] | {"scenes": [scene]}}


def text(document: Any) -> str:
    """Write an answer down."""
    return json.dumps(document)
