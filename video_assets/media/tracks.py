"""What a container lists: its picture, sound, subtitle and other streams."""

import re
from fractions import Fraction
from typing import Literal

import av
import av.stream
from av.audio.stream import AudioStream
from av.subtitles.stream import SubtitleStream
from pydantic import BaseModel, ConfigDict, Field

from video_assets.media.frames import is_cover

Rotation = Literal[0, 90, 180, 270]
FieldOrder = Literal["progressive", "tt", "bb", "tb", "bt"]

# QuickTime's and Matroska's codes 9 and 14, interleaved lines with the top or the bottom field
# shown first, are FFmpeg's tb and bt, whose own words say the opposite of what cameras write.
_BOTTOM_FIRST = {"bb": True, "bt": True, "tt": False, "tb": False}

_DURATION_TAG = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VideoTrack(_Facts):
    """The picture of a clip, as it is stored and as it is shown."""

    index: int = Field(description="stream number in the container")
    codec: str
    codec_tag: str | None = Field(description="four-character code, as the container has it")
    profile: str | None
    level: str | None = Field(description="as the codec's standard writes it: 4.1, main, …")
    pixel_format: str
    bit_depth: int
    width: int = Field(gt=0, description="stored pixels, before turning and stretching")
    height: int = Field(gt=0)
    sample_aspect_ratio: str = Field(description="width:height of a pixel; 1:1 if undeclared")
    rotation: Rotation = Field(description="degrees clockwise for display; minus ffprobe's sign")
    is_mirrored: bool = Field(description="turned over top to bottom before it is rotated")
    display_width: int = Field(gt=0, description="as shown: stretched, then rotated")
    display_height: int = Field(gt=0)
    frame_rate: str | None = Field(description="exact; the average one unless it is absurd")
    average_frame_rate: str | None = Field(description="as the header has it")
    nominal_frame_rate: str | None = Field(description="lowest rate that fits all time stamps")
    is_variable_frame_rate: bool | None = Field(description="from time stamps; None: too few")
    frame_count: int | None = Field(description="None where the container does not say")
    duration_s: float | None = Field(description="of this stream alone; None: only of the clip")
    start_time_s: float = Field(description="first picture, on the file's own clock")
    bit_rate_bps: int | None
    field_order: FieldOrder | None = Field(description="tt, tb: shown top first; bb, bt: bottom")
    is_interlaced: bool
    color_primaries: str | None = Field(description="declared; None if undeclared")
    color_transfer: str | None
    color_matrix: str | None
    color_range: Literal["tv", "pc"] | None
    is_dolby_vision: bool = Field(description="carries Dolby Vision metadata")

    @property
    def is_bottom_first(self) -> bool | None:
        """Whether the bottom field is shown first; None: progressive, or nothing is declared."""
        return _BOTTOM_FIRST.get(self.field_order or "")


class AudioTrack(_Facts):
    """One sound stream."""

    track_id: str = Field(description="stream number in the container")
    codec: str | None = Field(description="None if no decoder knows it")
    codec_id: str | None = Field(description="four-character code")
    channels: int | None
    channel_layout: str | None
    sample_rate: int | None
    bit_depth: int | None = Field(description="None for lossy codecs, which have none")
    bit_rate_kbps: int | None
    language: str | None
    duration_seconds: float | None


class SubtitleTrack(_Facts):
    """One subtitle stream."""

    track_id: str = Field(description="stream number in the container")
    codec: str | None
    format: Literal["text", "bitmap"] | None
    language: str | None
    title: str | None
    embedded: bool = True


class StreamFact(_Facts):
    """One stream of any kind."""

    index: int
    kind: str
    codec: str | None
    language: str | None
    title: str | None
    is_default: bool
    is_cover: bool


_BITMAP_SUBTITLES = {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub"}


def describe_stream(stream: av.stream.Stream) -> StreamFact:
    """List one stream."""
    return StreamFact(
        index=stream.index,
        kind=stream.type or "unknown",
        codec=codec_name(stream),
        language=language(stream),
        title=title(stream),
        is_default=bool(stream.disposition & av.stream.Disposition.default),
        is_cover=stream.type == "video" and is_cover(stream),  # pyright: ignore[reportArgumentType]
    )


def describe_audio(stream: AudioStream) -> AudioTrack:
    """List one sound stream; a stream without a known codec is listed with what is known."""
    context = stream.codec_context
    codec = codec_name(stream)
    is_open = context is not None and codec is not None
    rate = context.bit_rate if is_open else None
    is_exact = codec is not None and codec.startswith(("pcm_", "flac", "alac", "truehd", "mlp"))
    return AudioTrack(
        track_id=str(stream.index),
        codec=codec,
        codec_id=codec_tag(stream),
        channels=(context.channels or None) if is_open else None,
        channel_layout=(context.layout.name or None) if is_open else None,
        sample_rate=(context.sample_rate or None) if is_open else None,
        bit_depth=context.format.bits if is_open and is_exact and context.format else None,
        bit_rate_kbps=round(rate / 1000) if rate else None,
        language=language(stream),
        duration_seconds=stream_duration(stream),
    )


def describe_subtitle(stream: SubtitleStream) -> SubtitleTrack:
    """List one subtitle stream."""
    codec = codec_name(stream)
    kind = "bitmap" if codec in _BITMAP_SUBTITLES else "text"
    return SubtitleTrack(
        track_id=str(stream.index),
        codec=codec,
        format=kind if codec else None,
        language=language(stream),
        title=title(stream),
    )


def codec_name(stream: av.stream.Stream) -> str | None:
    """Name the codec, not the decoder that happens to be used for it: av1, not libdav1d."""
    context = stream.codec_context
    return context.codec.canonical_name if context is not None else None


def codec_tag(stream: av.stream.Stream) -> str | None:
    """Give the four-character code, if it is one."""
    context = stream.codec_context
    try:
        tag = context.codec_tag.strip("\x00 ") if context is not None else ""
    except UnicodeDecodeError:  # a number, as MPEG transport streams have it
        return None
    return tag if tag and tag.isascii() and tag.isprintable() else None


def language(stream: av.stream.Stream) -> str | None:
    """Give the declared language; `und` is none."""
    code = clean_text(stream.metadata.get("language"))
    return None if code in (None, "und") else code


def title(stream: av.stream.Stream) -> str | None:
    """Give the name that an editor gave the stream."""
    return clean_text(stream.metadata.get("title"))


def clean_text(text: str | None) -> str | None:
    """Drop what a database or terminal cannot show; nothing left is None."""
    kept = "".join(letter for letter in text or "" if letter.isprintable()).strip()
    return kept or None


def stream_duration(stream: av.stream.Stream) -> float | None:
    """Give the length of one stream as its header, or Matroska's tag, claims it."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if match := _DURATION_TAG.match(stream.metadata.get("DURATION", "")):
        hours, minutes, seconds = match.groups()
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return None


def rate_text(rate: Fraction | None) -> str | None:
    """Write a frame rate exactly: 30000/1001, 25/1."""
    return f"{rate.numerator}/{rate.denominator}" if rate else None
