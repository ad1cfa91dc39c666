"""Puts a clip's document together from the results that there are.

What a fuller analyzer says goes before what the probe says; where it has nothing to say the
probe's answer stands. A result that is missing leaves its block empty.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import gcd
from typing import Any, TypeVar

from pydantic import BaseModel

from video_assets.assets.analyze.exposure import Exposure
from video_assets.assets.analyze.focal_length import CameraFocalLength as SeenFocalLength
from video_assets.assets.analyze.scenes import Scenes
from video_assets.assets.analyze.transcript import Transcript
from video_assets.assets.derive.proxy import Proxy
from video_assets.assets.derive.thumbnails import Thumbnails
from video_assets.assets.describe.description import Description
from video_assets.assets.index import document
from video_assets.assets.index.document import (
    AnalysisDetails,
    AudioTrack,
    Block,
    CameraDetails,
    CameraFocalLength,
    CameraLocation,
    CameraSettings,
    EnhancedVideoIngestOutput,
    FileBlock,
    Loudness,
    PictureFaults,
    SubtitleTrack,
    VideoCodecDetails,
    VideoColorDetails,
    VideoDetails,
    VideoExposureDetails,
    VideoHDRDetails,
    VideoResolution,
)
from video_assets.assets.ingest.checksum import FileInfo
from video_assets.assets.measure.camera import Camera
from video_assets.assets.measure.color import Color
from video_assets.assets.measure.media_info import MediaInfo
from video_assets.assets.measure.probe import Probe
from video_assets.media.tracks import VideoTrack
from video_assets.services.analysis import ComprehensiveAIAnalysis

B = TypeVar("B", bound=Block)


def compose(
    content: FileInfo,
    probe: Probe,
    *,
    thumbnails: Thumbnails | None = None,
    media_info: MediaInfo | None = None,
    color: Color | None = None,
    focal_length: SeenFocalLength | None = None,
    camera: Camera | None = None,
    proxy: Proxy | None = None,
    scenes: Scenes | None = None,
    exposure: Exposure | None = None,
    transcript: Transcript | None = None,
    description: Description | None = None,
    analyses: Mapping[str, ComprehensiveAIAnalysis] = {},
) -> EnhancedVideoIngestOutput:
    """Gather what is known of a clip; blocks that nothing was found for stay empty."""
    made = [each for each in (probe, media_info, proxy, scenes, transcript) if each is not None]
    warnings = [warning for each in made for warning in each.warnings]
    warnings += color.disagreements if color else ()
    tracks = media_info or probe
    return EnhancedVideoIngestOutput(
        file_info=FileBlock(
            file_checksum=content.file_checksum, file_size_bytes=content.file_size_bytes
        ),
        video=_video(probe, media_info, color, exposure),
        audio_tracks=_all(AudioTrack, tracks.audio_tracks),
        subtitle_tracks=_all(SubtitleTrack, tracks.subtitle_tracks),
        camera=_camera(camera, focal_length),
        thumbnails=tuple(still.name for still in thumbnails.thumbnails) if thumbnails else (),
        compressed_path=proxy.file if proxy else None,
        analysis=AnalysisDetails(
            scene_changes=scenes.scene_changes if scenes else (),
            scenes=_all(document.Scene, scenes.scenes) if scenes else None,
            picture=part(PictureFaults, exposure) if exposure else None,
            transcript=part(document.Transcript, transcript) if transcript else None,
            loudness=part(Loudness, proxy.sound) if proxy and proxy.sound else None,
            **_described(description, analyses),
            processing_metadata={"warnings": list(dict.fromkeys(warnings))},
        ),
    )


def _described(
    description: Description | None, analyses: Mapping[str, ComprehensiveAIAnalysis]
) -> dict[str, Any]:
    told = description.preferred if description else None
    if told is None:
        return {"other_analyses": dict(analyses)}
    return {
        "content_category": told.content_category,
        "content_summary": told.content_summary,
        "content_tags": told.content_tags,
        "analyzer": told.analyzer,
        "ai_analysis": analyses.get(told.analyzer),
        "other_analyses": {name: a for name, a in analyses.items() if name != told.analyzer},
    }


def part(block: type[B], found: BaseModel | None, **instead: Any) -> B:
    """Take those fields of a result that the document has; `instead` fills what is None."""
    facts: Mapping[str, Any] = found.model_dump() if found is not None else {}
    taken = {name: facts.get(name) for name in block.model_fields}
    known = {name: value for name, value in taken.items() if value is not None}
    return block.model_validate({**instead, **known})


def _all(block: type[B], found: Iterable[BaseModel]) -> tuple[B, ...]:
    return tuple(part(block, each) for each in found)


def _video(
    probe: Probe, media_info: MediaInfo | None, color: Color | None, exposure: Exposure | None
) -> VideoDetails:
    video = probe.video
    return VideoDetails(
        codec=_codec(video, media_info),
        container=probe.container,
        resolution=VideoResolution(
            width=video.width, height=video.height, aspect_ratio=_aspect_ratio(video)
        ),
        frame_rate=float(Fraction(video.frame_rate)) if video.frame_rate else None,
        duration_seconds=probe.duration_s,
        rotation=video.rotation,
        is_variable_frame_rate=video.is_variable_frame_rate,
        start_timecode=probe.timecode,
        color=_color(video, color),
        exposure=part(VideoExposureDetails, exposure) if exposure else None,
    )


def _codec(video: VideoTrack, media_info: MediaInfo | None) -> VideoCodecDetails:
    return part(
        VideoCodecDetails,
        media_info.codec if media_info else None,
        name=video.codec,
        profile=video.profile,
        level=video.level,
        bitrate_kbps=round(video.bit_rate_bps / 1000) if video.bit_rate_bps else None,
        bit_depth=video.bit_depth,
        pixel_format=video.pixel_format,
        scan_type="Interlaced" if video.is_interlaced else "Progressive",
        field_order=video.field_order,
    )


def _color(video: VideoTrack, color: Color | None) -> VideoColorDetails:
    is_known = color is not None and color.hdr.is_hdr is not None
    return part(
        VideoColorDetails,
        color.model_copy(update={"hdr": None}) if color else None,
        color_primaries=video.color_primaries,
        transfer_characteristics=video.color_transfer,
        matrix_coefficients=video.color_matrix,
        color_range={"tv": "Limited", "pc": "Full"}.get(video.color_range or ""),
        hdr=part(VideoHDRDetails, color.hdr) if color and is_known else None,
    )


def _camera(camera: Camera | None, seen: SeenFocalLength | None) -> CameraDetails | None:
    if camera is None and (seen is None or seen.source is None):
        return None
    if camera is None:
        return CameraDetails(focal_length=part(CameraFocalLength, seen))
    said = camera.focal_length
    lens = said if said.value_mm or said.category or seen is None else seen
    return CameraDetails(
        make=camera.make,
        model=camera.model,
        lens_model=camera.lens_model,
        serial_number=camera.serial_number,
        focal_length=part(CameraFocalLength, lens),
        settings=part(CameraSettings, camera.settings),
        location=part(CameraLocation, camera.location),
        capture=camera.capture,
        telemetry=camera.telemetry,
        software=camera.software,
        artist=camera.artist,
        copyright=camera.copyright,
        description=camera.description,
    )


def _aspect_ratio(video: VideoTrack) -> str:
    """Write the shape as shown in its smallest numbers: 16:9, 9:16."""
    common = gcd(video.display_width, video.display_height)
    return f"{video.display_width // common}:{video.display_height // common}"
