"""The logarithmic curves by which cameras store light, and what a clip calls its own.

S-Log3: Sony, technical summary 1.0. V-Log: Panasonic, reference manual 1.0. LogC: ARRI, LogC3 at EI
800. C-Log, C-Log2, C-Log3: Canon, input transforms of 2020, over codes of limited range. All give
reflectance: 0.18 is the grey card, 1 what reflects everything.
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

GREY_CARD = 0.18
TOP = 0.9
"""Share of all codes above which a camera's log curve has nothing left."""

_NAMES = (
    ("S-Log3", re.compile(r"s-?log-?\s?3", re.IGNORECASE)),
    ("V-Log", re.compile(r"\bv-?log", re.IGNORECASE)),
    ("C-Log2", re.compile(r"\b(?:canon|c)[-\s]?log[-\s]?2\b", re.IGNORECASE)),
    ("C-Log3", re.compile(r"\b(?:canon|c)[-\s]?log[-\s]?3\b", re.IGNORECASE)),
    ("C-Log", re.compile(r"\b(?:canon|c)[-\s]?log(?![-\s]?\w)", re.IGNORECASE)),
    ("LogC", re.compile(r"\blog-?c\b", re.IGNORECASE)),
)
_ANY = re.compile(r"\b(?:[a-z]{1,2}-?)?log(?![a-z])", re.IGNORECASE)


def name_curve(profile: str | None) -> str | None:
    """Name the curve that a camera's picture profile means; `log` for one that is not known here.

    profile  as the camera calls it: s-log3-cine, V-Log L, STD
    """
    if profile is None:
        return None
    known = next((name for name, pattern in _NAMES if pattern.search(profile)), None)
    return known or ("log" if _ANY.search(profile) else None)


def to_reflectance(curve: str, codes: NDArray[Any]) -> NDArray[np.float64]:
    """Decode a curve. Raises KeyError for one that is not known here.

    codes  shares of all codes, 0 to 1, as 0 to 1023 of 10 bits
    """
    return _CURVES[curve](np.asarray(codes, np.float64))


def is_known(curve: str | None) -> bool:
    """Tell whether `to_reflectance` decodes a curve."""
    return curve in _CURVES


def _s_log3(x: NDArray[np.float64]) -> NDArray[np.float64]:
    code, knee = x * 1023, 171.2102946929
    above = 10 ** ((code - 420) / 261.5) * (0.18 + 0.01) - 0.01
    return np.where(code >= knee, above, (code - 95) * 0.01125 / (knee - 95))


def _v_log(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(x < 0.181, (x - 0.125) / 5.6, 10 ** ((x - 0.598206) / 0.241514) - 0.00873)


def _log_c(x: NDArray[np.float64]) -> NDArray[np.float64]:
    above = (10 ** ((x - 0.385537) / 0.247190) - 0.052272) / 5.555556
    return np.where(x > 5.367655 * 0.010591 + 0.092809, above, (x - 0.092809) / 5.367655)


def _c_log(x: NDArray[np.float64]) -> NDArray[np.float64]:
    away = x - 0.12512248
    return 0.9 * np.sign(away) * (10 ** (np.abs(away) / 0.45310179) - 1) / 10.1596


def _c_log2(x: NDArray[np.float64]) -> NDArray[np.float64]:
    away = x - 0.092864125
    return 0.9 * np.sign(away) * (10 ** (np.abs(away) / 0.24136077) - 1) / 87.099375


def _c_log3(x: NDArray[np.float64]) -> NDArray[np.float64]:
    below = (1 - 10 ** ((0.12783901 - x) / 0.36726845)) / 14.98325
    above = (10 ** ((x - 0.12240537) / 0.36726845) - 1) / 14.98325
    straight = (x - 0.12512219) / 1.9754798
    return 0.9 * np.select([x < 0.097465473, x <= 0.15277891], [below, straight], above)


_CURVES = {
    "S-Log3": _s_log3,
    "V-Log": _v_log,
    "LogC": _log_c,
    "C-Log": _c_log,
    "C-Log2": _c_log2,
    "C-Log3": _c_log3,
}
