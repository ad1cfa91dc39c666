"""The file of a proxy: H.264 or HEVC with square pixels, upright and in SDR, and AAC, in MP4."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from video_assets.media.encoders import Encoder
from video_assets.media.loudness import RATE
from video_assets.media.picture import render_yuv
from video_assets.media.tracks import VideoTrack

TICKS = 90_000
_AUDIO_BIT_RATE = 96_000
_KEYFRAME_EVERY_S = 2.0
_MOST_WAITING = 64
_BT709 = 1
_LIMITED = 1


@dataclass(frozen=True)
class ProxyPlan:
    """How a proxy is made.

    size          width and height in pixels, upright, both even
    frame_rate    pictures a second at most
    bit_rate_bps  of the picture, at most
    """

    size: tuple[int, int]
    frame_rate: float
    bit_rate_bps: int
    encoder: Encoder


class _WholeWrites(io.FileIO):
    """A file that writes all that it is given, or raises; nothing waits to fail later."""

    def write(self, data: Any, /) -> int:
        """Write every byte."""
        left = memoryview(data)
        while left:
            left = left[super().write(left) or 0 :]
        return len(data)


class ProxyWriter:
    """Takes pictures and sound as they come and writes them as one file."""

    def __init__(self, goal: Path, plan: ProxyPlan) -> None:
        self.expects_sound = False
        self._plan = plan
        # A file of our own: FFmpeg leaves its one open when it cannot finish it on a full disk.
        self._file = _WholeWrites(goal, "w+")
        self._container = av.open(
            self._file,
            "w",
            format="mp4",
            options={"movflags": "faststart"},
            io_open=lambda *_: goal.open("rb"),  # to move the index to the front at the end
        )
        self._picture = self._add_picture_track()
        self._sound: AudioStream | None = None
        self._down: av.AudioResampler | None = None
        self._sound_pts = 0
        self._held: Packet[Any] | None = None
        self._is_begun = False
        self._waiting: list[Packet[Any]] = []

    def __enter__(self) -> "ProxyWriter":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._container.close()
        finally:
            self._file.close()

    @property
    def has_audio(self) -> bool:
        """Whether it has a sound track."""
        return self._sound is not None

    def begin_sound(self, layout: av.AudioLayout, start_s: float) -> None:
        """Add a sound track, unless so many pictures came before that the file is begun."""
        if self._is_begun:
            return
        name = "mono" if layout.nb_channels == 1 else "stereo"
        self._sound = self._container.add_stream(
            "aac", rate=RATE, layout=name, options={"aac_coder": "fast"}
        )
        self._sound.bit_rate = _AUDIO_BIT_RATE
        self._down = av.AudioResampler("fltp", name, RATE)
        self._sound_pts = round(start_s * RATE)

    def add_picture(self, frame: VideoFrame, video: VideoTrack, time_s: float) -> None:
        """Show a decoded frame from a moment on."""
        shown = render_yuv(frame, video, self._plan.size)
        shown.pts, shown.time_base = round(time_s * TICKS), Fraction(1, TICKS)
        self._take_pictures(self._picture.encode(shown))

    def add_sound(self, frame: AudioFrame) -> None:
        """Append sound, mixed down to stereo."""
        if self._sound is None or self._down is None:
            return
        for part in self._down.resample(frame):
            part.pts, part.time_base = self._sound_pts, Fraction(1, RATE)
            self._sound_pts += part.samples
            self._write(self._sound.encode(part))

    def finish(self, end_s: float) -> None:
        """Write what is still held; the last picture is shown up to the end."""
        self.expects_sound = False
        self._take_pictures(self._picture.encode(None))
        if self._held is not None:
            self._held.duration = max(1, round(end_s * TICKS) - (self._held.pts or 0))
            self._write([self._held])
        if self._sound is not None:
            self._write(self._sound.encode(None))

    def _take_pictures(self, packets: Sequence["Packet[Any]"]) -> None:
        """Write each picture when the next one tells how long it is shown."""
        for packet in packets:
            if self._held is not None:
                self._held.duration = max(1, (packet.pts or 0) - (self._held.pts or 0))
                self._write([self._held])
            self._held = packet

    def _write(self, packets: Sequence["Packet[Any]"]) -> None:
        """Write packets, but none before it is known which tracks there are."""
        self._waiting += packets
        is_waiting = self.expects_sound and self._sound is None
        if is_waiting and len(self._waiting) < _MOST_WAITING:
            return
        for packet in self._waiting:
            self._container.mux(packet)
            self._is_begun = True
        self._waiting = []

    def _add_picture_track(self) -> VideoStream:
        plan = self._plan
        rate = Fraction(plan.frame_rate).limit_denominator(1001)
        stream: VideoStream = self._container.add_stream(  # pyright: ignore[reportAssignmentType]
            plan.encoder.name, rate=rate, options=dict(plan.encoder.options)
        )
        stream.width, stream.height = plan.size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.gop_size = max(1, round(plan.frame_rate * _KEYFRAME_EVERY_S))
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = _LIMITED
        if plan.encoder.is_hardware:
            context.bit_rate = plan.bit_rate_bps
        else:
            kilobits = plan.bit_rate_bps // 1000
            context.options = {
                **plan.encoder.options,
                "maxrate": f"{kilobits}k",
                "bufsize": f"{2 * kilobits}k",
            }
        return stream
