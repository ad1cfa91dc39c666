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
from video_assets.assets.analyze.scenes import Scenes
from video_assets.assets.analyze.transcript import Transcript
from video_assets.assets.derive.proxy import Proxy
from video_assets.assets.derive.thumbnails import Thumbnails
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
    VideoResolution,
)
from video_assets.assets.ingest.checksum import FileInfo
from video_assets.assets.measure.camera import Camera
from video_assets.assets.measure.probe import Probe
from video_assets.media.tracks import VideoTrack

B = TypeVar("B", bound=Block)


def compose(
    content: FileInfo,
    probe: Probe,
    *,
    thumbnails: Thumbnails | None = None,
    camera: Camera | None = None,
    proxy: Proxy | None = None,
    scenes: Scenes | None = None,
    exposure: Exposure | None = None,
    transcript: Transcript | None = None,
) -> EnhancedVideoIngestOutput:
    """Gather what is known of a clip; blocks that nothing was found for stay empty."""
    made = [each for each in (probe, proxy, scenes, transcript) if each is not None]
    warnings = [warning for each in made for warning in each.warnings]
    return EnhancedVideoIngestOutput(
        file_info=FileBlock(
            file_checksum=content.file_checksum, file_size_bytes=content.file_size_bytes
        ),
        video=_video(probe, exposure),
        audio_tracks=_all(AudioTrack, probe.audio_tracks),
        subtitle_tracks=_all(SubtitleTrack, probe.subtitle_tracks),
        camera=_camera(camera),
        thumbnails=tuple(still.name for still in thumbnails.thumbnails) if thumbnails else (),
        compressed_path=proxy.file if proxy else None,
        analysis=AnalysisDetails(
            scene_changes=scenes.scene_changes if scenes else (),
            scenes=_all(document.Scene, scenes.scenes) if scenes else None,
            picture=part(PictureFaults, exposure) if exposure else None,
            transcript=part(document.Transcript, transcript) if transcript else None,
            loudness=part(Loudness, proxy.sound) if proxy and proxy.sound else None,
            processing_metadata={"warnings": list(dict.fromkeys(warnings))},
        ),
    )


def part(block: type[B], found: BaseModel | None, **instead: Any) -> B:
    """Take those fields of a result that the document has; `instead` fills what is None."""
    facts: Mapping[str, Any] = found.model_dump() if found is not None else {}
    taken = {name: facts.get(name) for name in block.model_fields}
    known = {name: value for name, value in taken.items() if value is not None}
    return block.model_validate({**instead, **known})


def _all(block: type[B], found: Iterable[BaseModel]) -> tuple[B, ...]:
    return tuple(part(block, each) for each in found)


def _video(probe: Probe, exposure: Exposure | None) -> VideoDetails:
    video = probe.video
    return VideoDetails(
        codec=_codec(video),
        container=probe.container,
        resolution=VideoResolution(
            width=video.width, height=video.height, aspect_ratio=_aspect_ratio(video)
        ),
        frame_rate=float(Fraction(video.frame_rate)) if video.frame_rate else None,
        duration_seconds=probe.duration_s,
        rotation=video.rotation,
        is_variable_frame_rate=video.is_variable_frame_rate,
        start_timecode=probe.timecode,
        color=_color(video),
        exposure=part(VideoExposureDetails, exposure) if exposure else None,
    )


def _codec(video: VideoTrack) -> VideoCodecDetails:
    return VideoCodecDetails(
        name=video.codec,
        profile=video.profile,
        level=video.level,
        bitrate_kbps=round(video.bit_rate_bps / 1000) if video.bit_rate_bps else None,
        bit_depth=video.bit_depth,
        pixel_format=video.pixel_format,
        scan_type="Interlaced" if video.is_interlaced else "Progressive",
        field_order=video.field_order,
    )


def _color(video: VideoTrack) -> VideoColorDetails:
    return VideoColorDetails(
        color_primaries=video.color_primaries,
        transfer_characteristics=video.color_transfer,
        matrix_coefficients=video.color_matrix,
        color_range={"tv": "Limited", "pc": "Full"}.get(video.color_range or ""),
    )


def _camera(camera: Camera | None) -> CameraDetails | None:
    if camera is None:
        return None
    return CameraDetails(
        make=camera.make,
        model=camera.model,
        lens_model=camera.lens_model,
        serial_number=camera.serial_number,
        focal_length=part(CameraFocalLength, camera.focal_length),
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
