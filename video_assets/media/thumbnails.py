"""Stills of a clip at even distances, from one pass over its source."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Literal

import av.container
import cv2
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from video_assets.media.errors import UndecodableError
from video_assets.media.frames import (
    Access,
    be_strict,
    find_access,
    first_frame,
    frame_time,
    frames_shown,
    keyframe_of,
    marks_are_true,
    seconds_to_pts,
)
from video_assets.media.picture import Image, fit_size, render
from video_assets.media.probe import MediaFacts
from video_assets.media.regular_file import confirm_readable
from video_assets.media.source import open_media
from video_assets.media.tracks import VideoTrack

Method = Literal["keyframe", "exact"]


@dataclass(frozen=True)
class Thumbnail:
    """One still.

    index   number of its position, from 0; a position without a picture leaves a gap
    time_s  when the clip shows it, counted from the clip's start
    serves  how many positions show it: a short clip, or a slow one, has fewer pictures than those
    """

    index: int
    image: Image
    time_s: float
    pts: int
    is_keyframe: bool
    serves: int = 1


@dataclass(frozen=True)
class _Attempt:
    is_strict: bool
    is_sought: bool


# A patched picture is better than none, but only than none; so is reading all of a clip that
# cannot be sought, or whose time stamps are others after seeking.
_ATTEMPTS = (
    _Attempt(is_strict=True, is_sought=True),
    _Attempt(is_strict=False, is_sought=True),
    _Attempt(is_strict=False, is_sought=False),
)


def _attempts(path: Path, facts: MediaFacts) -> tuple[_Attempt, ...]:
    with open_media(path) as container:
        if marks_are_true(container, video_stream(container, facts.video)):
            return _ATTEMPTS
    return tuple(attempt for attempt in _ATTEMPTS if not attempt.is_sought)


def positions(duration_s: float, count: int) -> list[float]:
    """Give moments at even distances, never the first or the last of the clip."""
    return [duration_s * number / (count + 1) for number in range(1, count + 1)]


def take_thumbnails(
    path: Path, facts: MediaFacts, *, count: int, width: int, method: Method
) -> list[Thumbnail]:
    """Take stills that are upright, in SDR, at most so wide and never enlarged.

    method  keyframe: the keyframe before each position, which costs one decoded frame. Positions
            that share a keyframe are decoded exactly, so that they do not show the same picture.
            exact: the very frame that is shown at each position.

    A clip with fewer frames than positions gives fewer stills.

    Raises MediaError, UndecodableError if there is no still at all.
    """
    taken: dict[int, Thumbnail] = {}
    for attempt in _attempts(path, facts):
        for still in _take(path, facts, count, width, method, attempt):
            keep(taken, still)
        if taken:
            break
    if not taken and (still := _first_still(path, facts, width)):
        return [still]
    if not taken:
        confirm_readable(path)
        raise UndecodableError(
            f"stream {facts.video.index} is {facts.video.codec} with no decodable frame at any of "
            f"{count} positions; copy it from the card again"
        )
    return sorted(taken.values(), key=lambda still: still.index)


def _take(
    path: Path,
    facts: MediaFacts,
    count: int,
    width: int,
    method: Method,
    attempt: _Attempt,
) -> Iterator[Thumbnail]:
    video = facts.video
    size = fit_size(video, width)
    with open_media(path) as container:
        stream = video_stream(container, video)
        is_strict = attempt.is_strict and be_strict(stream)
        wanted = [
            (index, find_access(container, stream, at) if attempt.is_sought else Access(at))
            for index, at in enumerate(_moments(facts, stream, count))
        ]
        for index, frame, is_keyframe in _frames(
            container, stream, wanted, video, method, is_strict=is_strict
        ):
            yield Thumbnail(
                index=index,
                image=render(frame, video, size),
                time_s=frame_time(frame, stream) - facts.start_time_s,
                pts=frame.pts or 0,
                is_keyframe=is_keyframe or frame.key_frame,
            )


def _first_still(path: Path, facts: MediaFacts, width: int) -> Thumbnail | None:
    """Take the first picture of a stream without any time stamps, which has no positions."""
    with open_media(path) as container:
        frame = first_frame(container, video_stream(container, facts.video))
        if frame is None or frame.pts is not None:
            return None
        image = render(frame, facts.video, fit_size(facts.video, width))
        return Thumbnail(index=0, image=image, time_s=0.0, pts=0, is_keyframe=frame.key_frame)


def keep(taken: dict[int, Thumbnail], still: Thumbnail) -> None:
    """Add a still, or count one more position for the one that shows the same picture."""
    before = taken.get(still.pts)
    taken[still.pts] = replace(before, serves=before.serves + 1) if before else still


def encode_jpeg(image: Image, quality: int) -> bytes:
    """Encode a picture; 100 is the best quality."""
    encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise ValueError(f"a picture of {image.shape} has no JPEG form")
    return data.tobytes()


def video_stream(container: av.container.InputContainer, video: VideoTrack) -> VideoStream:
    """Find the video stream that was probed.

    Raises UndecodableError if it is none any more.
    """
    stream = container.streams[video.index] if video.index < len(container.streams) else None
    if not isinstance(stream, VideoStream):
        raise UndecodableError(f"stream {video.index} is no video stream any more")
    stream.thread_type = "SLICE"  # frame threads hold a picture per core, which hurts at 8K
    return stream


def picture_positions(facts: MediaFacts, count: int) -> list[float]:
    """Give moments at even distances from the first picture on."""
    return positions(facts.video.duration_s or facts.duration_s or 0.0, count)


def _moments(facts: MediaFacts, stream: VideoStream, count: int) -> list[int]:
    begin_s = facts.video.start_time_s
    return [seconds_to_pts(begin_s + at_s, stream) for at_s in picture_positions(facts, count)]


def _frames(
    container: av.container.InputContainer,
    stream: VideoStream,
    wanted: Sequence[tuple[int, Access]],
    video: VideoTrack,
    method: Method,
    *,
    is_strict: bool,
) -> Iterator[tuple[int, VideoFrame, bool]]:
    for is_alone, members in _plan(wanted):
        if method == "keyframe" and is_alone:
            index, access = members[0]
            frame = keyframe_of(container, stream, access, interlaced=video.is_interlaced)
            if frame is not None:
                yield index, frame, True
                continue
        # Some recovery points show nothing by themselves.
        yield from _exact_frames(container, stream, members, is_strict=is_strict)


def _plan(wanted: Sequence[tuple[int, Access]]) -> Iterator[tuple[bool, list[tuple[int, Access]]]]:
    """Group positions by keyframe, and say which are served by theirs alone.

    One whose keyframe follows closely on what is shown for the position before is not.
    """
    step = wanted[1][1].moment - wanted[0][1].moment if len(wanted) > 1 else 0
    shown = None
    for keyframe, group in groupby(wanted, key=lambda pair: pair[1].keyframe):
        members = list(group)
        is_alone = len(members) == 1 and keyframe is not None
        if is_alone and shown is not None and keyframe is not None:
            is_alone = keyframe - shown >= step / 4
        shown = keyframe if is_alone else members[-1][1].moment
        yield is_alone, members


def _exact_frames(
    container: av.container.InputContainer,
    stream: VideoStream,
    members: Sequence[tuple[int, Access]],
    *,
    is_strict: bool,
) -> Iterator[tuple[int, VideoFrame, bool]]:
    shown = frames_shown(container, stream, [access for _, access in members], strict=is_strict)
    for (index, _), (_, frame) in zip(members, shown, strict=False):
        yield index, frame, False
