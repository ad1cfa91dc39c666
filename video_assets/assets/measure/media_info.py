"""Media info: how a clip is coded, and its sound and subtitle tracks.

Reads what MediaInfo says of the source, its packets where no index lists them, and the probe;
writes one MediaInfo per clip. What the decoder saw and what packets show goes before what
MediaInfo reads or estimates; what neither tells is None.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.measure.probe import Probe
from video_assets.clip_asset import clip_asset, clip_check
from video_assets.media.aspect import name_aspect
from video_assets.media.mediainfo import Report, Track, pair_tracks, read_mediainfo
from video_assets.media.packet_facts import PacketFacts, read_packet_facts
from video_assets.media.pixel_format import chroma_subsampling
from video_assets.media.probe import ENCRYPTED
from video_assets.media.scanning import FirstField, Scanning, ScanType, read_scanning
from video_assets.media.source import Source
from video_assets.media.told_tracks import (
    ToldAudio,
    ToldSubtitle,
    describe_captions,
    describe_sounds,
    describe_subtitles,
)
from video_assets.storage.artifacts import ArtifactFolder

Mode = Literal["CBR", "VBR"]
RateMode = Literal["CFR", "VFR"]

HIGHEST_REFERENCES = 16  # of H.264 and H.265
MORE_THAN_THE_FILE = 1.1
HIGHEST_BPS = 100e9  # twice an uncompressed 8K picture of 60 frames a second


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VideoCodecDetails(_Facts):
    """How the picture is coded."""

    name: str = Field(description="as FFmpeg names the codec: h264, hevc, prores, …")
    profile: str | None
    level: str | None = Field(description="as the codec's standard writes it")
    bitrate_kbps: int | None = Field(description="of the picture alone; None: would be a guess")
    bit_depth: int
    chroma_subsampling: str | None
    pixel_format: str
    bitrate_mode: Mode | None
    cabac: bool | None = Field(description="entropy coder of H.264; None for other codecs")
    ref_frames: int | None = Field(description="most frames that others can refer to")
    gop_size: int | None = Field(description="usual distance of keyframes, in frames")
    scan_type: ScanType | None
    field_order: FirstField | None = Field(description="field shown first; None: progressive")


class MediaInfo(_Facts):
    """How one clip is coded and wrapped."""

    codec: VideoCodecDetails
    container: str
    container_profile: str | None = Field(description="as MediaInfo says it: QuickTime, BDAV, …")
    aspect_ratio: str = Field(description="of the picture as shown: 16:9, 9:16, 2.39:1")
    frame_rate_mode: RateMode | None
    encoder: str | None = Field(description="what coded the picture, or else wrote the file")
    encoder_settings: str | None
    audio_tracks: tuple[ToldAudio, ...]
    subtitle_tracks: tuple[ToldSubtitle, ...]
    closed_captions: tuple[str, ...] = Field(description="kinds that are hidden in the picture")
    duration_s: float | None
    is_encrypted: bool = Field(description="what decodes of such a picture is noise")
    warnings: tuple[str, ...]


def describe_media(report: Report, packets: PacketFacts, probe: Probe) -> MediaInfo:
    """Put together what MediaInfo says, the packets show and the probe found."""
    video = probe.video
    (track,) = pair_tracks(report.video, [video.index])
    scanning = read_scanning(track, video)
    is_variable = video.is_variable_frame_rate
    return MediaInfo(
        codec=_describe_codec(track, packets, probe, scanning),
        container=probe.container,
        container_profile=report.general.text("format_profile") or report.general.text("format"),
        aspect_ratio=name_aspect(video.display_width, video.display_height),
        frame_rate_mode=None if is_variable is None else "VFR" if is_variable else "CFR",
        encoder=_name_encoder(report.general, track),
        encoder_settings=track.text("encoding_settings"),
        audio_tracks=describe_sounds(report.audio, probe, packets.forced),
        subtitle_tracks=describe_subtitles(probe, packets.forced),
        closed_captions=describe_captions(report.text),
        duration_s=probe.duration_s,
        is_encrypted=report.is_encrypted,
        warnings=(scanning.disagreement,) if scanning.disagreement else (),
    )


def _describe_codec(
    track: Track, packets: PacketFacts, probe: Probe, scanning: Scanning
) -> VideoCodecDetails:
    video = probe.video
    profile, _, level = (track.text("format_profile") or "").partition("@")
    references = track.count("format_settings_reference_frames")
    return VideoCodecDetails(
        name=video.codec,
        profile=video.profile or profile or None,
        level=video.level or level.split("@")[0].removeprefix("L") or None,
        bitrate_kbps=_choose_bit_rate(track, packets, probe),
        bit_depth=video.bit_depth,
        chroma_subsampling=chroma_subsampling(video.pixel_format),
        pixel_format=video.pixel_format,
        bitrate_mode=_mode(track),
        cabac=track.answer("format_settings_cabac") if video.codec == "h264" else None,
        ref_frames=references if references and references <= HIGHEST_REFERENCES else None,
        gop_size=packets.gop_size,
        scan_type=scanning.scan_type,
        field_order=scanning.field_order,
    )


def _mode(track: Track) -> Mode | None:
    mode = track.text("bit_rate_mode")
    return mode if mode in ("CBR", "VBR") else None


def _choose_bit_rate(track: Track, packets: PacketFacts, probe: Probe) -> int | None:
    """Give what the packets add up to, or what is declared; MediaInfo's estimates are left out."""
    declared = _mode(track) == "CBR" or track.text("fromstats_bitrate") is not None
    rate = packets.bit_rate_bps or (track.number("bit_rate") if declared else None)
    if not rate or not probe.duration_s:
        return None
    whole_bps = probe.size_bytes * 8 / min(probe.duration_s, probe.video.duration_s or 1e9)
    most_bps = min(HIGHEST_BPS, MORE_THAN_THE_FILE * whole_bps)
    return max(1, round(rate / 1000)) if 0 < rate <= most_bps else None


def _name_encoder(general: Track, track: Track) -> str | None:
    names = (
        track.text("writing_library"),
        general.text("writing_application"),
        general.text("writing_library"),
    )
    return next(filter(None, names), None)


def summarize(info: MediaInfo, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give what is worth plotting and filtering by."""
    codec = info.codec
    facts = {
        "codec": codec.name,
        "profile": codec.profile,
        "level": codec.level,
        "megabits_per_s": codec.bitrate_kbps / 1000 if codec.bitrate_kbps else None,
        "gop_size": codec.gop_size,
        "scan_type": codec.scan_type,
        "field_order": codec.field_order,
        "container": info.container,
        "aspect_ratio": info.aspect_ratio,
        "frame_rate_mode": info.frame_rate_mode,
        "encoder": info.encoder,
        "languages": ", ".join(languages(info)) or None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def languages(info: MediaInfo) -> list[str]:
    """Name the languages of all tracks, each once."""
    tracks = (*info.audio_tracks, *info.subtitle_tracks)
    return list(dict.fromkeys(track.language for track in tracks if track.language))


def find_contradiction(info: MediaInfo) -> str | None:
    """Say where a clip contradicts itself, or None."""
    return "; ".join(info.warnings) or None


@clip_asset(lane="metadata", code_version="2", metadata=summarize)
def media_info(source: Source, probe: Probe) -> MediaInfo:
    """How each clip is coded and wrapped: profile, bit rate, GOP, fields, encoder, all tracks."""
    report = read_mediainfo(source.path)
    return describe_media(report, read_packet_facts(source.path), probe)


@clip_check(media_info)
def fields_are_declared_once(media_info: MediaInfo) -> str | None:
    """Nothing in a clip contradicts its field order."""
    return find_contradiction(media_info)


@clip_check(media_info)
def picture_is_not_encrypted(media_info: MediaInfo) -> str | None:
    """Nobody needs a key to see a clip."""
    return ENCRYPTED if media_info.is_encrypted else None
