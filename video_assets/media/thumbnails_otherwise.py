"""Two more ways to stills: OpenCV's reader, and one pass over a clip's keyframes."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from av.video.frame import VideoFrame

from video_assets.media.errors import UndecodableError
from video_assets.media.frames import decode_packet, drain, frame_time, packets
from video_assets.media.picture import fit_size, render
from video_assets.media.probe import MediaFacts
from video_assets.media.regular_file import confirm_readable
from video_assets.media.source import open_media
from video_assets.media.thumbnails import Thumbnail, keep, picture_positions, video_stream


def take_with_opencv(path: Path, facts: MediaFacts, *, count: int, width: int) -> list[Thumbnail]:
    """Take the very frame at each position as OpenCV reads it.

    It decodes from the keyframe on, which takes about nine times as long as the keyframe alone,
    turns the picture upright, and does not tone-map: HDR looks pale.

    Raises MediaError if there is no still at all.
    """
    confirm_readable(path)
    size, video = fit_size(facts.video, width), facts.video
    rate = float(Fraction(video.average_frame_rate or video.frame_rate or 25))
    capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
    stills: dict[int, Thumbnail] = {}
    try:
        for index, at_s in enumerate(picture_positions(facts, count)):
            number = round(at_s * rate)
            capture.set(cv2.CAP_PROP_POS_FRAMES, number)
            was_read, image = capture.read()
            if not was_read:
                continue
            scaled = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            time_s = video.start_time_s - facts.start_time_s + number / rate
            keep(stills, Thumbnail(index, scaled, time_s, number, is_keyframe=False))
    finally:
        capture.release()
    if not stills:
        raise UndecodableError(f"OpenCV decodes no frame at any of {count} positions")
    return list(stills.values())


def take_in_one_pass(path: Path, facts: MediaFacts, *, count: int, width: int) -> list[Thumbnail]:
    """Take the keyframe before each position while reading the clip once, without seeking.

    Needs no index, and reads the whole file; quickest for short clips.

    Raises MediaError if there is no still at all.
    """
    size, video = fit_size(facts.video, width), facts.video
    waiting = [
        (index, video.start_time_s + at_s)
        for index, at_s in enumerate(picture_positions(facts, count))
    ]
    stills: dict[int, Thumbnail] = {}

    def take(index: int, frame: VideoFrame) -> None:
        time_s = frame_time(frame, stream) - facts.start_time_s
        if frame.pts is not None:
            image = render(frame, video, size)
            keep(stills, Thumbnail(index, image, time_s, frame.pts, is_keyframe=True))

    with open_media(path) as container:
        stream = video_stream(container, video)
        stream.codec_context.skip_frame = "NONKEY"
        shown: VideoFrame | None = None
        for packet in packets(container, stream):
            for frame in decode_packet(packet):
                while waiting and shown and frame_time(frame, stream) > waiting[0][1]:
                    take(waiting.pop(0)[0], shown)
                shown = frame
        for frame in drain(stream):
            shown = frame
        if shown is not None:
            for index, _ in waiting:
                take(index, shown)
    if not stills:
        confirm_readable(path)
        raise UndecodableError(f"stream {video.index} has no keyframe that decodes")
    return sorted(stills.values(), key=lambda still: still.index)
