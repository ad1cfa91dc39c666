"""One decoded frame as a person should see it: one field, right colours, upright, in SDR."""

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from video_assets.media.color import HLG, PQ, choose_matrix, choose_range
from video_assets.media.tonemap import decode_rgb, tone_map
from video_assets.media.tracks import VideoTrack

Image = NDArray[np.uint8]

_SWS_MATRICES = {
    **{"bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 5, "smpte240m": 7},
    **{"bt2020nc": 9, "bt2020c": 9},
}
_FULL_RANGE = 2
_LIMITED_RANGE = 1
_TURNS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


def fit_size(video: VideoTrack, width: int) -> tuple[int, int]:
    """Give the even size of a picture that is at most so wide and never enlarged."""
    scale = min(1.0, width / video.display_width)
    return _even(video.display_width * scale), _even(video.display_height * scale)


def proxy_size(video: VideoTrack, shorter_side: int) -> tuple[int, int]:
    """Give the even size of a picture whose shorter side is at most so long, never enlarged."""
    scale = min(1.0, shorter_side / min(video.display_width, video.display_height))
    return _even(video.display_width * scale), _even(video.display_height * scale)


def _even(length: float) -> int:
    return max(2, int(length + 1e-6) // 2 * 2)


def is_hdr(video: VideoTrack) -> bool:
    """Tell whether the picture is coded for brighter displays than SDR ones."""
    return video.color_transfer in (PQ, HLG) or is_dolby_only(video)


def is_dolby_only(video: VideoTrack) -> bool:
    """Tell Dolby Vision without a picture that others can show (profile 5: IPT, not YCbCr)."""
    return video.is_dolby_vision and video.color_transfer is None


def warnings_about(video: VideoTrack, what: str) -> tuple[str, ...]:
    """Say where what is rendered cannot be what the camera saw; `what` is it: `stills are`."""
    if is_dolby_only(video):
        return (f"Dolby Vision profile 5 has no picture that others can show: {what} grey",)
    return ()


def render(frame: VideoFrame, video: VideoTrack, size: tuple[int, int]) -> Image:
    """Render a decoded frame as BGR for an SDR display.

    size  width and height as displayed, after turning

    Of Dolby Vision profile 5 only the brightness is shown, in grey.
    """
    if frame.interlaced_frame or video.is_interlaced:
        frame = first_field(frame, bottom_first=bool(video.is_bottom_first))
    turned = video.rotation in (90, 270)
    stored = (size[1], size[0]) if turned else size
    if _is_wide(video):
        image = _render_wide(frame, video, stored)
    else:
        image = _render_sdr(frame, video, stored)
    if video.is_mirrored:
        image = cv2.flip(image, 0)
    turn = _TURNS.get(video.rotation)
    return np.asarray(image if turn is None else cv2.rotate(image, turn), np.uint8)


def render_yuv(frame: VideoFrame, video: VideoTrack, size: tuple[int, int]) -> VideoFrame:
    """Render a decoded frame as 8-bit 4:2:0 in BT.709, for an SDR encoder.

    size  width and height as displayed, after turning; both even
    """
    is_plain = not (video.rotation or video.is_mirrored or video.is_interlaced)
    if is_plain and not frame.interlaced_frame and not _is_wide(video):
        return _scale(
            frame,
            video,
            size,
            "yuv420p",
            dst_colorspace=_SWS_MATRICES["bt709"],
            dst_color_range=_LIMITED_RANGE,
        )
    image = av.VideoFrame.from_ndarray(np.ascontiguousarray(render(frame, video, size)), "bgr24")
    return image.reformat(
        format="yuv420p", dst_colorspace=_SWS_MATRICES["bt709"], dst_color_range=_LIMITED_RANGE
    )


def _is_wide(video: VideoTrack) -> bool:
    return is_hdr(video) or video.color_primaries == "bt2020"


def first_field(frame: VideoFrame, *, bottom_first: bool) -> VideoFrame:
    """Take one field of an interlaced frame, so that motion does not show as combs.

    Half as high; scaling brings the height back. Chroma lines belong to fields as well.
    """
    parity = int(bottom_first)
    field = av.VideoFrame(frame.width, frame.height // 2, frame.format.name)
    for source, goal in zip(frame.planes, field.planes, strict=True):
        lines = np.frombuffer(memoryview(source), np.uint8).reshape(-1, source.line_size)[parity::2]
        kept = np.zeros((goal.buffer_size // goal.line_size, goal.line_size), np.uint8)
        height, width = min(len(lines), len(kept)), min(source.line_size, goal.line_size)
        kept[:height, :width] = lines[:height, :width]
        goal.update(kept.tobytes())
    for fact in ("colorspace", "color_range", "color_trc", "color_primaries"):
        setattr(field, fact, getattr(frame, fact))
    return field


def _render_sdr(frame: VideoFrame, video: VideoTrack, size: tuple[int, int]) -> Image:
    scaled = _scale(frame, video, size, "bgr24", dst_color_range=_FULL_RANGE)
    return np.asarray(scaled.to_ndarray(), np.uint8)


def _scale(
    frame: VideoFrame, video: VideoTrack, size: tuple[int, int], form: str, **goal: int
) -> VideoFrame:
    """Scale and convert by the matrix and range that the clip declares, or by the usual ones."""
    matrix = choose_matrix(
        video.color_matrix, video.color_primaries, video.display_width, video.display_height
    )
    return frame.reformat(
        width=size[0],
        height=size[1],
        format=form,
        src_colorspace=_SWS_MATRICES[matrix],
        src_color_range=_swscale_range(video),
        interpolation=_interpolation(frame, size),
        threads=1,  # starting threads costs more than they save on one small picture
        **goal,
    )


def _render_wide(frame: VideoFrame, video: VideoTrack, size: tuple[int, int]) -> Image:
    # Only scaled and widened here: the colours are ours to convert.
    scaled = frame.reformat(
        width=size[0],
        height=size[1],
        format="yuv444p16le",
        src_colorspace=9,
        dst_colorspace=9,
        src_color_range=_swscale_range(video),
        dst_color_range=_swscale_range(video),
        interpolation=_interpolation(frame, size),
    )
    planes = np.stack([_plane(scaled, number) for number in range(3)], axis=-1)
    transfer = video.color_transfer
    if is_dolby_only(video):
        planes[..., 1:] = 1 << 15
        transfer = PQ
    matrix = choose_matrix(video.color_matrix, "bt2020", *size)
    rgb = decode_rgb(planes, matrix, choose_range(video.color_range, video.pixel_format))
    return tone_map(rgb, transfer, video.color_primaries)[..., ::-1]


def _plane(frame: VideoFrame, number: int) -> NDArray[np.uint16]:
    plane = frame.planes[number]
    lines = np.frombuffer(memoryview(plane), np.uint16).reshape(-1, plane.line_size // 2)
    return lines[: frame.height, : frame.width]


def _swscale_range(video: VideoTrack) -> int:
    return 2 if choose_range(video.color_range, video.pixel_format) == "pc" else 1


def _interpolation(frame: VideoFrame, size: tuple[int, int]) -> str:
    return "AREA" if size[0] < frame.width or size[1] < frame.height else "BICUBIC"
