"""Where one shot ends and the next begins: cuts and fades, from the measures of every frame.

The scores are those of PySceneDetect's ContentDetector (mean difference of hue, saturation and
value) and AdaptiveDetector (how far a score stands out of its neighbours'), with their thresholds;
the fades are those of its ThresholdDetector. Ours are three things: a leap of colour alone is no
cut, because hue is noise in the dark; fast motion that goes on is none; and lengths are seconds
instead of frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from video_assets.media.measurements import Measurements

Beginning = Literal["start", "cut", "fade"]

CUT_SCORE = 27.0
CUT_RATIO = 2.2  # theirs has none; a camera that is swung round differs as much, on and on
ADAPTIVE_SCORE = 20.0  # theirs is 15, which fast hands before a slow camera reach
ADAPTIVE_RATIO = 3.0
LEAST_BRIGHTNESS = 7.5
"""Difference of luma or of the strongest colour that a cut has at least, in 8-bit codes."""
DARK_MEAN, DARK_HIGH = 12 / 255, 0.06
"""Shares of the range below which a picture is black enough to fade through."""
SHORTEST_S = 0.5
FLASH_S = 0.21
NEAR_S = 0.5
_NEIGHBOURS = 2
_LIGHTER, _FAR_LIGHTER = 0.05, 0.1
_SAME_MEAN, _SAME_ENDS = 0.02, 0.1


@dataclass(frozen=True)
class Shot:
    """One shot: frames from `first` up to and without `end`."""

    first: int
    end: int
    begins_with: Beginning


def find_shots(seen: Measurements) -> list[Shot]:
    """Divide a clip into shots that fill it without gaps."""
    boundaries = dict.fromkeys(find_fades(seen), "fade")
    boundaries |= dict.fromkeys(find_cuts(seen), "cut")
    kept = list(_far_enough(sorted(boundaries), seen.time_s, _end_s(seen)))
    firsts = [0, *kept]
    ends = [*kept, seen.frame_count]
    how: list[Beginning] = ["start", *("cut" if boundaries[f] == "cut" else "fade" for f in kept)]
    return [Shot(*each) for each in zip(firsts, ends, how, strict=True)]


def score(seen: Measurements) -> NDArray[Any]:
    """Give how much each frame differs from the one before, from 0 to 255."""
    return (seen.difference_hue + seen.difference_saturation + seen.difference_value) / 3


def prominence(scores: NDArray[Any], time_s: NDArray[Any]) -> NDArray[Any]:
    """Give how many times a score is as large as the mean of the two on each side.

    What lies further away than `NEAR_S` counts as no difference: it says nothing of motion.
    """
    count = len(scores)
    padded = np.pad(scores.astype(np.float64), _NEIGHBOURS)
    padded_s = np.pad(time_s.astype(np.float64), _NEIGHBOURS, constant_values=np.inf)
    sides = []
    for at in range(2 * _NEIGHBOURS + 1):
        if at != _NEIGHBOURS:
            is_near = np.abs(padded_s[at : at + count] - time_s) <= NEAR_S
            sides.append(padded[at : at + count] * is_near)
    return scores / np.maximum(np.mean(sides, axis=0), 1e-5)


def find_cuts(seen: Measurements) -> list[int]:
    """Name the first frame after each cut; what returns within a flash is none."""
    scores = score(seen)
    stands_out = prominence(scores, seen.time_s)
    is_apart = (scores >= CUT_SCORE) & (stands_out >= CUT_RATIO)
    is_apart |= (scores >= ADAPTIVE_SCORE) & (stands_out >= ADAPTIVE_RATIO)
    brightness = np.maximum(seen.difference_value, seen.difference_luma)
    is_leap = is_apart & (brightness >= LEAST_BRIGHTNESS)
    cuts: list[int] = []
    lit = 0
    for frame in (int(leap) for leap in np.flatnonzero(is_leap)):
        if frame > lit:
            lit = _end_of_flash(seen, is_leap, frame)
            cuts += [] if lit else [frame]
    return cuts


def find_fades(seen: Measurements) -> list[int]:
    """Name the middle of each stretch of black that the picture fades into and out of."""
    is_dark = (seen.luma_mean < DARK_MEAN) & (seen.luma_high <= DARK_HIGH)
    cuts = set(find_cuts(seen))
    fades = []
    for first, end in runs(is_dark):
        is_inside = first > 0 and end < seen.frame_count
        if is_inside and not cuts & set(range(first, end + 1)):
            middle_s = (seen.time_s[first] + seen.time_s[end]) / 2
            fades.append(int(np.searchsorted(seen.time_s, middle_s)))
    return fades


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Give the stretches where a flag is set: first, and the first after it."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def _end_of_flash(seen: Measurements, is_leap: NDArray[np.bool_], flash: int) -> int:
    """Give the frame at which the light is again as before a flash; 0 if it is no flash.

    It leaps back, or fades back if it was far brighter or darker. As light, it is a blended cut.
    """
    end_s = seen.time_s[flash] + FLASH_S
    end = int(np.searchsorted(seen.time_s, end_s, side="right"))
    differs = abs(float(seen.luma_mean[flash]) - float(seen.luma_mean[flash - 1]))
    for frame in range(flash + 1, end):
        is_back = differs > (_LIGHTER if is_leap[frame] else _FAR_LIGHTER)
        if is_back and _is_as_light(seen, flash - 1, frame):
            return frame
    return 0


def _is_as_light(seen: Measurements, before: int, after: int) -> bool:
    mean, low, high = (
        abs(float(luma[after]) - float(luma[before]))
        for luma in (seen.luma_mean, seen.luma_low, seen.luma_high)
    )
    return mean < _SAME_MEAN and max(low, high) < _SAME_ENDS


def _far_enough(frames: list[int], time_s: NDArray[Any], end_s: float) -> Iterator[int]:
    """Pass over boundaries that follow too closely on the last one, or on which the end does."""
    last_s = float(time_s[0])
    for frame in frames:
        at_s = float(time_s[frame])
        if at_s - last_s >= SHORTEST_S and end_s - at_s >= SHORTEST_S / 2:
            yield frame
            last_s = at_s


def _end_s(seen: Measurements) -> float:
    return float(seen.time_s[-1]) + seen.spacing_s()
