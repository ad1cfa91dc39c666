"""The first look into a clip: one picture as a proof that it plays, and some time stamps."""

from dataclasses import dataclass

import av
import av.container
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from video_assets.media.errors import UndecodableError
from video_assets.media.frames import decode_packet, drain, first_frame, packets, seek
from video_assets.media.packets import check_index, has_whole_index, sample_index
from video_assets.media.tracks import codec_name

_MOST_SAMPLED = 300
_MOST_SAMPLED_BYTES = 64 * 2**20
_REORDERED = 16


@dataclass
class Sample:
    """The first frame that decodes, and time stamps seen on the way."""

    frame: VideoFrame
    windows: list[list[int]]


def decode_sample(
    container: av.container.InputContainer, stream: VideoStream, size_bytes: int
) -> Sample:
    """Decode the first frame that can be, and note time stamps on the way.

    Raises UndecodableError, saying the codec and how much of the clip is there.
    """
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
    return Sample(frame, windows)


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
    frame, stamps, read_bytes, sure = None, [], 0, None
    for count, packet in enumerate(packets(container, stream), start=1):
        if packet.pts is not None and packet.size:
            stamps.append(packet.pts)
        frame = frame or next(iter(decode_packet(packet)), None)
        read_bytes += packet.size
        if count == _MOST_SAMPLED or read_bytes > _MOST_SAMPLED_BYTES:
            # What comes last may lack earlier stamps that follow in decoding order.
            sure = max(2, len(stamps) - _REORDERED)
            break
    frame = frame or next(iter(drain(stream)), None)
    return frame, sorted(stamps)[:sure]


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
