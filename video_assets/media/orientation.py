"""How a stored picture is turned, mirrored and stretched before it is shown."""

import math
import struct
from dataclasses import dataclass
from fractions import Fraction

from av.video.frame import VideoFrame

_MATRIX = struct.Struct("=9i")  # 16.16 fixed point, row by row: a b u, c d v, x y w
_WIDEST_PIXEL = 8


@dataclass(frozen=True)
class Orientation:
    """What to do with a stored picture: first mirror top to bottom, then turn clockwise.

    rotation      0, 90, 180 or 270 degrees clockwise. ffprobe prints the same turn
                  counterclockwise, so its -90 is 90 here; exiftool's Rotation is ours.
    is_mirrored   a front camera's picture
    is_rounded    the file asks for an angle between the four
    """

    rotation: int = 0
    is_mirrored: bool = False
    is_rounded: bool = False


def read_orientation(frame: VideoFrame) -> Orientation:
    """Read a decoded frame's display matrix (ISO/IEC 14496-12, 6.2.2)."""
    matrix = _display_matrix(frame)
    if matrix is None:
        return _nearest(-frame.rotation, is_mirrored=False)
    a, b, _, c, d, *_ = matrix
    if a == b == 0:
        return Orientation()
    degrees = math.degrees(math.atan2(b, a))
    return _nearest(degrees, is_mirrored=a * d - b * c < 0)


def _display_matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    try:
        data = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # a kind of side data that PyAV has no name for
        return None
    return _MATRIX.unpack_from(bytes(data)) if data and len(bytes(data)) >= _MATRIX.size else None


def _nearest(degrees: float, *, is_mirrored: bool) -> Orientation:
    quarter = round(degrees / 90)
    return Orientation(
        rotation=quarter % 4 * 90,
        is_mirrored=is_mirrored,
        is_rounded=abs(degrees - quarter * 90) > 1,
    )


def plausible_aspect(aspect: Fraction | None) -> Fraction:
    """Give the width of a pixel for a height of 1; square where none, or nonsense, is declared."""
    if not aspect or not Fraction(1, _WIDEST_PIXEL) <= aspect <= _WIDEST_PIXEL:
        return Fraction(1)
    return aspect


def display_size(width: int, height: int, pixel_aspect: Fraction, rotation: int) -> tuple[int, int]:
    """Give the size at which a player shows a picture: stored height, stretched width, turned."""
    shown = max(1, round(width * pixel_aspect)), height
    return (shown[1], shown[0]) if rotation in (90, 270) else shown
