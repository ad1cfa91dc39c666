"""What one pass over a clip's pictures saw, frame by frame, as arrays in one file.

The pass writes it beside the proxy; scenes and exposure are found in it without the source.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

LUMA_BINS = 256


@dataclass(frozen=True)
class Measurements:
    """Arrays over all n decoded frames, over the m frames looked at closely, and constants.

    Luma is a share of the nominal range: 0 is reference black, 1 nominal white. A difference is
    the mean absolute one between a frame and the one before it, on a small picture, in 8-bit
    codes; the first frame's is 0.
    """

    pts: Integers
    """(n,) int64, in ticks of the video stream."""
    time_s: Floats
    """(n,) float64, from the clip's start."""
    is_keyframe: NDArray[np.bool_]
    is_interlaced: NDArray[np.bool_]
    """(n,) bool, as the stream declares each frame."""
    luma_mean: Floats
    luma_low: Floats
    luma_high: Floats
    """(n,) float32: mean, 2nd and 98th percentile."""
    difference_hue: Floats
    difference_saturation: Floats
    difference_value: Floats
    difference_luma: Floats
    """(n,) float32, hue from 0 to 180."""
    still_since: Integers
    """(n,) int64: the frame from which the picture has not changed up to this one."""
    proxy_index: Integers
    """(k,) int64: the frame that became each picture of the proxy."""
    sample_index: Integers
    """(m,) int64: which frames the arrays below are of."""
    histogram: Integers
    """(m, 256) uint32: luma from black to white at full precision, clipped at both ends."""
    focus: Floats
    """(m,) float32: variance of the Laplacian of luma (share of range) times 1e4."""
    shift: Floats
    """(m, 2, 2) float32: motion to this frame and on to the next, x and y as shares of the
    picture's width and height; NaN where it cannot be told."""
    fields: Floats
    """(m, 3) float32: how badly the picture's lines fit between lines of a neighbour if the top
    field is the earlier one, if the bottom field is, and within the frame itself; NaN: unknown."""
    bit_depth: int
    width: int
    height: int
    color_range: str
    transfer: str
    """Declared transfer characteristics; empty if undeclared."""
    damaged: int
    """Packets of the picture that did not decode."""

    def save(self, path: Path) -> None:
        """Write every array into one compressed file."""
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **dataclasses.asdict(self))

    @classmethod
    def load(cls, path: Path) -> "Measurements":
        """Read what `save` wrote.

        Raises OSError if the file is gone, ValueError if it is not one of these.
        """
        kinds = {field.name: field.type for field in dataclasses.fields(cls)}
        with np.load(path, allow_pickle=False) as arrays:
            if missing := sorted(set(kinds) - set(arrays.files)):
                raise ValueError(f"the measurements lack {missing}; make the proxy again")
            values = {name: arrays[name] for name in kinds}
        plain = {name: value.item() for name, value in values.items() if value.ndim == 0}
        return cls(**{**values, **plain})

    @property
    def frame_count(self) -> int:
        """How many frames were decoded."""
        return len(self.time_s)

    def spacing_s(self) -> float:
        """Give the usual distance of two frames in seconds; 0 for a single one."""
        return float(np.median(np.diff(self.time_s))) if self.frame_count > 1 else 0.0
