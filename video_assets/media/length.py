"""How long a clip is: what its header claims, held against what the file holds."""

from dataclasses import dataclass
from typing import Literal

import av
import av.container
from av.video.stream import VideoStream

from video_assets.media.packets import Extent, check_index, has_whole_index, last_moments, scan
from video_assets.media.tracks import stream_duration

DurationSource = Literal["container", "stream", "index", "packets", "estimated"]

# FFmpeg measures these from their last packets itself.
_MEASURED_BY_FFMPEG = {"mpegts"}
# Coded pictures without a container, of which FFmpeg knows neither a rate nor a length.
BARE_STREAMS = {"mpegvideo", "m4v", "h263", "h264", "hevc", "vc1", "obu"}
_KNOWS_ONE_LENGTH = {"asf", "asf_o"}  # the file's, which FFmpeg gives to every stream
_HAS_NO_HEADER = {"mpeg", *BARE_STREAMS}
_DISTANT_S = 10_000_000.0  # no clip reaches there, so a container goes to its last keyframe


@dataclass(frozen=True)
class Length:
    """A length and where it is from."""

    seconds: float | None
    source: DurationSource | None


def measure_length(
    container: av.container.InputContainer,
    stream: VideoStream,
    size_bytes: int,
    warnings: list[str],
) -> tuple[Length, float | None]:
    """Give the clip's length, claimed by the header or measured, and its picture's where known."""
    claimed = _claimed_length(container)
    video_s = None if container.format.name in _KNOWS_ONE_LENGTH else stream_duration(stream)
    if has_whole_index(container, stream):
        index = check_index(stream, size_bytes)
        if index.present < index.listed:
            warnings.append(
                f"the header lists {index.listed} frames, but the file ends after "
                f"{index.present} of them; copy it from the card again"
            )
            return Length(index.present_s, "index"), index.present_s
        return claimed, video_s
    if container.format.name in _MEASURED_BY_FFMPEG and claimed.seconds:
        return claimed, video_s
    start_s = (container.start_time or 0) / av.time_base
    found = _find_end(container, start_s, claimed.seconds, size_bytes)
    if found is None or found.end_s <= start_s:  # a seek can land on another clock than the start
        return claimed, video_s
    measured = Length(found.end_s - start_s, "estimated" if found.is_estimated else "packets")
    if container.format.name in _HAS_NO_HEADER:
        return measured, None
    if claimed.seconds is None:
        warnings.append("the header has no duration; it was measured")
        return measured, video_s
    if found.end_s >= start_s + 0.95 * claimed.seconds - 1:
        return claimed, video_s
    warnings.append(
        f"the header claims {claimed.seconds:.1f} s, but the file holds {measured.seconds:.1f} s"
    )
    return measured, min(video_s, found.end_s - start_s) if video_s else None


def _claimed_length(container: av.container.InputContainer) -> Length:
    if container.duration and container.duration > 0:
        return Length(container.duration / av.time_base, "container")
    lengths = (stream_duration(s) for s in container.streams if s.type in ("video", "audio"))
    longest = max((length for length in lengths if length), default=None)
    return Length(longest, "stream" if longest else None)


def _find_end(
    container: av.container.InputContainer,
    start_s: float,
    claimed_s: float | None,
    size_bytes: int,
) -> Extent | None:
    tail = last_moments(container, start_s + claimed_s if claimed_s else _DISTANT_S)
    if tail is None or (claimed_s is None and tail.end_s <= start_s):
        return scan(container, size_bytes)
    return tail
