"""Windows: the overlapping stretches in which a long clip is shown to a model."""

import math


def windows_of(
    duration_s: float, longest_s: float, overlap_s: float
) -> tuple[tuple[float, float], ...]:
    """Divide a clip into stretches of equal length, each of which begins before the last one ends.

    longest_s  of one stretch; a clip that is no longer is left whole
    """
    if duration_s <= longest_s:
        return ((0.0, duration_s),)
    count = math.ceil((duration_s - overlap_s) / (longest_s - overlap_s))
    length = (duration_s + (count - 1) * overlap_s) / count
    begins = [number * (length - overlap_s) for number in range(count)]
    return tuple((begin, min(begin + length, duration_s)) for begin in begins)
