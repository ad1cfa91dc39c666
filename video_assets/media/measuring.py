"""Measures every frame of one pass in turn: cheap facts of each, dear ones twice a second."""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from video_assets.media.luma import (
    Luma,
    field_misfit,
    histogram,
    luma_of,
    planar,
    sharpness,
    shrink,
    statistics,
    thin_out,
    windows,
)
from video_assets.media.measurements import Measurements

Image = NDArray[np.uint8]

SAMPLE_EVERY_S = 0.5
STILL_CODES = 0.297
"""Mean difference of full-range luma, in 8-bit codes, below which a picture has not changed.

FFmpeg's freezedetect asks for -60 dB, 0.255; widening the range adds a sixth.
"""
_LEAST_RESPONSE = 0.05
_LEAST_SIDE = 16
_UNKNOWN_SHIFT = (np.nan, np.nan)


@dataclass
class _Sample:
    index: int
    histogram: NDArray[np.uint32]
    cut: NDArray[np.float32]
    before: NDArray[np.float32] | None
    focus: float
    shift_in: tuple[float, float]
    shift_out: tuple[float, float] = _UNKNOWN_SHIFT
    fields: tuple[float, float, float] = (np.nan, np.nan, np.nan)


@dataclass
class _Columns:
    """One list a measured quantity, one entry a frame."""

    pts: list[int] = field(default_factory=list)
    time_s: list[float] = field(default_factory=list)
    is_keyframe: list[bool] = field(default_factory=list)
    is_interlaced: list[bool] = field(default_factory=list)
    luma: list[tuple[float, float, float]] = field(default_factory=list)
    difference: list[tuple[float, float, float, float]] = field(default_factory=list)
    still_since: list[int] = field(default_factory=list)


class Measurer:
    """Takes the frames of one clip in the order in which they are shown."""

    def __init__(self, color_range: str) -> None:
        self._color_range = color_range
        self._columns = _Columns()
        self._samples: list[_Sample] = []
        self._small: Image | None = None
        self._still: NDArray[Any] | None = None
        self._last: VideoFrame | None = None
        self._window: NDArray[np.float32] | None = None
        self._next_sample_s = -np.inf
        self._bit_depth = 0

    @property
    def frame_count(self) -> int:
        """How many frames it has seen."""
        return len(self._columns.time_s)

    def add(self, frame: VideoFrame, time_s: float) -> None:
        """Measure the next frame."""
        self._declare(frame)
        frame = planar(frame, self._color_range)
        columns, luma = self._columns, luma_of(frame, self._color_range)
        columns.time_s.append(time_s)
        samples = thin_out(luma.plane)
        columns.luma.append(statistics(luma, samples))
        small = shrink(frame, luma, samples)
        columns.difference.append(_difference(self._small, small))
        columns.still_since.append(self._find_still(np.ascontiguousarray(small[..., 3])))
        self._finish_sample(luma, small)
        # The second frame too: the first of a short clip has none before it.
        if time_s >= self._next_sample_s or self.frame_count == 2:
            self._take_sample(luma, small)
            self._next_sample_s = time_s + SAMPLE_EVERY_S
        self._small, self._last = small, frame

    def _declare(self, frame: VideoFrame) -> None:
        """Note what a frame says of itself."""
        self._bit_depth = frame.format.components[0].bits
        self._columns.pts.append(frame.pts if frame.pts is not None else -1)
        self._columns.is_keyframe.append(frame.key_frame)
        self._columns.is_interlaced.append(frame.interlaced_frame)

    def finish(self, *, proxy_index: list[int], transfer: str, damaged: int) -> Measurements:
        """Give all arrays. There must have been a frame."""
        if self._last is None:
            raise ValueError("no frame was measured")
        columns, samples = self._columns, self._samples
        luma = np.array(columns.luma, np.float32).reshape(-1, 3)
        difference = np.array(columns.difference, np.float32).reshape(-1, 4)
        return Measurements(
            pts=np.array(columns.pts, np.int64),
            time_s=np.array(columns.time_s, np.float64),
            is_keyframe=np.array(columns.is_keyframe, bool),
            is_interlaced=np.array(columns.is_interlaced, bool),
            luma_mean=luma[:, 0],
            luma_low=luma[:, 1],
            luma_high=luma[:, 2],
            difference_hue=difference[:, 0],
            difference_saturation=difference[:, 1],
            difference_value=difference[:, 2],
            difference_luma=difference[:, 3],
            still_since=np.array(columns.still_since, np.int64),
            proxy_index=np.array(proxy_index, np.int64),
            sample_index=np.array([sample.index for sample in samples], np.int64),
            histogram=np.stack([sample.histogram for sample in samples]),
            focus=np.array([sample.focus for sample in samples], np.float32),
            shift=np.array([(s.shift_in, s.shift_out) for s in samples], np.float32),
            fields=np.array([sample.fields for sample in samples], np.float32),
            bit_depth=self._bit_depth,
            width=self._last.width,
            height=self._last.height,
            color_range=self._color_range,
            transfer=transfer,
            damaged=damaged,
        )

    def _find_still(self, value: Image) -> int:
        """Give the first frame of the standstill that this frame belongs to, maybe itself."""
        if self._still is None or self._still.shape != value.shape:
            change = STILL_CODES
        else:
            change = float(cv2.absdiff(value, self._still).mean())
        if change < STILL_CODES:
            return self._columns.still_since[-1]
        self._still = value.copy()
        return self.frame_count - 1

    def _take_sample(self, luma: Luma, small: Image) -> None:
        cut = windows(luma)
        before = None
        if self._last is not None:
            before = windows(luma_of(self._last, self._color_range))
        self._samples.append(
            _Sample(
                index=self.frame_count - 1,
                histogram=histogram(luma),
                cut=cut,
                before=before if before is not None and before.shape == cut.shape else None,
                focus=sharpness(cut),
                shift_in=_shift(self._small, small),
            )
        )

    def _finish_sample(self, luma: Luma, small: Image) -> None:
        """Complete the sample of the frame before with what only this frame shows."""
        if not self._samples or self._samples[-1].index != self.frame_count - 2:
            return
        sample, after = self._samples[-1], windows(luma)
        sample.shift_out = _shift(self._small, small)
        if sample.before is not None and after.shape == sample.cut.shape:
            sample.fields = field_misfit(sample.cut, sample.before, after)
        sample.cut = sample.cut[:0]  # a long clip has many samples
        sample.before = None


def _difference(before: Image | None, small: Image) -> tuple[float, float, float, float]:
    if before is None or before.shape != small.shape:
        return (0.0, 0.0, 0.0, 0.0)
    hue, saturation, value, luma = cv2.mean(cv2.absdiff(before, small))
    return (hue, saturation, value, luma)


def _shift(before: Image | None, small: Image) -> tuple[float, float]:
    """Give the motion of the whole picture as shares of its width and height."""
    if before is None or before.shape != small.shape:
        return _UNKNOWN_SHIFT
    height, width = small.shape[:2]
    if min(height, width) < _LEAST_SIDE:
        return _UNKNOWN_SHIFT
    first, second = (image[..., 3].astype(np.float32) for image in (before, small))
    (across, down), response = cv2.phaseCorrelate(first, second, _taper(width, height))
    if response < _LEAST_RESPONSE or not np.isfinite((across, down)).all():
        return _UNKNOWN_SHIFT
    return (across / width, down / height)


def _taper(width: int, height: int) -> NDArray[Any]:
    return cv2.createHanningWindow((width, height), cv2.CV_32F)
