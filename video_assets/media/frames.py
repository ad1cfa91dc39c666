"""Pictures out of a stream: the first, the keyframe before a moment, the one shown at it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import dropwhile, islice

import av
import av.container
import av.error
import av.stream
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_MOST_PACKETS = 600  # ten seconds at 60 frames a second: longer than any sane way to a picture
_MOST_PACKET_BYTES = 256 * 2**20
_MOST_KEYFRAMES = 4
_MARKED = 3
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
    """Convert seconds on the file's own clock to the stream's ticks, to the nearest one."""
    return round(Fraction(time_s) / (stream.time_base or Fraction(1, 90_000)))


def frame_time(frame: VideoFrame, stream: VideoStream) -> float:
    """Give a frame's moment in seconds on the file's own clock."""
    # The stream's time base: a frame that was drained from the decoder has none of its own.
    return float((frame.pts or 0) * (stream.time_base or Fraction(1, 90_000)))


def packets(
    container: av.container.InputContainer, stream: VideoStream
) -> Iterator["Packet[VideoStream]"]:
    """Give a stream's packets up to the end, or up to where the file is broken.

    A transport stream can show new streams while it is read. PyAV has no place for them and raises
    IndexError, but only when all packets of the others have been given.
    """
    try:
        yield from container.demux(stream)
    except (av.error.FFmpegError, IndexError):
        return


def decode_packet(packet: "Packet[VideoStream]") -> list[VideoFrame]:
    """Decode one packet; a damaged one gives no frame."""
    return decode_whole(packet) or []


def decode_whole(packet: "Packet[VideoStream]") -> list[VideoFrame] | None:
    """Decode one packet; a damaged one gives None."""
    try:
        return packet.decode()
    except av.error.FFmpegError:
        return None


def drain(stream: VideoStream) -> list[VideoFrame]:
    """Take the frames that the decoder still holds; it must be sought or flushed afterwards."""
    try:
        return stream.codec_context.decode(None)
    except av.error.FFmpegError:
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
    except av.error.FFmpegError:
        try:
            container.seek(stream.start_time or 0, stream=stream, any_frame=True)
        except av.error.FFmpegError:
            return False
    return True


@dataclass(frozen=True)
class Access:
    """Where decoding has to begin to see a moment; without a place to seek to, where it stands."""

    moment: int
    seek_to: int | None = None
    keyframe: int | None = None


def find_access(container: av.container.InputContainer, stream: VideoStream, moment: int) -> Access:
    """Find the keyframe at or before a moment by looking at packets only.

    A container without an index may land too late: then the search goes back in growing steps.
    """
    keyframe = None
    for back_s in (0, 2, 10, 50):
        seek_to = moment - seconds_to_pts(back_s, stream)
        found = _keyframe_before(container, stream, seek_to, moment)
        keyframe = found if found is not None else keyframe
        if keyframe is not None and keyframe <= moment:
            return Access(moment, seek_to, keyframe)
    return Access(moment, stream.start_time or 0, keyframe)


def _keyframe_before(
    container: av.container.InputContainer, stream: VideoStream, seek_to: int, moment: int
) -> int | None:
    """Give the last keyframe up to a moment after seeking, or the first one behind it."""
    if not seek(container, stream, seek_to):
        return None
    is_exact = len(stream.index_entries) >= stream.frames > 0
    latest = None
    for packet in islice(packets(container, stream), _MOST_PACKETS):
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None or not packet.size:
            continue
        if packet.is_keyframe and (latest is None or stamp <= moment):
            latest = stamp
        if latest is not None and (is_exact or stamp > moment):
            break
    return latest


def _from_keyframe(
    container: av.container.InputContainer, stream: VideoStream, access: Access
) -> Iterator["Packet[VideoStream]"]:
    if access.seek_to is not None and not seek(container, stream, access.seek_to):
        return iter(())
    if access.keyframe is None:
        return packets(container, stream)

    def is_before(packet: "Packet[VideoStream]") -> bool:
        stamp = packet.pts if packet.pts is not None else packet.dts
        return not packet.size or not packet.is_keyframe or stamp != access.keyframe

    return dropwhile(is_before, packets(container, stream))


def marks_are_true(container: av.container.InputContainer, stream: VideoStream) -> bool:
    """Tell whether the packets that are marked as keyframes are some; decodes a few.

    Without an index, or with a QuickTime one that names no keyframes, every packet is marked.
    """
    if stream.codec_context.codec.intra_only:
        return True
    first = [packet for packet in islice(packets(container, stream), _MARKED) if packet.size]
    if not all(packet.is_keyframe for packet in first):
        return not _marks_all(stream)
    frames = [frame for packet in first for frame in decode_packet(packet)]
    return all(frame.key_frame for frame in frames)


def _marks_all(stream: VideoStream) -> bool:
    entries = stream.index_entries
    return len(entries) > _MARKED and all(entries[at].is_keyframe for at in range(_MARKED))


def be_strict(stream: VideoStream) -> bool:
    """Let a damaged frame give nothing, where it would give a patched one; false: cannot tell.

    Other decoders than these two refuse sound frames then. Their slice threads would swallow
    the error.
    """
    if stream.codec_context.name not in ("h264", "hevc"):
        return False
    stream.codec_context.options = {"err_detect": "explode"}
    stream.codec_context.thread_count = 1
    return True


def keyframe_of(
    container: av.container.InputContainer, stream: VideoStream, access: Access, *, interlaced: bool
) -> VideoFrame | None:
    """Decode the keyframe before a moment and only it, or one of the next if it is damaged.

    interlaced  two packets may make one frame, so the next one is decoded too
    """
    source = _from_keyframe(container, stream, access)
    keyframes = (packet for packet in islice(source, _MOST_PACKETS) if packet.is_keyframe)
    for packet in islice(keyframes, _MOST_KEYFRAMES):
        frames = decode_whole(packet)
        if interlaced and frames == []:
            frames = [frame for after in islice(source, 1) for frame in decode_packet(after)]
        # Draining hands the frame over at once, where decoding on would read a reorder delay more.
        if frames is not None and (frame := _first_whole([*frames, *drain(stream)], access)):
            return frame
        stream.codec_context.flush_buffers()
    return None


def _first_whole(frames: Sequence[VideoFrame], access: Access) -> VideoFrame | None:
    return next((frame for frame in frames if _is_whole(frame, access)), None)


def _is_whole(frame: VideoFrame, access: Access) -> bool:
    """Tell a good frame from one that is damaged or that needs frames before the keyframe."""
    if frame.is_corrupt or frame.pts is None:
        return False
    return access.keyframe is None or frame.pts >= access.keyframe


def frames_shown(
    container: av.container.InputContainer,
    stream: VideoStream,
    accesses: Sequence[Access],
    *,
    strict: bool = False,
) -> Iterator[tuple[Access, VideoFrame]]:
    """Decode the frames shown at ascending moments, in one pass from the first one's keyframe.

    The last frame stands for every moment after it. Damaged frames and those without a time stamp
    are passed over.

    strict  what follows a damaged frame refers to it, so it is passed over up to the next keyframe
    """
    waiting, shown = list(accesses), None
    try:
        for frame in _decode_sparing(container, stream, waiting, strict=strict):
            while waiting and shown is not None and (frame.pts or 0) > waiting[0].moment:
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
    container: av.container.InputContainer,
    stream: VideoStream,
    waiting: list[Access],
    *,
    strict: bool,
) -> Iterator[VideoFrame]:
    if not waiting:
        return
    first, is_damaged = waiting[0], False
    context = stream.codec_context
    margin = seconds_to_pts(_REORDERED_S, stream)
    for packet in _from_keyframe(container, stream, first):
        moment = packet.pts if packet.pts is not None else packet.dts
        is_far = moment is not None and bool(waiting) and moment + margin < waiting[0].moment
        context.skip_frame = "NONREF" if is_far else "DEFAULT"
        frames = decode_whole(packet)
        is_damaged = is_damaged or (frames is None and strict)
        for frame in frames or []:
            is_damaged = is_damaged and not frame.key_frame
            if not is_damaged and _is_whole(frame, first):
                yield frame
    if not is_damaged:
        yield from (frame for frame in drain(stream) if _is_whole(frame, first))
