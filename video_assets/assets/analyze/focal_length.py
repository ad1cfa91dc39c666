"""Focal length: how wide each clip sees, by a model's eye where its camera does not say.

Reads the camera's facts and, only if those know nothing, the thumbnails; writes one
CameraFocalLength per clip. The stills vote, and what the model cannot tell stays unknown.
"""

from collections import defaultdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.derive.thumbnails import Thumbnails
from video_assets.assets.measure.camera import Camera
from video_assets.clip_asset import clip_asset
from video_assets.services.device import Wanted
from video_assets.services.image_classifier import ClassifierSettings, Guess, classify
from video_assets.storage.artifacts import ArtifactFolder

LABELS = {
    **{"ULTRAWIDE": "ULTRA-WIDE", "ULTRA_WIDE": "ULTRA-WIDE"},
    **{"WIDE": "WIDE", "WIDE_ANGLE": "WIDE"},
    **{"MEDIUM": "MEDIUM", "NORMAL": "MEDIUM", "STANDARD": "MEDIUM"},
    **{"LONG": "LONG-LENS", "LONG_LENS": "LONG-LENS"},
    **{"TELEPHOTO": "TELEPHOTO", "TELE": "TELEPHOTO"},
}
"""A label in capitals, blanks and dashes as underscores, and the category that it means."""


class FocalLengthSettings(BaseModel):
    """Which model looks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        default="tonyassi/camera-lens-focal-length",
        description="image classifier of the Hugging Face hub, or a folder that holds one",
        json_schema_extra={"variables": True},
    )
    device: Wanted = Field(default="auto", description="MPS, then CUDA, then the processor")


class CameraFocalLength(BaseModel):
    """How wide one clip sees."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value_mm: float | None = Field(description="as the camera says; a model tells none")
    category: str | None = Field(description="None: neither camera nor model can tell")
    source: Literal["EXIF", "AI"] | None
    confidence: float | None = Field(
        ge=0, le=1, description="the category's share of all votes, by their probability"
    )
    model: str | None
    votes: dict[str, int] = Field(description="stills by label, as the model calls it")


def summarize(found: CameraFocalLength, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give what is worth filtering by."""
    facts = {"category": found.category, "source": found.source, "confidence": found.confidence}
    return {name: value for name, value in facts.items() if value is not None}


@clip_asset(lane="ai_analysis", code_version="1", metadata=summarize)
def focal_length(
    camera: Camera | None,
    thumbnails: Thumbnails,
    settings: FocalLengthSettings,
    artifacts: ArtifactFolder,
) -> CameraFocalLength:
    """How wide each clip sees: as its camera says, else as a model sees in its stills."""
    said = camera.focal_length if camera is not None else None
    if said is not None and (said.value_mm or said.category):
        return CameraFocalLength(
            value_mm=said.value_mm,
            category=said.category,
            source="EXIF",
            confidence=None,
            model=None,
            votes={},
        )
    stills = [artifacts.upstream(still.name) for still in thumbnails.thumbnails]
    guesses, _ = classify(stills, ClassifierSettings(settings.model, settings.device))
    category, confidence = vote(guesses)
    labels = [guess.label for guess in guesses]
    return CameraFocalLength(
        value_mm=None,
        category=category,
        source="AI" if category else None,
        confidence=confidence,
        model=settings.model,
        votes={label: labels.count(label) for label in sorted(set(labels))},
    )


def category_of_label(label: str) -> str | None:
    """Give the category that a model's label means; None for one that means none."""
    return LABELS.get(label.strip().upper().replace("-", "_").replace(" ", "_"))


def vote(guesses: list[Guess]) -> tuple[str | None, float | None]:
    """Let the stills vote, each with its probability; labels that mean nothing vote for nobody."""
    shares: dict[str | None, float] = defaultdict(float)
    for guess in guesses:
        shares[category_of_label(guess.label)] += guess.probability
    winner = max(shares, key=lambda name: shares[name], default=None)
    if winner is None:
        return None, None
    return winner, round(shares[winner] / max(sum(shares.values()), 1e-9), 4)
