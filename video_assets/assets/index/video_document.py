"""The document of a clip: everything that is known of it, in one JSON file for other programs.

Made from what exists: a clip without thumbnails has a document too.
"""

from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.analyze.exposure import Exposure
from video_assets.assets.analyze.focal_length import CameraFocalLength
from video_assets.assets.analyze.scenes import Scenes
from video_assets.assets.analyze.transcript import Transcript
from video_assets.assets.derive.proxy import Proxy
from video_assets.assets.derive.thumbnails import Thumbnails
from video_assets.assets.describe.description import Description, side_by_side
from video_assets.assets.index.composing import compose
from video_assets.assets.index.document import EnhancedVideoIngestOutput
from video_assets.assets.ingest.checksum import FileInfo
from video_assets.assets.measure.camera import Camera
from video_assets.assets.measure.color import Color
from video_assets.assets.measure.media_info import MediaInfo
from video_assets.assets.measure.probe import Probe
from video_assets.clip_asset import clip_asset
from video_assets.services.analysis import ComprehensiveAIAnalysis
from video_assets.storage.artifacts import ArtifactFolder

FILE_NAME = "video_document.json"


class VideoDocument(BaseModel):
    """Where the document lies, and what it says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: str = Field(description="the file, relative to the artifact store")
    content: EnhancedVideoIngestOutput


@clip_asset(lane="default", code_version="4")
def video_document(
    checksum: FileInfo,
    probe: Probe,
    thumbnails: Thumbnails | None,
    media_info: MediaInfo | None,
    color: Color | None,
    focal_length: CameraFocalLength | None,
    camera: Camera | None,
    proxy: Proxy | None,
    scenes: Scenes | None,
    exposure: Exposure | None,
    transcript: Transcript | None,
    description: Description | None,
    gemini_analysis: ComprehensiveAIAnalysis | None,
    claude_analysis: ComprehensiveAIAnalysis | None,
    local_analysis: ComprehensiveAIAnalysis | None,
    artifacts: ArtifactFolder,
) -> VideoDocument:
    """Everything that is known of each clip, as one JSON file for other programs."""
    content = compose(
        checksum,
        probe,
        thumbnails=thumbnails,
        media_info=media_info,
        color=color,
        focal_length=focal_length,
        camera=camera,
        proxy=proxy,
        scenes=scenes,
        exposure=exposure,
        transcript=transcript,
        description=description,
        analyses=side_by_side(gemini_analysis, claude_analysis, local_analysis),
    )
    written = artifacts.write(FILE_NAME, content.model_dump_json(indent=2).encode())
    return VideoDocument(document=written, content=content)
