"""The cheap facts of a clip: read from its header, and held against what the file really holds."""

import re
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Literal

import av
import av.container
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from pydantic import BaseModel, ConfigDict, Field

from video_assets.media.color import MATRICES, PRIMARIES, RANGES, TRANSFERS
from video_assets.media.errors import NotAVideoError, UndecodableError
from video_assets.media.frames import (
    choose_video,
    decode_packet,
    drain,
    first_frame,
    frame_time,
    packets,
    seek,
)
from video_assets.media.levels import name_level
from video_assets.media.orientation import display_size, plausible_aspect, read_orientation
from video_assets.media.packets import (
    Extent,
    check_index,
    has_whole_index,
    is_variable,
    last_moments,
    sample_index,
    scan,
)
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
    stream_duration,
)

DurationSource = Literal["container", "stream", "index", "packets", "estimated"]

_FIELD_ORDERS = {1: "progressive", 2: "tt", 3: "bb", 4: "tb", 5: "bt"}
_FASTEST = 1000  # frames a second above which an average is a fault of the header
_MOST_SAMPLED = 300
_MOST_SAMPLED_BYTES = 64 * 2**20
_TIMECODE = re.compile(r"(\d\d)[:;](\d\d)[:;](\d\d)([:;.,])(\d\d\d?)")
# FFmpeg measures these from their last packets itself.
_MEASURED_BY_FFMPEG = {"mpegts"}
_HAS_NO_HEADER = {"mpeg"}
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


@dataclass
class _Sample:
    """The first frame that decodes, and time stamps seen on the way."""

    frame: VideoFrame
    windows: list[list[int]]


@dataclass(frozen=True)
class _Length:
    seconds: float | None
    source: DurationSource | None


@dataclass
class _Warnings:
    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.texts.append(text)


def probe_media(path: Path) -> MediaFacts:
    """Read the facts of a clip and prove that a picture of it can be decoded.

    Raises UnreadableError, NotAVideoError, and UndecodableError if no frame comes out.
    """
    size_bytes = path.stat().st_size if path.exists() else 0
    with open_media(path) as container:
        stream = choose_video(container)
        if stream is None:
            raise NotAVideoError(_explain_no_video(container))
        warnings = _Warnings()
        sample = _decode_sample(container, stream, size_bytes)
        length, video_s = _measure_length(container, stream, size_bytes, warnings)
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
            warnings=tuple(warnings.texts),
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


def _decode_sample(
    container: av.container.InputContainer, stream: VideoStream, size_bytes: int
) -> _Sample:
    if stream.codec_context is None:
        raise UndecodableError(
            f"stream {stream.index} is in a codec that nothing here can decode; convert the clip"
        )
    stream.thread_type = "SLICE"  # frame threads would read a frame per core before the first one
    if has_whole_index(container, stream):
        frame, windows = first_frame(container, stream), sample_index(stream)
    else:
        frame, stamps = _sample_packets(container, stream)
        windows = [stamps]
    frame = frame or _frame_further_on(container, stream)
    if frame is None:
        raise UndecodableError(_explain_undecodable(container, stream, size_bytes))
    return _Sample(frame, windows)


def _explain_undecodable(
    container: av.container.InputContainer, stream: VideoStream, size_bytes: int
) -> str:
    text = (
        f"stream {stream.index} is {codec_name(stream)} with no decodable frame at its "
        "beginning, middle or end"
    )
    if has_whole_index(container, stream):
        index = check_index(stream, size_bytes)
        if index.present < index.listed:
            text += f"; the file holds {index.present} of the {index.listed} frames it lists"
    return f"{text}; copy it from the card again"


def _sample_packets(
    container: av.container.InputContainer, stream: VideoStream
) -> tuple[VideoFrame | None, list[int]]:
    frame, stamps, read_bytes = None, [], 0
    for packet in islice(packets(container, stream), _MOST_SAMPLED):
        if packet.pts is not None and packet.size:
            stamps.append(packet.pts)
        frame = frame or next(iter(decode_packet(packet)), None)
        read_bytes += packet.size
        if read_bytes > _MOST_SAMPLED_BYTES:
            break
    frame = frame or next(iter(drain(stream)), None)
    # What comes last may lack earlier stamps that follow in decoding order.
    return frame, sorted(stamps)[: max(2, len(stamps) - 16)]


def _frame_further_on(
    container: av.container.InputContainer, stream: VideoStream
) -> VideoFrame | None:
    length = stream.duration or 0
    if not length and container.duration and stream.time_base:
        length = int(container.duration / av.time_base / stream.time_base)
    for share in (0.0, 0.5, 0.9):
        if seek(container, stream, int((stream.start_time or 0) + length * share)):
            frame = first_frame(container, stream)
            if frame is not None:
                return frame
    return None


def _measure_length(
    container: av.container.InputContainer,
    stream: VideoStream,
    size_bytes: int,
    warnings: _Warnings,
) -> tuple[_Length, float | None]:
    """Give the clip's length and its picture's, claimed by the header or measured."""
    claimed = _claimed_length(container)
    video_s = stream_duration(stream)
    if has_whole_index(container, stream):
        index = check_index(stream, size_bytes)
        if index.present < index.listed:
            warnings.add(
                f"the header lists {index.listed} frames, but the file ends after "
                f"{index.present} of them; copy it from the card again"
            )
            return _Length(index.present_s, "index"), index.present_s
        return claimed, video_s
    if container.format.name in _MEASURED_BY_FFMPEG and claimed.seconds:
        return claimed, video_s or claimed.seconds
    start_s = (container.start_time or 0) / av.time_base
    found = _find_end(container, start_s, claimed.seconds, size_bytes)
    if found is None:
        return claimed, video_s
    measured = _Length(found.end_s - start_s, "estimated" if found.is_estimated else "packets")
    if container.format.name in _HAS_NO_HEADER:
        return measured, measured.seconds
    if claimed.seconds is None:
        warnings.add("the header has no duration; it was measured")
        return measured, video_s or measured.seconds
    if found.end_s >= start_s + 0.95 * claimed.seconds - 1:
        return claimed, video_s
    warnings.add(
        f"the header claims {claimed.seconds:.1f} s, but the file holds {measured.seconds:.1f} s"
    )
    return measured, min(video_s or found.end_s, found.end_s - start_s)


def _claimed_length(container: av.container.InputContainer) -> _Length:
    if container.duration and container.duration > 0:
        return _Length(container.duration / av.time_base, "container")
    lengths = (stream_duration(s) for s in container.streams if s.type in ("video", "audio"))
    longest = max((length for length in lengths if length), default=None)
    return _Length(longest, "stream" if longest else None)


def _find_end(
    container: av.container.InputContainer,
    start_s: float,
    claimed_s: float | None,
    size_bytes: int,
) -> Extent | None:
    distant_s = 10_000_000.0  # no clip reaches there, so the container goes to its last keyframe
    tail = last_moments(container, start_s + claimed_s if claimed_s else distant_s)
    if tail is None or (claimed_s is None and tail.end_s <= start_s):
        return scan(container, size_bytes)
    return tail


def _describe_video(
    container: av.container.InputContainer,
    stream: VideoStream,
    sample: _Sample,
    video_s: float | None,
    warnings: _Warnings,
) -> VideoTrack:
    context, frame = stream.codec_context, sample.frame
    turn = read_orientation(frame)
    if turn.is_rounded:
        warnings.add(f"the picture is turned by an odd angle; {turn.rotation} degrees is used")
    aspect = plausible_aspect(stream.sample_aspect_ratio)
    if stream.sample_aspect_ratio and aspect != stream.sample_aspect_ratio:
        warnings.add(f"pixels of {stream.sample_aspect_ratio} are no picture; square ones are used")
    shown = display_size(frame.width, frame.height, aspect, turn.rotation)
    order = _FIELD_ORDERS.get(context.field_order)
    level = name_level(codec_name(stream) or "", context.level)
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
            "frame_rate": rate_text(_usable_rate(stream, sample.windows, warnings)),
            "average_frame_rate": rate_text(stream.average_rate),
            "nominal_frame_rate": rate_text(stream.base_rate),
            "is_variable_frame_rate": is_variable(sample.windows),
            "frame_count": stream.frames or None,
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
    stream: VideoStream, windows: list[list[int]], warnings: _Warnings
) -> Fraction | None:
    average = stream.average_rate
    if average and average < _FASTEST:
        return _unround(average) if stream.time_base == _MILLISECOND else average
    measured = _measured_rate(stream, windows)
    best = stream.base_rate if stream.base_rate and stream.base_rate < _FASTEST else measured
    if average:
        warnings.add(f"the header's {rate_text(average)} frames a second cannot be true")
    return best


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
        with path.open("rb") as file:
            return "webm" if b"webm" in file.read(64) else "mkv"
    return name.split(",")[0]
