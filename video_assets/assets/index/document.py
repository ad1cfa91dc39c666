"""The blocks of a clip's document, as other programs read it: names and units are fixed.

Fields that no analyzer fills yet are absent values, never guesses. What depends on an owner (id,
user_id, where the file lies and what it is called) is filled in when the document is handed out,
because results are shared between the owners of the same content.
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.analyze.exposure import Focus, Interlacing, Shake, Span
from video_assets.media.camera import Telemetry
from video_assets.media.capture_time import CaptureTime
from video_assets.services.analysis import ComprehensiveAIAnalysis


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


class DolbyVision(Block):
    """Which Dolby Vision it is."""

    profile: int | None = None
    level: int | None = None
    compatibility_id: int | None = None


class VideoHDRDetails(Block):
    """High dynamic range."""

    is_hdr: bool = False
    hdr_format: str | None = None
    hdr_format_commercial: str | None = None
    transfer_characteristics: str | None = None
    master_display: str | None = None
    max_cll: int | None = Field(default=None, description="cd/m²")
    max_fall: int | None = Field(default=None, description="cd/m²")
    min_luminance_nits: float | None = None
    max_luminance_nits: float | None = None
    dolby_vision: DolbyVision | None = None


class VideoColorDetails(Block):
    """How code values mean colour."""

    color_space: str | None = None
    color_primaries: str | None = None
    transfer_characteristics: str | None = None
    matrix_coefficients: str | None = None
    color_range: str | None = None
    hdr: VideoHDRDetails | None = Field(default=None, description="None: not looked for yet")


class VideoExposureDetails(Block):
    """How the picture is exposed."""

    warning: bool | None = None
    stops: float | None = Field(default=None, description="from middle grey; + is over")
    overexposed_percentage: float | None = None
    underexposed_percentage: float | None = None
    overall_quality: str | None = Field(default=None, description="excellent, good, fair, poor")


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
    exposure: VideoExposureDetails | None = Field(default=None, description="None: not measured")


class AudioTrack(Block):
    """One sound stream."""

    track_id: str | None = None
    codec: str | None = None
    codec_id: str | None = None
    channels: int | None = None
    channel_layout: str | None = None
    sample_rate: int | None = None
    bit_depth: int | None = None
    bit_rate_kbps: int | None = None
    language: str | None = None
    duration_seconds: float | None = None
    title: str | None = None


class SubtitleTrack(Block):
    """One subtitle stream."""

    track_id: str | None = None
    codec: str | None = None
    format: str | None = None
    language: str | None = None
    title: str | None = None
    embedded: bool | None = None


class CameraFocalLength(Block):
    """How wide the lens sees."""

    value_mm: float | None = None
    category: str | None = None
    source: str | None = Field(default=None, description="EXIF, or AI: a model judged it")
    equivalent_35mm: float | None = None
    confidence: float | None = Field(default=None, description="0 to 1, of the model")


class CameraSettings(Block):
    """How the camera was set."""

    iso: int | None = None
    shutter_speed: str | None = None
    f_stop: float | None = None
    exposure_mode: str | None = None
    white_balance: str | None = None
    light_source: str | None = None


class CameraLocation(Block):
    """Where the camera stood."""

    gps_latitude: float | None = Field(default=None, description="degrees, south negative")
    gps_longitude: float | None = Field(default=None, description="degrees, west negative")
    gps_altitude: float | None = Field(default=None, description="metres")
    location_name: str | None = None
    is_named_by_distance: bool | None = Field(default=None, description="by the nearest city")


class CameraDetails(Block):
    """The camera, and what it wrote."""

    make: str | None = None
    model: str | None = None
    lens_model: str | None = None
    serial_number: str | None = None
    focal_length: CameraFocalLength = CameraFocalLength()
    settings: CameraSettings = CameraSettings()
    location: CameraLocation = CameraLocation()
    capture: CaptureTime | None = None
    telemetry: Telemetry | None = None
    software: str | None = None
    artist: str | None = None
    copyright: str | None = None
    description: str | None = None


class Scene(Block):
    """What lies between two cuts."""

    number: int
    start_s: float
    end_s: float
    begins_with: str
    representative_frame: str | None = Field(
        default=None, description="a still, in the artifact store"
    )


class TranscriptSegment(Block):
    """Words that belong together."""

    start_time: float | None = None
    end_time: float | None = None
    speaker: str | None = None
    text: str
    confidence: float | None = None


class Transcript(Block):
    """What is said."""

    full_text: str | None = None
    segments: tuple[TranscriptSegment, ...] = ()
    word_count: int | None = None
    language: str | None = None
    source: str | None = None
    model: str | None = None


class Loudness(Block):
    """How loud the sound is, by EBU R 128."""

    integrated_lufs: float | None = None
    range_lu: float | None = None
    true_peak_dbtp: float | None = None
    max_momentary_lufs: float | None = None
    max_short_term_lufs: float | None = None
    silent_ranges: tuple[tuple[float, float], ...] = ()
    is_silent: bool


class PictureFaults(Block):
    """Where the picture shows nothing, stands still, shakes or is soft, and how its fields lie."""

    black_ranges: tuple[Span, ...] = ()
    frozen_ranges: tuple[Span, ...] = ()
    shake: Shake
    focus: Focus
    interlacing: Interlacing


class AnalysisDetails(Block):
    """What the picture and sound show."""

    scene_changes: tuple[float, ...] = ()
    scenes: tuple[Scene, ...] | None = Field(default=None, description="None: not looked for")
    transcript: Transcript | None = Field(default=None, description="None: not listened for")
    picture: PictureFaults | None = Field(default=None, description="None: not measured")
    loudness: Loudness | None = Field(default=None, description="None: no sound, or not measured")
    content_category: str | None = None
    content_tags: tuple[str, ...] = ()
    content_summary: str | None = None
    ai_analysis: ComprehensiveAIAnalysis | None = Field(
        default=None, description="by the analyzer whose words the document takes"
    )
    other_analyses: dict[str, ComprehensiveAIAnalysis] = Field(
        default={}, description="by the others, each under its analyzer's name"
    )
    analyzer: str | None = Field(default=None, description="whose words the document takes")
    processing_metadata: dict[str, Any] | None = None


class EnhancedVideoIngestOutput(Block):
    """Everything that is known of one clip."""

    id: str | None = None
    user_id: str | None = None
    file_info: FileBlock
    video: VideoDetails
    audio_tracks: tuple[AudioTrack, ...] = ()
    subtitle_tracks: tuple[SubtitleTrack, ...] = ()
    camera: CameraDetails | None = Field(default=None, description="None: not looked for yet")
    thumbnails: tuple[str, ...] = ()
    compressed_path: str | None = Field(default=None, description="the proxy")
    analysis: AnalysisDetails
    processing_status: str | None = None
    processing_progress: int | None = None
    current_step: str | None = None
    error_details: dict[str, Any] | None = None
    searchable_content: str | None = None
    content_embeddings: tuple[float, ...] | None = None
