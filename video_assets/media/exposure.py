"""How a clip is exposed, and what else its measures tell an editor: black, still, soft, shaken.

Brightness is judged in light, as an SDR viewer sees it: luma is brought to 8-bit grey by the clip's
own transfer, PQ and HLG through the tone mapping of its stills, and to light by BT.1886. Only what
is lost at the top is judged where it is lost: near the white of the display the clip was made for,
which shows 1000 cd/m2 in HDR, or of the camera's log curve. Log is brought to a grey card that
is middle grey; by a curve that is not known here nothing can be rated.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from video_assets.media.color import HLG, PQ
from video_assets.media.log_curves import GREY_CARD, TOP, is_known, to_reflectance
from video_assets.media.measurements import LUMA_BINS, Measurements
from video_assets.media.shots import runs
from video_assets.media.tonemap import PEAK_NITS, hlg_grey_to_nits, pq_to_nits, tone_map

Order = Literal["progressive", "tff", "bff", "unknown"]
Quality = Literal["excellent", "good", "fair", "poor", "unknown"]
Ranges = tuple[tuple[float, float], ...]

OVER_CODE, UNDER_CODE = 240, 16
WARNING_SHARE = 0.05
MIDDLE_GREY = (128 / 255) ** 2.4
MOST_STOPS = 5.0
LEAST_STOPS = 0.2
RATINGS: tuple[tuple[Quality, float, float], ...] = (
    ("excellent", 1.0, 0.5),
    ("good", 3.0, 1.0),
    ("fair", 8.0, 2.0),
)
"""Rating, percent of clipped picture at either end below which it is given, and stops."""
BLACK_HIGH = 0.10
SHORTEST_BLACK_S = 0.5
SHORTEST_FREEZE_S = 2.0
_INTERLACED = 1.3
"""How much worse the wrong order fits. Noise alone was measured at 1.25, fields at 1.6 to 1.8."""
_WOVEN = 0.85  # of the better order's misfit: lines of two moments fit each other no better
_PROGRESSIVE = 1.5


@dataclass(frozen=True)
class Light:
    """The exposure of some frames.

    stops                  how far the light is from middle grey; 0 within a fifth of a stop
    over, under            percent of the picture that is clipped, mean over the frames
    mean_level             8-bit grey of the display that has the mean light
    """

    stops: float
    over: float
    under: float
    mean_level: float

    @property
    def is_clipped(self) -> bool:
        """Whether more of the picture is lost than should be."""
        return max(self.over, self.under) > WARNING_SHARE * 100

    def quality(self) -> Quality:
        """Rate it."""
        for name, percent, stops in RATINGS:
            if max(self.over, self.under) < percent and abs(self.stops) < stops:
                return name
        return "poor"


@dataclass(frozen=True)
class Transfer:
    """How a clip's luma means light.

    name         transfer characteristics as declared; empty if undeclared
    color_range  tv or pc
    log_curve    of the camera's picture profile, if that is one; see media/log_curves.py
    """

    name: str
    color_range: str = "tv"
    log_curve: str | None = None

    def log_codes(self) -> NDArray[Any]:
        """Give each bin of luma as a share of all codes, which log curves are written in."""
        shares = np.linspace(0, 1, LUMA_BINS)
        return shares if self.color_range == "pc" else (64 + 876 * shares) / 1023


def grey_levels(transfer: Transfer) -> NDArray[Any]:
    """Give the 8-bit grey at which an SDR viewer sees each bin of luma."""
    shares = np.linspace(0, 1, LUMA_BINS, dtype=np.float32)
    if transfer.log_curve is not None and is_known(transfer.log_curve):
        light = to_reflectance(transfer.log_curve, transfer.log_codes()) / GREY_CARD * MIDDLE_GREY
        return np.clip(light, 0, 1) ** (1 / 2.4) * 255
    if transfer.name not in (PQ, HLG):
        return shares * 255.0
    grey = np.repeat(shares[None, :, None], 3, axis=2)
    return tone_map(grey, transfer.name, "bt709")[0, :, 0].astype(np.float64)


def is_over(transfer: Transfer) -> NDArray[np.bool_]:
    """Tell which bins of luma are next to the brightest that the clip can hold or show."""
    shares = np.linspace(0, 1, LUMA_BINS)
    near_white = (OVER_CODE / 255) ** 2.4
    if transfer.log_curve is not None:
        return transfer.log_codes() >= TOP
    if transfer.name == PQ:
        return pq_to_nits(shares) >= near_white * PEAK_NITS
    if transfer.name == HLG:
        return hlg_grey_to_nits(shares) >= near_white * PEAK_NITS
    return shares * 255 >= OVER_CODE


def measure_light(histogram: NDArray[Any], transfer: Transfer) -> Light:
    """Judge some frames by their histograms: (m, 256), m at least 1."""
    levels = grey_levels(transfer)
    shares = histogram / np.maximum(histogram.sum(axis=1, keepdims=True), 1)
    light = shares @ (levels / 255) ** 2.4
    stops = float(np.log2(max(float(np.median(light)), 1e-6) / MIDDLE_GREY))
    stops = min(MOST_STOPS, max(-MOST_STOPS, stops))
    return Light(
        stops=round(stops, 2) if abs(stops) > LEAST_STOPS else 0.0,
        over=round(float(shares[:, is_over(transfer)].sum(axis=1).mean()) * 100, 3),
        under=round(float(shares[:, levels < UNDER_CODE].sum(axis=1).mean()) * 100, 3),
        mean_level=round(float(light.mean()) ** (1 / 2.4) * 255, 2),
    )


def black_ranges(seen: Measurements) -> Ranges:
    """Find where 98 percent of the picture is black, for half a second at least."""
    is_black = seen.luma_high <= BLACK_HIGH
    return _long_enough(seen, runs(is_black), SHORTEST_BLACK_S)


def frozen_ranges(seen: Measurements) -> Ranges:
    """Find where the picture does not change for two seconds or more."""
    groups = np.flatnonzero(np.diff(np.concatenate(([-1], seen.still_since, [-1]))))
    # One frame that is shown for long is no standstill: there is nothing it does not change from.
    stretches = [(int(a), int(b)) for a, b in pairwise(groups) if b - a > 1]
    return _long_enough(seen, stretches, SHORTEST_FREEZE_S)


def field_order(seen: Measurements) -> Order:
    """Tell from the picture in which order its fields were taken; without motion nobody can."""
    known = seen.fields[~np.isnan(seen.fields).any(axis=1)]
    top, bottom, own = known.T if len(known) else np.zeros((3, 0))
    better, worse = np.minimum(top, bottom), np.maximum(top, bottom)
    has_order = worse > _INTERLACED * better  # of a whole frame the orders fit alike
    is_woven = has_order & (own > _WOVEN * better)
    votes: dict[Order, int] = {
        "tff": int((is_woven & (top == better)).sum()),
        "bff": int((is_woven & (bottom == better)).sum()),
        "progressive": int((~has_order & (better > _PROGRESSIVE * own)).sum()),
    }
    found: Order = max(votes, key=lambda name: votes[name])
    return found if votes[found] * 2 > sum(votes.values()) else "unknown"


def shake(seen: Measurements) -> tuple[float | None, float | None]:
    """Give motion and its change from frame to frame, each in percent of the picture's width.

    A pan moves evenly, so it has motion and little change; a hand has both.
    """
    known = seen.shift[~np.isnan(seen.shift).any(axis=(1, 2))]
    if not len(known):
        return None, None
    motion = np.hypot(*known.mean(axis=1).T)
    change = np.hypot(*(known[:, 1] - known[:, 0]).T)
    return round(float(np.median(motion)) * 100, 3), round(float(np.median(change)) * 100, 3)


def _long_enough(seen: Measurements, stretches: list[tuple[int, int]], least_s: float) -> Ranges:
    spacing_s = seen.spacing_s()
    found = []
    for first, end in stretches:
        begin_s = float(seen.time_s[first])
        last_s = float(seen.time_s[end]) if end < seen.frame_count else None
        end_s = last_s if last_s is not None else float(seen.time_s[-1]) + spacing_s
        if end_s - begin_s >= least_s - spacing_s / 2:
            found.append((round(begin_s, 6), round(end_s, 6)))
    return tuple(found)
