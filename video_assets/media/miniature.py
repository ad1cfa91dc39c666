"""A still made small enough to stand inside a page."""

import cv2
import numpy as np

QUALITY = 72
# A JPEG is decoded at a part of its size several times faster than in full.
SCALES = (
    cv2.IMREAD_REDUCED_COLOR_8,
    cv2.IMREAD_REDUCED_COLOR_4,
    cv2.IMREAD_REDUCED_COLOR_2,
    cv2.IMREAD_COLOR,
)


def shrink_jpeg(data: bytes, longest_px: int) -> bytes | None:
    """Shrink a JPEG until its longer side is at most so long; None for what is no picture."""
    coded = np.frombuffer(data, np.uint8)
    image = None
    for scale in SCALES:
        image = cv2.imdecode(coded, scale) if coded.size else None
        if image is None or max(image.shape[:2]) >= longest_px:
            break
    if image is None:
        return None
    share = min(1.0, longest_px / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * share)), max(1, round(image.shape[0] * share)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    is_done, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return jpeg.tobytes() if is_done else None
