"""The luma of a decoded frame, at the precision it was coded with."""

import re
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from video_assets.media.measurements import LUMA_BINS

Plane = NDArray[Any]

# Formats whose first plane is luma alone, one item a sample, in the low bits.
_PLANAR = re.compile(r"(?:yuvj?|yuva|gray)(?:4\d\dp)?(?:9|1[0246])?(?:le)?|nv(?:12|21|16|24|42)")
_FALLBACK = "yuv444p16le"
_RANGES = {"tv": 1, "pc": 2}  # as swscale counts them
SMALL_WIDTH = 256
_HISTOGRAM_WIDTH = 960
_BITS = 10
_WINDOW = 256
_MOVES = 8 / 255
_LEAST_MOVING = 0.001
_UNKNOWN_MISFIT = (np.nan, np.nan, np.nan)
_CENTERS = ((0.25, 0.25), (0.25, 0.75), (0.5, 0.5), (0.75, 0.25), (0.75, 0.75))


@dataclass(frozen=True)
class Luma:
    """A view of a frame's luma.

    plane         (height, width), codes
    black, white  the codes of reference black and nominal white
    """

    plane: Plane
    bits: int
    black: int
    white: int

    def share(self, codes: Any) -> Any:
        """Place codes between black (0) and white (1)."""
        return (codes - self.black) / (self.white - self.black)

    def to_full_range(self, codes: Plane) -> NDArray[np.uint8]:
        """Widen codes to 8 bits from black, 0, to white, 255."""
        eight = _to_eight_bits(codes, self.bits)
        if not self.black:
            return eight
        levels = np.clip((np.arange(256) - 16) * (255 / 219), 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(eight, levels), np.uint8)


def planar(frame: VideoFrame, color_range: str) -> VideoFrame:
    """Give a frame whose luma and colour lie apart: itself, or where they are mixed a copy."""
    if _PLANAR.fullmatch(frame.format.name):
        return frame
    spread = _RANGES[color_range]
    return frame.reformat(format=_FALLBACK, src_color_range=spread, dst_color_range=spread)


def luma_of(frame: VideoFrame, color_range: str) -> Luma:
    """View a planar frame's luma without copying it.

    color_range  tv: black is 16 and white 235 of 8-bit codes; pc: 0 and 255
    """
    bits = frame.format.components[0].bits
    kind = np.dtype(np.uint8 if bits <= 8 else np.uint16)
    plane = frame.planes[0]
    lines = np.frombuffer(memoryview(plane), kind).reshape(-1, plane.line_size // kind.itemsize)
    view = lines[: frame.height, : frame.width]
    if color_range == "pc":
        return Luma(view, bits, 0, (1 << bits) - 1)
    return Luma(view, bits, 16 << (bits - 8), 235 << (bits - 8))


def thin_out(plane: Plane, width: int = SMALL_WIDTH) -> Plane:
    """Pick samples of a plane on an even grid; averaging would cost ten times as much."""
    height = max(2, round(plane.shape[0] * width / plane.shape[1]))
    if width >= plane.shape[1]:
        return plane
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_NEAREST)


def statistics(luma: Luma, samples: Plane) -> tuple[float, float, float]:
    """Give mean, 2nd and 98th percentile of some samples as shares of the range."""
    coarse = max(0, luma.bits - _BITS)
    counts = _count(samples >> coarse if coarse else samples, luma.bits - coarse)
    codes = np.arange(len(counts)) << coarse
    below = np.cumsum(counts)
    low, high = np.searchsorted(below, (0.02 * below[-1], 0.98 * below[-1]))
    mean = float(counts @ codes) / float(below[-1])
    return float(luma.share(mean)), float(luma.share(codes[low])), float(luma.share(codes[high]))


def shrink(frame: VideoFrame, luma: Luma, samples: Plane) -> NDArray[np.uint8]:
    """Give a small picture of hue, saturation, value and luma, as the frame lies in the file."""
    bright = luma.to_full_range(samples)
    size = bright.shape[1], bright.shape[0]
    tints = [
        _to_eight_bits(cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST), luma.bits)
        for plane in _chroma(frame)
    ] or [np.full_like(bright, 128)] * 2
    color = cv2.cvtColor(cv2.merge([bright, tints[1], tints[0]]), cv2.COLOR_YCrCb2BGR)
    return np.dstack((cv2.cvtColor(color, cv2.COLOR_BGR2HSV), bright)).astype(np.uint8, copy=False)


def _to_eight_bits(codes: Plane, bits: int) -> NDArray[np.uint8]:
    return (codes >> max(0, bits - 8)).astype(np.uint8, copy=False)


def _chroma(frame: VideoFrame) -> list[Plane]:
    """View the planes of a planar frame's colour: two, or none where luma is all there is."""
    name, kind = frame.format.name, np.uint8 if frame.format.components[0].bits <= 8 else np.uint16
    views: list[Plane] = []
    for plane in frame.planes[1:3]:
        lines = np.frombuffer(memoryview(plane), kind)
        views.append(lines.reshape(-1, plane.line_size // lines.itemsize)[:, : plane.width])
    if name.startswith("nv"):
        pairs = np.frombuffer(memoryview(frame.planes[1]), kind)
        pairs = pairs.reshape(-1, frame.planes[1].line_size // pairs.itemsize)
        views = [pairs[:, 0::2], pairs[:, 1::2]]
    return views


def histogram(luma: Luma) -> NDArray[np.uint32]:
    """Count luma in 256 bins from black to white; what lies beyond goes to the outer ones."""
    step = max(1, luma.plane.shape[1] // _HISTOGRAM_WIDTH)
    counts = _count(luma.plane[step // 2 :: step, step // 2 :: step], luma.bits)
    shares = luma.share(np.arange(len(counts)))
    bins = np.clip(np.rint(shares * (LUMA_BINS - 1)), 0, LUMA_BINS - 1).astype(np.intp)
    return np.bincount(bins, weights=counts, minlength=LUMA_BINS).astype(np.uint32)


def _count(codes: Plane, bits: int) -> NDArray[np.intp]:
    """Count how often each code occurs; codes lie in their type's low bits."""
    most = 1 << bits
    counts = cv2.calcHist([np.ascontiguousarray(codes)], [0], None, [most], [0, most])
    return counts.ravel().astype(np.intp)


def windows(luma: Luma) -> NDArray[np.float32]:
    """Copy five windows of a picture at full resolution, as shares: (5, height, width)."""
    height, width = luma.plane.shape
    tall, wide = min(_WINDOW, height), min(_WINDOW, width)
    cut = []
    for down, across in _CENTERS:
        top = round((height - tall) * down) // 2 * 2  # an even line: the fields keep their order
        left = round((width - wide) * across)
        cut.append(luma.plane[top : top + tall, left : left + wide])
    return luma.share(np.stack(cut).astype(np.float32)).astype(np.float32)


def sharpness(cut: NDArray[np.float32]) -> float:
    """Give the variance of the Laplacian of the sharpest window, times 1e4."""
    return max(float(cv2.Laplacian(window, cv2.CV_32F).var()) for window in cut) * 1e4


def field_misfit(
    cut: NDArray[np.float32], before: NDArray[np.float32], after: NDArray[np.float32]
) -> tuple[float, float, float]:
    """Say how badly lines fit between those of a neighbour: top first, bottom first, own frame.

    The idea of FFmpeg's idet, looked at only where something moves: a field that is woven with one
    of another moment fits worse than with one of its own. All three are mean absolute second
    differences in 8-bit codes; NaN where next to nothing moves.
    """
    if cut.shape[1] < 6:
        return _UNKNOWN_MISFIT
    moves = np.abs(after - before)[:, 1:-1] > _MOVES
    around = cut[:, :-2] + cut[:, 2:]
    own, earlier, later = (
        np.abs(around - 2 * lines[:, 1:-1]) * moves for lines in (cut, before, after)
    )
    odd, even = moves[:, 0::2].sum(), moves[:, 1::2].sum()
    if min(odd, even) < _LEAST_MOVING * moves.size:
        return _UNKNOWN_MISFIT
    # The first of these rows is line 1, of the bottom field. If the top field is the earlier one,
    # the bottom lines of the frame before and the top lines of the next are nearest in time.
    top_first = earlier[:, 0::2].sum() / odd + later[:, 1::2].sum() / even
    bottom_first = earlier[:, 1::2].sum() / even + later[:, 0::2].sum() / odd
    within = own[:, 0::2].sum() / odd + own[:, 1::2].sum() / even
    return float(top_first * 255), float(bottom_first * 255), float(within * 255)
