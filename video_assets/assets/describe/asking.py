"""What every analyzer that asks a model has in common: what may leave here, and what comes back."""

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.analyze.scenes import Scenes
from video_assets.assets.analyze.transcript import Transcript
from video_assets.assets.derive.proxy import Proxy
from video_assets.assets.measure.camera import Camera
from video_assets.services import analysis_prompt
from video_assets.services.analysis import ClipAnalysis, ComprehensiveAIAnalysis
from video_assets.services.analysis_prompt import ClipFacts
from video_assets.services.outgoing import CAMERA, DATE, FILE_NAMES, PLACE, SAID, SERIAL_NUMBERS
from video_assets.services.paid_call import Reply
from video_assets.storage.ai_calls import Billing
from video_assets.storage.artifacts import ArtifactFolder

FILE_NAME = "AI_analysis.json"
BATCH: bool = Field(
    default=False,
    description="ask in batches: for half the price, answered within a day",
    json_schema_extra={"changes_result": False},
)


class SharingSettings(BaseModel):
    """What a model may be told of a clip beside its pictures, its sound and what is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share_place: bool = Field(default=False, description="send the place's name and coordinates")
    share_date: bool = Field(default=False, description="send when it was taken")
    share_camera: bool = Field(default=False, description="send make and model, no serial number")
    share_transcript: bool = Field(default=True, description="send what is said")
    prompt_version: str = Field(
        default_factory=analysis_prompt.version, description="of the instructions; leave it out"
    )


def kinds_of(shown: str, settings: SharingSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Say what a model is given of a clip, and what it is not."""
    shared = {
        SAID: settings.share_transcript,
        PLACE: settings.share_place,
        DATE: settings.share_date,
        CAMERA: settings.share_camera,
    }
    given = tuple(kind for kind, is_shared in shared.items() if is_shared)
    kept = tuple(kind for kind, is_shared in shared.items() if not is_shared)
    return (shown, *given), (*kept, SERIAL_NUMBERS, FILE_NAMES)


def facts_of(
    proxy: Proxy,
    scenes: Scenes | None,
    transcript: Transcript | None,
    camera: Camera | None,
    settings: SharingSettings,
) -> ClipFacts:
    """Gather what a model is told of a clip; a name or path of a file is never in it."""
    said = transcript.segments if transcript and settings.share_transcript else ()
    return ClipFacts(
        duration_s=proxy.duration_s,
        has_sound=proxy.has_audio,
        language=transcript.language if transcript else None,
        said=tuple((each.start_time, each.end_time, each.text) for each in said),
        cuts=scenes.scene_changes if scenes else (),
        more=tuple(_shared(camera, settings)) if camera else (),
    )


def _shared(camera: Camera, settings: SharingSettings) -> Sequence[tuple[str, str]]:
    place, found = camera.location, list[tuple[str, str]]()
    if settings.share_place and place.location_name:
        found.append(("Filmed at", place.location_name))
    if settings.share_place and place.gps_latitude is not None:
        found.append(("Coordinates", f"{place.gps_latitude:.5f}, {place.gps_longitude:.5f}"))
    if settings.share_date and camera.capture is not None:
        found.append(("Filmed on", camera.capture.time))
    if settings.share_camera and (camera.make or camera.model):
        found.append(("Camera", " ".join(each for each in (camera.make, camera.model) if each)))
    return found


def kept_result(
    billing: Billing, requests: Iterable[str], artifacts: ArtifactFolder
) -> ComprehensiveAIAnalysis | None:
    """Give the result that is there if it answers just what would be asked now, else None."""
    if (document := billing.kept(requests)) is None:
        return None
    kept = ComprehensiveAIAnalysis.model_validate(document)
    answer = ClipAnalysis.model_validate({n: document[n] for n in ClipAnalysis.model_fields})
    return kept.model_copy(update={"analysis_file_path": _write(answer, artifacts)})


def result_of(
    answer: ClipAnalysis,
    replies: Sequence[Reply],
    model: str,
    settings: SharingSettings,
    artifacts: ArtifactFolder,
    billing: Billing,
    warnings: Sequence[str] = (),
) -> ComprehensiveAIAnalysis:
    """Put together what was answered and what it took, and keep the answer as a file."""
    name = _write(answer, artifacts)
    billing.use([reply.call for reply in replies if reply.call is not None])
    return ComprehensiveAIAnalysis(
        **answer.model_dump(),
        analysis_file_path=name,
        ai_model=model,
        prompt_version=settings.prompt_version,
        processing_time_seconds=round(math.fsum(reply.seconds for reply in replies), 3),
        calls=len(replies),
        input_tokens=sum(reply.usage.input_tokens for reply in replies),
        cached_tokens=sum(reply.usage.cached_tokens for reply in replies),
        output_tokens=sum(reply.usage.output_tokens for reply in replies),
        cost_usd=float(sum((reply.usd for reply in replies), Decimal(0))),
        warnings=tuple(warnings),
    )


def _write(answer: ClipAnalysis, artifacts: ArtifactFolder) -> str:
    return artifacts.write(FILE_NAME, answer.model_dump_json(indent=2).encode())


def summarize(analysis: ComprehensiveAIAnalysis, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give what was said in short, and what it cost."""
    return {
        "summary": dg.MetadataValue.text(analysis.summary.overall),
        "category": analysis.summary.content_category,
        "tags": len(analysis.summary.content_tags),
        "model": analysis.ai_model,
        "cost_usd": analysis.cost_usd,
        "input_tokens": analysis.input_tokens,
        "cached_tokens": analysis.cached_tokens,
        "output_tokens": analysis.output_tokens,
        "call_seconds": analysis.processing_time_seconds,
    }
