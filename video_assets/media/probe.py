"""The cheap facts of a clip: read from its header, and held against what the file really holds."""

import re
from fractions import Fraction
from pathlib import Path

import av
import av.container
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from pydantic import BaseModel, ConfigDict, Field

from video_assets.media.color import MATRICES, PRIMARIES, RANGES, TRANSFERS
from video_assets.media.errors import NotAVideoError, UndecodableError, UnreadableError
from video_assets.media.frames import (
    choose_video,
    frame_time,
)
from video_assets.media.length import BARE_STREAMS, DurationSource, measure_length
from video_assets.media.levels import name_level
from video_assets.media.mediainfo import is_encrypted
from video_assets.media.orientation import display_size, plausible_aspect, read_orientation
from video_assets.media.packets import (
    count_frames,
    is_variable,
)
from video_assets.media.regular_file import confirm_readable, read_head
from video_assets.media.sample import Sample, decode_sample
from video_assets.media.source import open_media
from video_assets.media.tracks import (
    AudioTrack,
    StreamFact,
    SubtitleTrack,
    VideoTrack,
    codec_name,
    codec_tag,
    describe_audio,
    describe_stream,
    describe_subtitle,
    rate_text,
)

ENCRYPTED = "the picture is encrypted (DRM), so nobody can see it; get a copy without protection"
_FIELD_ORDERS = {1: "progressive", 2: "tt", 3: "bb", 4: "tb", 5: "bt"}
_FASTEST = 1000  # frames a second above which an average is a fault of the header
_TIMECODE = re.compile(r"(\d\d)[:;](\d\d)[:;](\d\d)([:;.,])(\d\d\d?)")
_MILLISECOND = Fraction(1, 1000)
_COMMON_RATES = [
    rate
    for whole in (24, 25, 30, 48, 50, 60, 100, 120)
    for rate in (Fraction(whole * 1000, 1001), Fraction(whole))
]


class MediaFacts(BaseModel):
    """What a clip is: its container, its length, and every stream in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    container: str = Field(description="short name of what it really is: mp4, mov, mkv, mpegts, …")
    format_name: str = Field(description="FFmpeg's name of the container family")
    size_bytes: int = Field(gt=0)
    duration_s: float | None = Field(description="of the longest picture or sound stream")
    duration_source: DurationSource | None = Field(
        description="header of the container or a stream, or measured: index, packets, estimated"
    )
    start_time_s: float = Field(description="where the file's own clock begins")
    bit_rate_bps: int | None = Field(description="of the whole file")
    video: VideoTrack
    audio_tracks: tuple[AudioTrack, ...]
    subtitle_tracks: tuple[SubtitleTrack, ...]
    streams: tuple[StreamFact, ...]
    chapter_count: int
    has_cover_art: bool
    timecode: str | None = Field(description="of the first frame, HH:MM:SS:FF; drop frame has ;FF")
    warnings: tuple[str, ...] = Field(description="where the file contradicts itself")


def probe_media(path: Path) -> MediaFacts:
    """Read the facts of a clip and prove that a picture of it can be decoded.

    Raises UnreadableError, NotAVideoError, and UndecodableError if no frame comes out.
    """
    try:
        facts = _probe(path)
    except (UndecodableError, UnreadableError):
        confirm_readable(path)
        if is_encrypted(path):
            raise UndecodableError(ENCRYPTED) from None
        raise
    if facts.warnings:
        confirm_readable(path)
    return facts


def _probe(path: Path) -> MediaFacts:
    with open_media(path) as container:
        size_bytes = container.size
        stream = choose_video(container)
        if stream is None:
            raise NotAVideoError(_explain_no_video(container))
        warnings: list[str] = []
        sample = decode_sample(container, stream, size_bytes)
        length, video_s = measure_length(container, stream, size_bytes, warnings)
        video = _describe_video(container, stream, sample, video_s, warnings)
        return MediaFacts(
            container=_short_name(container, path),
            format_name=container.format.name,
            size_bytes=size_bytes,
            duration_s=length.seconds,
            duration_source=length.source,
            start_time_s=(container.start_time or 0) / av.time_base,
            bit_rate_bps=round(size_bytes * 8 / length.seconds) if length.seconds else None,
            video=video,
            audio_tracks=tuple(map(describe_audio, container.streams.audio)),
            subtitle_tracks=tuple(map(describe_subtitle, container.streams.subtitles)),
            streams=tuple(map(describe_stream, container.streams)),
            chapter_count=len(container.chapters()),
            has_cover_art=any(fact.is_cover for fact in map(describe_stream, container.streams)),
            timecode=_find_timecode(container, stream),
            warnings=tuple(warnings),
        )


def _explain_no_video(container: av.container.InputContainer) -> str:
    covers = len(container.streams.video)
    sounds = [codec_name(stream) or "unknown" for stream in container.streams.audio]
    if sounds:
        cover = " and cover art" if covers else ""
        return f"expected a video, found only sound ({', '.join(sounds)}){cover}"
    if covers:
        return "expected a video, found only a still picture"
    kinds = sorted({stream.type or "unknown" for stream in container.streams})
    return f"expected a video, found {' and '.join(kinds) or 'no'} streams only"


def _describe_video(
    container: av.container.InputContainer,
    stream: VideoStream,
    sample: Sample,
    video_s: float | None,
    warnings: list[str],
) -> VideoTrack:
    context, frame = stream.codec_context, sample.frame
    turn = read_orientation(frame)
    if turn.is_rounded:
        warnings.append(f"the picture is turned by an odd angle; {turn.rotation} degrees is used")
    aspect = plausible_aspect(stream.sample_aspect_ratio)
    if stream.sample_aspect_ratio and aspect != stream.sample_aspect_ratio:
        warnings.append(f"pixels of {stream.sample_aspect_ratio} cannot be; square ones are used")
    shown = display_size(frame.width, frame.height, aspect, turn.rotation)
    # PyAV 17, the last for Python 3.10, gives neither; the frame still tells if it has fields.
    order = _FIELD_ORDERS.get(getattr(context, "field_order", 0))
    level = name_level(codec_name(stream) or "", getattr(context, "level", -1))
    return VideoTrack.model_validate(
        {
            "index": stream.index,
            "codec": codec_name(stream) or "unknown",
            "codec_tag": codec_tag(stream),
            "profile": context.profile,
            "level": level,
            "pixel_format": frame.format.name,
            "bit_depth": frame.format.components[0].bits,
            "width": frame.width,
            "height": frame.height,
            "sample_aspect_ratio": f"{aspect.numerator}:{aspect.denominator}",
            "rotation": turn.rotation,
            "is_mirrored": turn.is_mirrored,
            "display_width": shown[0],
            "display_height": shown[1],
            "frame_rate": rate_text(_usable_rate(container, stream, sample.windows, warnings)),
            "average_frame_rate": rate_text(stream.average_rate),
            "nominal_frame_rate": rate_text(stream.base_rate),
            "is_variable_frame_rate": is_variable(sample.windows),
            "frame_count": count_frames(container, stream),
            "duration_s": video_s,
            "start_time_s": _start_time(container, stream, frame),
            "bit_rate_bps": context.bit_rate or None,
            "field_order": order,
            "is_interlaced": frame.interlaced_frame or order not in (None, "progressive"),
            "color_primaries": _declared(PRIMARIES, frame.color_primaries, context.color_primaries),
            "color_transfer": _declared(TRANSFERS, frame.color_trc, context.color_trc),
            "color_matrix": _declared(MATRICES, frame.colorspace, context.colorspace),
            "color_range": _declared(RANGES, frame.color_range, context.color_range),
            "is_dolby_vision": _is_dolby_vision(stream, frame),
        }
    )


def _usable_rate(
    container: av.container.InputContainer,
    stream: VideoStream,
    windows: list[list[int]],
    warnings: list[str],
) -> Fraction | None:
    average, nominal = stream.average_rate, stream.base_rate
    if container.format.name in BARE_STREAMS:  # whose average is a fixed number of FFmpeg's
        own = stream.codec_context.framerate
        average = own if own and own < _FASTEST else average
    if average and average < _FASTEST:
        return _unround(average) if stream.time_base == _MILLISECOND else average
    nominal = nominal if nominal and nominal < _FASTEST else None
    measured = _measured_rate(stream, windows)
    if measured and measured < _FASTEST:
        return _nearest_part(nominal, measured) if nominal else measured
    if average:
        warnings.append(f"{rate_text(average)} frames a second, as the file has it, cannot be true")
    return nominal


def _nearest_part(nominal: Fraction, measured: Fraction) -> Fraction:
    """Give the part of a nominal rate that was measured; one of fields is twice as high."""
    exact = nominal / max(1, round(nominal / measured))
    return exact if abs(exact - measured) < measured / 100 else measured


def _unround(rate: Fraction) -> Fraction:
    """Give the common rate that an average over stamps in whole milliseconds stands for."""
    nearest = min(_COMMON_RATES, key=lambda common: abs(common - rate))
    return nearest if abs(nearest - rate) < nearest / 10_000 else rate


def _measured_rate(stream: VideoStream, windows: list[list[int]]) -> Fraction | None:
    stamps = sorted(set(windows[0])) if windows else []
    if len(stamps) < 2 or not stream.time_base:
        return None
    return ((len(stamps) - 1) / ((stamps[-1] - stamps[0]) * stream.time_base)).limit_denominator(
        1001
    )


def _start_time(
    container: av.container.InputContainer, stream: VideoStream, frame: VideoFrame
) -> float:
    if stream.start_time is not None and stream.time_base:
        return float(stream.start_time * stream.time_base)
    if frame.pts is not None:
        return frame_time(frame, stream)
    return (container.start_time or 0) / av.time_base


def _declared(names: dict[int, str], of_frame: int, of_stream: int) -> str | None:
    return names.get(int(of_frame)) or names.get(int(of_stream))


def _is_dolby_vision(stream: VideoStream, frame: VideoFrame) -> bool:
    if codec_tag(stream) in ("dvh1", "dvhe", "dva1", "dvav", "dav1"):
        return True
    try:
        return frame.side_data.get("DOVI_METADATA") is not None
    except ValueError:  # a kind of side data that PyAV has no name for
        return False


def _find_timecode(container: av.container.InputContainer, stream: VideoStream) -> str | None:
    tags = [stream.metadata, *(s.metadata for s in container.streams), container.metadata]
    for metadata in tags:
        for name, value in metadata.items():
            if name.lower() == "timecode" and (match := _TIMECODE.fullmatch(value.strip())):
                hours, minutes, seconds, mark, frames = match.groups()
                return f"{hours}:{minutes}:{seconds}{':' if mark == ':' else ';'}{frames}"
    return None


def _short_name(container: av.container.InputContainer, path: Path) -> str:
    name = container.format.name
    if name.startswith("mov,"):
        brand = container.metadata.get("major_brand", "").lower()
        if brand.startswith("qt") or not brand:
            return "mov"
        return "3gp" if brand.startswith("3g") else "mp4"
    if name.startswith("matroska"):
        return "webm" if b"webm" in read_head(path) else "mkv"
    return name.split(",")[0]
