"""The document of a clip: everything that is known of it, in one JSON file for other programs.

Made from what exists: a clip without thumbnails has a document too.
"""

from fractions import Fraction
from math import gcd

from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.derive.thumbnails import Thumbnails
from video_assets.assets.index.document import (
    AnalysisDetails,
    EnhancedVideoIngestOutput,
    FileBlock,
    VideoCodecDetails,
    VideoColorDetails,
    VideoDetails,
    VideoResolution,
)
from video_assets.assets.ingest.checksum import FileInfo
from video_assets.assets.measure.probe import Probe
from video_assets.clip_asset import clip_asset
from video_assets.media.tracks import VideoTrack
from video_assets.storage.artifacts import ArtifactFolder

FILE_NAME = "video_document.json"


class VideoDocument(BaseModel):
    """Where the document lies, and what it says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: str = Field(description="the file, relative to the artifact store")
    content: EnhancedVideoIngestOutput


def compose(
    content: FileInfo, probe: Probe, thumbnails: Thumbnails | None
) -> EnhancedVideoIngestOutput:
    """Gather what is known of a clip; blocks that nothing was found for stay empty."""
    return EnhancedVideoIngestOutput(
        file_info=FileBlock(
            file_checksum=content.file_checksum, file_size_bytes=content.file_size_bytes
        ),
        video=_video(probe),
        audio_tracks=probe.audio_tracks,
        subtitle_tracks=probe.subtitle_tracks,
        thumbnails=tuple(still.name for still in thumbnails.thumbnails) if thumbnails else (),
        analysis=AnalysisDetails(processing_metadata={"warnings": list(probe.warnings)}),
    )


def _video(probe: Probe) -> VideoDetails:
    video = probe.video
    return VideoDetails(
        codec=VideoCodecDetails(
            name=video.codec,
            profile=video.profile,
            level=video.level,
            bitrate_kbps=round(video.bit_rate_bps / 1000) if video.bit_rate_bps else None,
            bit_depth=video.bit_depth,
            pixel_format=video.pixel_format,
            scan_type="Interlaced" if video.is_interlaced else "Progressive",
            field_order=video.field_order,
        ),
        container=probe.container,
        resolution=VideoResolution(
            width=video.width, height=video.height, aspect_ratio=_aspect_ratio(video)
        ),
        frame_rate=float(Fraction(video.frame_rate)) if video.frame_rate else None,
        duration_seconds=probe.duration_s,
        rotation=video.rotation,
        is_variable_frame_rate=video.is_variable_frame_rate,
        start_timecode=probe.timecode,
        color=VideoColorDetails(
            color_primaries=video.color_primaries,
            transfer_characteristics=video.color_transfer,
            matrix_coefficients=video.color_matrix,
            color_range={"tv": "Limited", "pc": "Full"}.get(video.color_range or ""),
        ),
    )


def _aspect_ratio(video: VideoTrack) -> str:
    """Write the shape as shown in its smallest numbers: 16:9, 9:16."""
    common = gcd(video.display_width, video.display_height)
    return f"{video.display_width // common}:{video.display_height // common}"


@clip_asset(lane="default", code_version="1")
def video_document(
    checksum: FileInfo, probe: Probe, thumbnails: Thumbnails | None, artifacts: ArtifactFolder
) -> VideoDocument:
    """Everything that is known of each clip, as one JSON file for other programs."""
    content = compose(checksum, probe, thumbnails)
    written = artifacts.write(FILE_NAME, content.model_dump_json(indent=2).encode())
    return VideoDocument(document=written, content=content)
