"""Frames to show a model in place of a clip: which, and as what pictures."""

import heapq
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import av.container
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from video_assets.media.errors import UndecodableError
from video_assets.media.frames import (
    choose_video,
    find_access,
    frame_time,
    frames_shown,
    seconds_to_pts,
)
from video_assets.media.source import open_media
from video_assets.media.thumbnails import encode_jpeg

QUALITY = 80
EVERY_S = 2.0  # a longer scene is shown more than once, so that it can be told what changes in it

Span = tuple[float, float]


@dataclass(frozen=True)
class ShownFrame:
    """One picture, and when the clip shows it.

    time_s  of the very frame, from the clip's start
    jpeg    of so many pixels
    """

    time_s: float
    jpeg: bytes
    width: int
    height: int

    @property
    def base64(self) -> str:
        """The picture as text, for JSON."""
        return b64encode(self.jpeg).decode()


def choose_moments(scenes: Sequence[Span], most: int) -> list[float]:
    """Choose at most so many moments: the middle of each scene, and more of long ones.

    Where there are more scenes than that, some at even distances stand for all.
    """
    if len(scenes) >= most:
        places = ((2 * number + 1) * len(scenes) // (2 * most) for number in range(most))
        scenes = [scenes[place] for place in places]
    counts = _share_out(scenes, most)
    return [
        begin + (end - begin) * (number + 0.5) / count
        for (begin, end), count in zip(scenes, counts, strict=True)
        for number in range(count)
    ]


def _share_out(scenes: Sequence[Span], most: int) -> list[int]:
    """Give each scene one moment, and what is left to those that are longest between theirs."""
    counts = [1] * len(scenes)
    gaps = [(begin - end, place) for place, (begin, end) in enumerate(scenes)]
    heapq.heapify(gaps)
    for _ in range(most - len(scenes)):
        gap, place = gaps[0]
        if -gap <= EVERY_S:
            break
        counts[place] += 1
        begin, end = scenes[place]
        heapq.heapreplace(gaps, ((begin - end) / counts[place], place))
    return counts


def take_frames(path: Path, moments: Sequence[float], longest_px: int) -> list[ShownFrame]:
    """Take the pictures of a proxy that are shown at ascending moments, each one once.

    longest_px  of a picture's longer side; none is enlarged

    Only the stretch from the keyframe before each moment is decoded.

    Raises UndecodableError if there is none.
    """
    with open_media(path) as container:
        stream = choose_video(container)
        if stream is None:
            raise UndecodableError("the proxy has no picture; make it again")
        found = {frame.pts: frame for frame in _frames_at(container, stream, moments)}
        pictures = [_picture(frame, stream, longest_px) for frame in found.values()]
    if not pictures:
        raise UndecodableError("no picture of the proxy decodes; make it again")
    return pictures


def _frames_at(
    container: av.container.InputContainer, stream: VideoStream, moments: Sequence[float]
) -> Iterator[VideoFrame]:
    accesses = [
        find_access(container, stream, seconds_to_pts(max(0.0, moment), stream))
        for moment in moments
    ]
    for _, together in groupby(accesses, key=lambda access: access.keyframe):
        for _, frame in frames_shown(container, stream, list(together)):
            yield frame


def _picture(frame: VideoFrame, stream: VideoStream, longest_px: int) -> ShownFrame:
    scale = min(1.0, longest_px / max(frame.width, frame.height))
    width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
    small = frame.reformat(width=width, height=height, format="bgr24", interpolation="AREA")
    image = np.asarray(small.to_ndarray(), np.uint8)
    return ShownFrame(frame_time(frame, stream), encode_jpeg(image, QUALITY), width, height)
