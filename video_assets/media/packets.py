"""What a file's packets say, where its header may say nothing or lie; nothing is decoded here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from math import inf
from statistics import median

import av
import av.container
import av.error
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

TIMED = ("video", "audio")  # subtitles may claim to stay on the screen for hours

_TAIL_S = 3
_MOST_TAIL_PACKETS = 20_000
_MOST_SCANNED_BYTES = 4 * 2**30
_WINDOW = 500  # index entries looked at in the beginning, the middle and the end
_INDEXED = "mov,mp4,m4a,3gp,3g2,mj2"  # the container whose index lists every packet


@dataclass(frozen=True)
class Extent:
    """From when to when packets really exist, on the file's own clock."""

    start_s: float
    end_s: float
    is_estimated: bool = False


@dataclass(frozen=True)
class IndexCheck:
    """How much of what the index lists lies within the file."""

    listed: int
    present: int
    present_s: float


def has_whole_index(container: av.container.InputContainer, stream: VideoStream) -> bool:
    """Tell whether the stream's packets can be known without reading the file."""
    return container.format.name == _INDEXED and 0 < stream.frames <= 2 * len(stream.index_entries)


def count_frames(container: av.container.InputContainer, stream: VideoStream) -> int | None:
    """Give the number of frames if the container knows; a fragmented header names only the first.

    Trusting it would take a long recording for a few frames.
    """
    listed = len(stream.index_entries)
    if container.format.name == _INDEXED and listed > 2 * stream.frames:
        return listed
    return stream.frames or None


def check_index(stream: VideoStream, size_bytes: int) -> IndexCheck:
    """Count the packets that the index lists and that end before the file does."""
    entries = stream.index_entries
    listed = len(entries)
    last = entries[listed - 1]
    present = listed
    if last.pos + last.size > size_bytes:
        present = sum(entry.pos + entry.size <= size_bytes for entry in entries)
    ticks = entries[present - 1].timestamp - entries[0].timestamp if present else 0
    step = ticks / (present - 1) if present > 1 else 0
    return IndexCheck(listed, present, float((ticks + step) * (stream.time_base or 0)))


def sample_index(stream: VideoStream) -> list[list[int]]:
    """Take the time stamps of a few windows of the index."""
    entries = stream.index_entries
    count = len(entries)
    starts = {0, max(0, count // 2 - _WINDOW // 2), max(0, count - _WINDOW)}
    return [
        [entries[at].timestamp for at in range(start, min(count, start + _WINDOW))]
        for start in sorted(starts)
    ]


def is_variable(windows: Iterable[Sequence[int]]) -> bool | None:
    """Decide from time stamps in ticks whether frames come at uneven intervals; None: too few.

    A tick of rounding and a single hiccup are no variable rate: two intervals, and more than
    one in a hundred, must differ from the usual one by over 5 %. A stamp with the next one close
    behind it is none: VP8 and VP9 have pictures that are coded apart and never shown.
    """
    sorted_windows = [sorted(set(window)) for window in windows]
    all_steps = list(chain.from_iterable(_steps(window) for window in sorted_windows))
    if len(all_steps) < 2:
        return None
    close = median(all_steps) / 10
    shown = (_without_close(window, close) for window in sorted_windows)
    steps = list(chain.from_iterable(_steps(window) for window in shown))
    usual = median(steps)
    uneven = sum(abs(step - usual) > max(1, 0.05 * usual) for step in steps)
    return uneven >= 2 and uneven > 0.01 * len(steps)


def _without_close(stamps: Sequence[int], close: float) -> list[int]:
    return [
        stamp for stamp, step in zip(stamps, [*_steps(stamps), inf], strict=False) if step > close
    ]


def _steps(stamps: Sequence[int]) -> Iterator[int]:
    return (after - before for before, after in pairwise(stamps))


def last_moments(container: av.container.InputContainer, claimed_end_s: float) -> Extent | None:
    """Look at the packets near the end; None if the container cannot go there."""
    try:
        container.seek(int(max(0.0, claimed_end_s - _TAIL_S) * av.time_base), backward=True)
    except av.error.FFmpegError:
        return None
    return _extent(container, most_packets=_MOST_TAIL_PACKETS)


def scan(container: av.container.InputContainer, size_bytes: int) -> Extent | None:
    """Read all packets, or up to a limit beyond which the rest is taken to be like them."""
    try:
        container.seek(0, backward=True, any_frame=True)
    except av.error.FFmpegError:
        return None
    return _extent(container, size_bytes=size_bytes)


def _extent(
    container: av.container.InputContainer,
    *,
    most_packets: int | None = None,
    size_bytes: int | None = None,
) -> Extent | None:
    start_s, end_s, read_bytes = None, 0.0, 0
    for count, packet in enumerate(_timed_packets(container)):
        time_s, length_s = _span(packet)
        start_s = time_s if start_s is None else min(start_s, time_s)
        end_s = max(end_s, time_s + length_s)
        read_bytes += packet.size
        if count == most_packets:
            return None
        if size_bytes is not None and read_bytes > _MOST_SCANNED_BYTES:
            seen_s = (end_s - start_s) * size_bytes / read_bytes
            return Extent(start_s, start_s + seen_s, is_estimated=True)
    return None if start_s is None else Extent(start_s, end_s)


def _timed_packets(container: av.container.InputContainer) -> Iterator["Packet[Stream]"]:
    streams = [stream for stream in container.streams if stream.type in TIMED]
    try:
        for packet in container.demux(streams):
            if packet.size and (packet.pts is not None or packet.dts is not None):
                yield packet
    except (av.error.FFmpegError, IndexError):  # it ends in a packet; see frames.packets
        return


def _span(packet: "Packet[Stream]") -> tuple[float, float]:
    moment = packet.pts if packet.pts is not None else packet.dts
    return float((moment or 0) * packet.time_base), float((packet.duration or 0) * packet.time_base)
