"""HDR and wide-gamut pictures for SDR eyes: PQ or HLG in BT.2020 to BT.709.

The chain: R'G'B' by the declared matrix and range, light in cd/m2 (ST 2084; BT.2100-2 for HLG with
its 1000 cd/m2 system gamma), the EETF of BT.2390-8 5.4.1 from a 1000 cd/m2 display to one of
203 cd/m2 (BT.2408 diffuse white) on the largest component, so that hues stay; primaries by
BT.2087-0; coded by the inverse of BT.1886. Light above 1000 cd/m2 is white.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_assets.media.color import HLG, LUMA_WEIGHTS, PQ

Planes = NDArray[np.uint16]
Light = NDArray[np.floating[Any]]

PEAK_NITS = 1000.0
WHITE_NITS = 203.0

_STEPS = 4096  # of the tables: 12 bits, finer than any code that comes in
_BT2020_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)
_BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)


def decode_rgb(planes: Planes, matrix: str, color_range: str) -> Light:
    """Turn Y, Cb, Cr into R'G'B' from 0 to 1.

    planes  (height, width, 3), 16 bits, as swscale widens any depth: by shifting
    """
    codes = planes.astype(np.float32) / 256
    if color_range == "pc":
        luma, blue, red = codes[..., 0] / 255.996, codes[..., 1] - 128, codes[..., 2] - 128
        blue, red = blue / 255.996, red / 255.996
    else:
        luma = (codes[..., 0] - 16) / 219
        blue, red = (codes[..., 1] - 128) / 224, (codes[..., 2] - 128) / 224
    of_red, of_blue = LUMA_WEIGHTS[matrix]
    r = luma + 2 * (1 - of_red) * red
    b = luma + 2 * (1 - of_blue) * blue
    g = (luma - of_red * r - of_blue * b) / (1 - of_red - of_blue)
    return np.clip(np.stack((r, g, b), axis=-1), 0, 1)


def tone_map(rgb: Light, transfer: str | None, primaries: str | None) -> NDArray[np.uint8]:
    """Render R'G'B' from 0 to 1 as 8-bit BT.709 R'G'B'.

    transfer  PQ, HLG, or an SDR one, which is only brought into the smaller gamut
    """
    if transfer == PQ:
        nits = _look_up(_pq_table(), rgb)
    elif transfer == HLG:
        nits = _hlg_to_nits(rgb)
    else:
        nits = np.power(rgb, 2.4, dtype=np.float32) * np.float32(WHITE_NITS)
    if transfer in (PQ, HLG):
        nits = nits * _compression(nits.max(axis=-1, keepdims=True))
    light = nits / np.float32(WHITE_NITS)
    if primaries in (None, "bt2020"):
        light = light @ _BT2020_TO_BT709.T
    return _look_up(_display_table(), np.sqrt(np.clip(light, 0, 1)))


def pq_to_nits(code: Light) -> Light:
    """Decode ST 2084: 0 to 1 gives 0 to 10,000 cd/m2."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = np.power(np.clip(code, 0, 1), 1 / m2)
    return 10_000 * np.power(np.maximum(power - c1, 0) / (c2 - c3 * power), 1 / m1)


def nits_to_pq(nits: Light) -> Light:
    """Encode ST 2084."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = np.power(np.clip(nits / 10_000, 0, 1), m1)
    return np.power((c1 + c2 * power) / (1 + c3 * power), m2)


def compress_nits(nits: Light) -> Light:
    """Bring a 1000 cd/m2 display's light into 203 cd/m2 (BT.2390-8, 5.4.1, black level 0)."""
    peak, white = nits_to_pq(np.array([PEAK_NITS, WHITE_NITS]))
    code = np.clip(nits_to_pq(nits) / peak, 0, 1)
    highest = white / peak
    knee = 1.5 * highest - 0.5
    t = np.clip((code - knee) / (1 - knee), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * highest
    )
    return pq_to_nits(np.where(code < knee, code, spline) * peak)


def hlg_grey_to_nits(code: Light) -> Light:
    """Decode HLG grey from 0 to 1 as a display of 1000 cd/m2 shows it."""
    return PEAK_NITS * np.power(_look_up(_hlg_table(), code), 1.2, dtype=np.float64)


def _hlg_to_nits(rgb: Light) -> Light:
    scene = _look_up(_hlg_table(), rgb)
    luminance = scene @ _BT2020_LUMINANCE
    return np.float32(PEAK_NITS) * scene * np.power(luminance, 0.2)[..., None]


def _compression(nits: Light) -> Light:
    """Give the factor for light whose largest component is so bright."""
    brightest = np.sqrt(np.clip(nits / PEAK_NITS, 0, 1))
    factor = _look_up(_compression_table(), brightest)
    return factor / np.maximum(nits / PEAK_NITS, 1).astype(np.float32)


def _look_up(table: NDArray[Any], share: Light) -> NDArray[Any]:
    return np.take(table, (share * np.float32(_STEPS - 1) + np.float32(0.5)).astype(np.uint16))


def _shares() -> Light:
    return np.linspace(0, 1, _STEPS, dtype=np.float32)


@cache
def _pq_table() -> Light:
    return pq_to_nits(_shares()).astype(np.float32)


@cache
def _hlg_table() -> Light:
    """Invert the HLG OETF (BT.2100-2, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    code = _shares()
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    return scene.astype(np.float32)


@cache
def _compression_table() -> Light:
    nits = np.maximum(_shares() ** 2 * PEAK_NITS, 1e-4).astype(np.float32)
    return (compress_nits(nits) / nits).astype(np.float32)


@cache
def _display_table() -> NDArray[np.uint8]:
    """Code light by the inverse of BT.1886; the shares are square roots of it."""
    return np.rint(255 * np.power(_shares(), 2 / 2.4)).astype(np.uint8)
