"""One pass over a clip: a small copy to look at and analyze, and measures of every frame."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import av.stream
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from video_assets.media.color import choose_range
from video_assets.media.errors import UndecodableError
from video_assets.media.frames import drain, frame_time
from video_assets.media.loudness import RATE, Sound, SoundMeter, known_layout, sample_format
from video_assets.media.measurements import Measurements
from video_assets.media.measuring import Measurer
from video_assets.media.probe import MediaFacts
from video_assets.media.proxy_writer import TICKS, ProxyPlan, ProxyWriter
from video_assets.media.regular_file import confirm_readable
from video_assets.media.source import open_media
from video_assets.media.tracks import VideoTrack

_MOST_THREADS = 4
_WORKERS = 2  # of the usual lane: they share the cores, and threads that wait cost a tenth more
_SOUND_AT_ONCE = RATE  # a second: calls cost more than the arithmetic in them
_FARTHEST_S = 7 * 86_400.0
_ON_TIME = 0.01  # of a step: rounded time stamps fall a little short of it


@dataclass(frozen=True)
class ProxyPass:
    """What the pass gave beside the proxy itself."""

    measurements: Measurements
    end_s: float
    """When the proxy's last picture or sound is over."""
    sound: Sound | None
    has_audio: bool
    damaged_sound: int


def make_proxy(
    path: Path,
    facts: MediaFacts,
    plan: ProxyPlan,
    goal: Path,
    progress: Callable[[float], None],
) -> ProxyPass:
    """Decode a clip once and write its proxy as MP4.

    Raises MediaError if no picture of it can be decoded.
    """
    with open_media(path) as container, ProxyWriter(goal, plan) as writer:
        stream, sound = _video(container, facts.video), choose_sound(container)
        writer.expects_sound = sound is not None
        measurer = Measurer(choose_range(facts.video.color_range, facts.video.pixel_format))
        pictures = _Pictures(facts, plan, measurer, writer)
        track = _Track(sound, facts.start_time_s, writer) if sound is not None else None
        for packet in _packets(container, [stream, *([sound] if sound is not None else [])]):
            if packet.stream.index == stream.index:
                pictures.take(packet, stream)
                progress(pictures.share())
            elif track is not None:
                track.take(packet)
        pictures.take_rest(stream)
        if not measurer.frame_count:
            confirm_readable(path)
            raise UndecodableError(
                f"not one frame of stream {stream.index} ({facts.video.codec}) could be decoded; "
                "copy the clip from the card again"
            )
        measured = track.finish() if track is not None else None
        end_s = pictures.end_s()
        writer.finish(end_s)
    return ProxyPass(
        measurements=measurer.finish(
            proxy_index=pictures.chosen,
            transfer=facts.video.color_transfer or "",
            damaged=pictures.damaged,
        ),
        end_s=max(end_s, measured.start_s + measured.duration_s) if measured else end_s,
        sound=measured,
        has_audio=writer.has_audio,
        damaged_sound=track.damaged if track is not None else 0,
    )


class _Pictures:
    """The picture's side of the pass."""

    def __init__(
        self, facts: MediaFacts, plan: ProxyPlan, measurer: Measurer, writer: ProxyWriter
    ) -> None:
        self.damaged = 0
        self.chosen: list[int] = []
        self._facts, self._plan, self._measurer, self._writer = facts, plan, measurer, writer
        self._step, self._last_s = -1, 0.0
        rate = facts.video.frame_rate
        self._usual_s = float(1 / Fraction(rate)) if rate else 1 / TICKS

    def take(self, packet: "Packet[Any]", stream: VideoStream) -> None:
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            self.damaged += 1
            return
        for frame in frames:
            self._take_frame(frame, stream)

    def take_rest(self, stream: VideoStream) -> None:
        """Take what a decoder still holds when the file breaks off."""
        for frame in drain(stream):
            self._take_frame(frame, stream)

    def share(self) -> float:
        """How much of the clip is behind us."""
        return self._last_s / self._facts.duration_s if self._facts.duration_s else 0.0

    def end_s(self) -> float:
        """When the last frame's time is over, as far as its neighbours tell."""
        return self._last_s + self._usual_s

    def _take_frame(self, frame: VideoFrame, stream: VideoStream) -> None:
        time_s = self._moment(frame, stream)
        self.damaged += frame.is_corrupt
        self._measurer.add(frame, time_s)
        self._last_s = max(self._last_s, time_s)
        step = math.floor(max(0.0, time_s) * self._plan.frame_rate + _ON_TIME)
        if step > self._step and time_s < _FARTHEST_S:
            self.chosen.append(self._measurer.frame_count - 1)
            self._writer.add_picture(frame, self._facts.video, max(0.0, time_s))
            self._step = step

    def _moment(self, frame: VideoFrame, stream: VideoStream) -> float:
        """When a frame is shown; a bare stream has no time stamps, only a rate."""
        if frame.pts is not None:
            return frame_time(frame, stream) - self._facts.start_time_s
        return self._last_s + self._usual_s if self._measurer.frame_count else 0.0


class _Track:
    """The sound's side of the pass."""

    def __init__(self, stream: AudioStream, start_s: float, writer: ProxyWriter) -> None:
        self.damaged = 0
        self._stream, self._start_s, self._writer = stream, start_s, writer
        self._meter: SoundMeter | None = None
        self._layout = ""
        self._resampler: av.AudioResampler | None = None
        self._form: tuple[str, str, int] | None = None

    def take(self, packet: "Packet[Any]") -> None:
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            self.damaged += 1
            return
        for frame in frames:
            self._take_frame(frame)

    def finish(self) -> Sound | None:
        self._convert(None)
        return self._meter.finish() if self._meter is not None else None

    def _take_frame(self, frame: AudioFrame) -> None:
        if self._meter is None:
            layout = known_layout(frame.layout)
            at_s = float((frame.pts or 0) * (self._stream.time_base or 0))
            self._meter, self._layout = SoundMeter(layout, at_s - self._start_s), layout.name
            self._writer.begin_sound(layout, max(0.0, at_s - self._start_s))
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form:  # broadcasts change it between programmes
            self._convert(None)
            floats = sample_format(av.AudioLayout(self._layout))
            self._resampler = av.AudioResampler(floats, self._layout, RATE, _SOUND_AT_ONCE)
            self._form = form
        frame.pts = None  # counted from the first on: a gap in the stamps is no gap in the sound
        self._convert(frame)

    def _convert(self, frame: AudioFrame | None) -> None:
        """Measure and write a frame, or with None what the resampler still holds."""
        for resampled in self._resampler.resample(frame) if self._resampler is not None else ():
            self._measure(resampled)

    def _measure(self, frame: AudioFrame) -> None:
        if self._meter is not None and frame.samples:
            self._meter.add(frame)
            self._writer.add_sound(frame)


def _video(container: av.container.InputContainer, video: VideoTrack) -> VideoStream:
    stream = container.streams[video.index] if video.index < len(container.streams) else None
    if not isinstance(stream, VideoStream):
        raise UndecodableError(f"stream {video.index} is no video stream any more")
    stream.thread_type = "AUTO"
    cores = os.cpu_count() or 1
    stream.codec_context.thread_count = max(1, min(_MOST_THREADS, cores // _WORKERS))
    return stream


def choose_sound(container: av.container.InputContainer) -> AudioStream | None:
    """Choose the sound that a player plays: the first default track that can be decoded."""
    streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
    default = av.stream.Disposition.default
    return min(streams, key=lambda each: (not each.disposition & default, each.index), default=None)


def _packets(
    container: av.container.InputContainer, streams: Sequence[Any]
) -> Iterator["Packet[Any]"]:
    """Give the packets of some streams up to the end, or up to where the file is broken."""
    try:
        yield from container.demux(*streams)
    except (av.error.FFmpegError, IndexError):  # see frames.packets
        return
