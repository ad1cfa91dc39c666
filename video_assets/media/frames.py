"""Pictures out of a stream: the first, the keyframe before a moment, the one shown at it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import av
import av.container
import av.stream
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_MOST_PACKETS = 600  # ten seconds at 60 frames a second: longer than any sane way to a picture
_MOST_PACKET_BYTES = 256 * 2**20
# Before a frame is asked for, frames that no other refers to are skipped, but not so close to it.
_REORDERED_S = 0.5


def choose_video(container: av.container.InputContainer) -> VideoStream | None:
    """Choose the stream that a player shows: the first default one that is no still or cover."""
    streams = [stream for stream in container.streams.video if not is_cover(stream)]
    return min(streams, key=_player_order, default=None)


def is_cover(stream: VideoStream) -> bool:
    """Tell cover art and other stills that only accompany a recording."""
    stills = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    return bool(stream.disposition & stills)


def _player_order(stream: VideoStream) -> tuple[bool, bool, int]:
    is_default = bool(stream.disposition & av.stream.Disposition.default)
    return (stream.codec_context is None, not is_default, stream.index)


def seconds_to_pts(time_s: Fraction | float, stream: VideoStream) -> int:
    """Convert seconds on the file's own clock to the stream's ticks, rounded down."""
    return int(Fraction(time_s) // (stream.time_base or Fraction(1, 90_000)))


def frame_time(frame: VideoFrame, stream: VideoStream) -> float:
    """Give a frame's moment in seconds on the file's own clock."""
    # The stream's time base: a frame that was drained from the decoder has none of its own.
    return float((frame.pts or 0) * (stream.time_base or Fraction(1, 90_000)))


def packets(container: av.container.InputContainer, stream: VideoStream) -> Iterator["Packet[VideoStream]"]:
    """Give a stream's packets up to the end, or up to where the file is broken."""
    try:
        yield from container.demux(stream)
    except av.FFmpegError:
        return


def decode_packet(packet: "Packet[VideoStream]") -> list[VideoFrame]:
    """Decode one packet; a damaged one gives no frame."""
    try:
        return [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
    except av.FFmpegError:
        return []


def drain(stream: VideoStream) -> list[VideoFrame]:
    """Take the frames that the decoder still holds; it must be sought or flushed afterwards."""
    try:
        return stream.codec_context.decode(None)
    except av.FFmpegError:
        return []


def first_frame(container: av.container.InputContainer, stream: VideoStream) -> VideoFrame | None:
    """Decode on from where the container stands until one frame comes out, within limits."""
    read_bytes = 0
    for packet in islice(packets(container, stream), _MOST_PACKETS):
        if frames := decode_packet(packet):
            return frames[0]
        read_bytes += packet.size
        if read_bytes > _MOST_PACKET_BYTES:
            break
    return next(iter(drain(stream)), None)


def seek(container: av.container.InputContainer, stream: VideoStream, pts: int) -> bool:
    """Go to the keyframe at or before a moment, or at least to the file's beginning."""
    try:
        container.seek(pts, stream=stream, backward=True)
    except av.FFmpegError:
        try:
            container.seek(stream.start_time or 0, stream=stream, any_frame=True)
        except av.FFmpegError:
            return False
    return True


@dataclass(frozen=True)
class Access:
    """Where decoding has to begin to see a moment."""

    moment: int
    seek_to: int
    keyframe: int | None


def find_access(
    container: av.container.InputContainer, stream: VideoStream, moment: int
) -> Access:
    """Find the keyframe at or before a moment by looking at packets only.

    A stream without an index may land too late: then the search goes back in growing steps.
    """
    keyframe = None
    for back_s in (0, 2, 10, 50):
        seek_to = moment - seconds_to_pts(back_s, stream)
        keyframe = _next_keyframe(container, stream) if seek(container, stream, seek_to) else None
        if keyframe is not None and keyframe <= moment:
            return Access(moment, seek_to, keyframe)
    return Access(moment, stream.start_time or 0, keyframe)


def _next_keyframe(container: av.container.InputContainer, stream: VideoStream) -> int | None:
    for packet in islice(packets(container, stream), _MOST_PACKETS):
        if packet.size and packet.is_keyframe:
            return packet.pts if packet.pts is not None else packet.dts
    return None


def keyframe_of(
    container: av.container.InputContainer, stream: VideoStream, access: Access, *, interlaced: bool
) -> VideoFrame | None:
    """Decode the keyframe before a moment, and only it.

    interlaced  two packets may make one frame, so the next one is decoded too
    """
    if not seek(container, stream, access.seek_to):
        return None
    source = packets(container, stream)
    for packet in islice(source, _MOST_PACKETS):
        if packet.size == 0 or not packet.is_keyframe:
            continue
        frames = decode_packet(packet)
        if not frames and interlaced:
            frames = [f for after in islice(source, 1) for f in decode_packet(after)]
        # Draining hands the frame over at once, where decoding on would read a reorder delay more.
        if frames := [frame for frame in frames or drain(stream) if not frame.is_corrupt]:
            return frames[0]
        break
    # Some recovery points show nothing by themselves: go back and decode on.
    return first_frame(container, stream) if seek(container, stream, access.seek_to) else None


def frames_shown(
    container: av.container.InputContainer, stream: VideoStream, accesses: Sequence[Access]
) -> Iterator[tuple[Access, VideoFrame]]:
    """Decode the frames shown at ascending moments, in one pass from the first one's keyframe.

    The last frame stands for every moment after it. Corrupt frames, and frames without a time
    stamp, are passed over.
    """
    if not accesses or not seek(container, stream, accesses[0].seek_to):
        return
    waiting, shown = list(accesses), None
    try:
        for frame in _decode_sparing(container, stream, waiting):
            if frame.pts is None or frame.is_corrupt:
                continue
            while waiting and shown is not None and frame.pts > waiting[0].moment:
                yield waiting.pop(0), shown
            if not waiting:
                return
            shown = frame
    finally:
        stream.codec_context.skip_frame = "DEFAULT"
    if shown is not None:
        for access in waiting:
            yield access, shown


def _decode_sparing(
    container: av.container.InputContainer, stream: VideoStream, waiting: list[Access]
) -> Iterator[VideoFrame]:
    context = stream.codec_context
    margin = seconds_to_pts(_REORDERED_S, stream)
    for packet in packets(container, stream):
        moment = packet.pts if packet.pts is not None else packet.dts
        is_far = moment is not None and bool(waiting) and moment + margin < waiting[0].moment
        context.skip_frame = "NONREF" if is_far else "DEFAULT"
        yield from decode_packet(packet)
    yield from drain(stream)
