"""The blocks of a clip's document, as other programs read it: names and units are fixed.

Fields that no analyzer fills yet are absent values, never guesses. What depends on an owner (id,
user_id, where the file lies and what it is called) is filled in when the document is handed out,
because results are shared between the owners of the same content.
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from video_assets.media.tracks import AudioTrack, SubtitleTrack


class Block(BaseModel):
    """A part of the document."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FileBlock(Block):
    """Which bytes, and for an owner: where they lie."""

    file_path: str | None = None
    file_name: str | None = None
    file_checksum: str
    file_size_bytes: int
    created_at: datetime | None = None
    processed_at: datetime | None = None
    is_duplicate: bool | None = None
    duplicate_of: str | None = None


class VideoCodecDetails(Block):
    """How the picture is coded."""

    name: str | None = None
    profile: str | None = None
    level: str | None = None
    bitrate_kbps: int | None = None
    bit_depth: int | None = None
    chroma_subsampling: str | None = None
    pixel_format: str | None = None
    bitrate_mode: str | None = None
    cabac: bool | None = None
    ref_frames: int | None = None
    gop_size: int | None = None
    scan_type: str | None = None
    field_order: str | None = None


class VideoResolution(Block):
    """Size in pixels as stored, and the shape as shown."""

    width: int | None = None
    height: int | None = None
    aspect_ratio: str | None = None


class VideoHDRDetails(Block):
    """High dynamic range."""

    is_hdr: bool = False
    hdr_format: str | None = None
    hdr_format_commercial: str | None = None
    transfer_characteristics: str | None = None
    master_display: str | None = None
    max_cll: int | None = Field(default=None, description="cd/m²")
    max_fall: int | None = Field(default=None, description="cd/m²")


class VideoColorDetails(Block):
    """How code values mean colour."""

    color_space: str | None = None
    color_primaries: str | None = None
    transfer_characteristics: str | None = None
    matrix_coefficients: str | None = None
    color_range: str | None = None
    hdr: VideoHDRDetails | None = Field(default=None, description="None: not looked for yet")


class VideoDetails(Block):
    """The picture."""

    codec: VideoCodecDetails
    container: str | None
    resolution: VideoResolution
    frame_rate: float | None
    duration_seconds: float | None
    rotation: int
    is_variable_frame_rate: bool | None
    start_timecode: str | None
    color: VideoColorDetails
    exposure: dict[str, Any] | None = Field(default=None, description="None: not measured yet")


class AnalysisDetails(Block):
    """What the picture and sound show."""

    scene_changes: tuple[float, ...] = ()
    content_tags: tuple[str, ...] = ()
    content_summary: str | None = None
    ai_analysis: dict[str, Any] | None = None
    processing_metadata: dict[str, Any] | None = None


class EnhancedVideoIngestOutput(Block):
    """Everything that is known of one clip."""

    id: str | None = None
    user_id: str | None = None
    file_info: FileBlock
    video: VideoDetails
    audio_tracks: tuple[AudioTrack, ...] = ()
    subtitle_tracks: tuple[SubtitleTrack, ...] = ()
    camera: dict[str, Any] | None = Field(default=None, description="None: not looked for yet")
    thumbnails: tuple[str, ...] = ()
    analysis: AnalysisDetails
    processing_status: str | None = None
    processing_progress: int | None = None
    current_step: str | None = None
    error_details: dict[str, Any] | None = None
    searchable_content: str | None = None
    content_embeddings: tuple[float, ...] | None = None
