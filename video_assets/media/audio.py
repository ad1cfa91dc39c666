"""The sound of a clip as speech models take it: 16 kHz, mono, on the clip's own clock.

Only sound packets are read and decoded; encoders' priming and what an edit list hides is left
out by the decoder, which also moves the time stamps.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from numpy.typing import NDArray

from video_assets.media.audio_tracks import choose_tracks, name_tracks
from video_assets.media.loudness import known_layout
from video_assets.media.regular_file import confirm_readable
from video_assets.media.source import open_media
from video_assets.media.tracks import language

RATE = 16_000
Samples = NDArray[np.int16]

_HOLE_S = 0.2  # shorter ones are rounded time stamps
_LONGEST_HOLE_S = 3600.0
_BLOCK = RATE
_LONGEST_WAIT = 60 * RATE


@dataclass
class Sound:
    """The chosen sound of one clip. Its numbers are known after the blocks were read."""

    tracks: str | None = None
    language: str | None = None
    start_s: float | None = None
    """When the sound begins, from the clip's start."""
    samples: int = 0
    damaged: int = 0
    peak: int = 0


def read_sound(
    path: Path, clip_start_s: float, wanted_language: str | None, sound: Sound
) -> Iterator[Samples]:
    """Decode the chosen sound block by block, and note in `sound` what it is.

    Raises UnreadableError if the file cannot be read.
    """
    with open_media(path) as container:
        streams = choose_tracks(container, wanted_language)
        if not streams:
            return
        sound.tracks, sound.language = name_tracks(streams), language(streams[0])
        for block in _mix(container, streams, clip_start_s, sound):
            sound.samples += len(block)
            sound.peak = max(sound.peak, int(np.abs(block.astype(np.int32)).max(initial=0)))
            yield block
        if sound.damaged:
            confirm_readable(path)


@dataclass
class _Track:
    """One track on its way to 16 kHz mono."""

    stream: AudioStream
    parts: list[Samples] = field(default_factory=list)
    waiting: int = 0
    taken: int = 0
    """Samples given so far, silence for holes included."""
    resampler: av.AudioResampler | None = None
    setup: tuple[Any, ...] = ()

    def add(self, frame: AudioFrame, origin_s: float) -> None:
        self._rebuild(frame)
        self._fill_hole(frame, origin_s)
        frame.pts = None
        self._take(frame)

    def flush(self) -> None:
        if self.resampler is not None:
            self._take(None)
            self.resampler = None

    def pop(self, count: int) -> NDArray[np.int32]:
        """Give the next samples, followed by silence where there are not as many."""
        ready = np.concatenate(self.parts) if self.parts else np.zeros(0, np.int16)
        self.parts = [ready[count:]]
        self.waiting = len(self.parts[0])
        given = np.zeros(count, np.int32)
        given[: min(count, len(ready))] = ready[:count]
        self.taken += max(0, count - len(ready))
        return given

    def _take(self, frame: AudioFrame | None) -> None:
        if self.resampler is not None:
            for made in self.resampler.resample(frame):
                self._append(made.to_ndarray().reshape(-1).astype(np.int16, copy=False))

    def _append(self, samples: Samples) -> None:
        self.parts.append(samples)
        self.waiting += len(samples)
        self.taken += len(samples)

    def _rebuild(self, frame: AudioFrame) -> None:
        """Follow a stream that changes its layout or rate on the way."""
        setup = (frame.format.name, frame.layout.name, frame.sample_rate)
        if setup != self.setup:
            self.flush()
            self.setup, self.resampler = setup, _resampler(frame)

    def _fill_hole(self, frame: AudioFrame, origin_s: float) -> None:
        """Keep the sound on the clip's clock where packets are missing."""
        at_s = _moment(frame, self.stream)
        if at_s is None:
            return
        hole_s = at_s - origin_s - self.taken / RATE
        if (_HOLE_S if self.taken else 0) < hole_s <= _LONGEST_HOLE_S:
            self._append(np.zeros(round(hole_s * RATE), np.int16))


class _MonoResampler:
    """Names the speakers of an unnamed layout first: else there is no way to mix them."""

    def __init__(self, frame: AudioFrame) -> None:
        layout = known_layout(frame.layout)
        is_named = layout.name == frame.layout.name
        self._first = None if is_named else av.AudioResampler("fltp", layout.name, frame.rate)
        self._mono = av.AudioResampler("s16", "mono", RATE)

    def resample(self, frame: AudioFrame | None) -> Iterator[AudioFrame]:
        if self._first is None:
            yield from self._mono.resample(frame)
            return
        for named in self._first.resample(frame):
            yield from self._mono.resample(named)
        if frame is None:
            yield from self._mono.resample(None)


def _resampler(frame: AudioFrame) -> Any:
    return _MonoResampler(frame)


def _mix(
    container: Any, streams: list[AudioStream], clip_start_s: float, sound: Sound
) -> Iterator[Samples]:
    tracks = {stream.index: _Track(stream) for stream in streams}
    origin_s: float | None = None
    for packet in _packets(container, streams):
        track = tracks[packet.stream.index]
        for frame in _decode(packet, sound):
            if origin_s is None:
                origin_s = _moment(frame, track.stream) or 0.0
                sound.start_s = origin_s - clip_start_s
            track.add(frame, origin_s)
        while (count := _ready(tracks.values())) >= _BLOCK:
            yield _added([track.pop(count) for track in tracks.values()])
    for track in tracks.values():
        track.flush()
    if count := max(track.waiting for track in tracks.values()):
        yield _added([track.pop(count) for track in tracks.values()])


def _ready(tracks: Collection[_Track]) -> int:
    """How much all tracks have; one that stays away is not waited for."""
    waiting = [track.waiting for track in tracks]
    return max(min(waiting), max(waiting) - _LONGEST_WAIT)


def _added(parts: list[NDArray[np.int32]]) -> Samples:
    """Add microphones so that one speaking alone stays loud."""
    total = sum(part / np.sqrt(len(parts)) for part in parts)
    return np.clip(total, -32768, 32767).astype(np.int16)


def _packets(container: Any, streams: list[AudioStream]) -> Iterator["Packet[Any]"]:
    try:
        yield from container.demux(*streams)
    except (av.error.FFmpegError, IndexError):  # it ends in a packet; see frames.packets
        return


def _decode(packet: "Packet[Any]", sound: Sound) -> list[AudioFrame]:
    try:
        return packet.decode()
    except av.error.FFmpegError:
        if sound.start_s is not None:  # a recording may be cut out in the middle of a packet
            sound.damaged += 1
        return []


def _moment(frame: AudioFrame, stream: AudioStream) -> float | None:
    if frame.pts is None or stream.time_base is None:
        return None
    return float(frame.pts * stream.time_base)
