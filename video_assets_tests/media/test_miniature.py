"""Stills made small for a page."""

import cv2
import numpy as np
import pytest

from video_assets.media.miniature import shrink_jpeg
from video_assets_tests.clips import quadrants


def jpeg(width: int, height: int) -> bytes:
    is_done, coded = cv2.imencode(".jpg", quadrants(0, width, height))
    assert is_done
    return coded.tobytes()


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((1920, 1080), (240, 135)),
        ((1080, 1920), (135, 240)),
        ((320, 180), (240, 135)),
        ((250, 250), (240, 240)),
        ((64, 36), (64, 36)),
        ((4000, 2), (240, 1)),
    ],
)
def test_the_longer_side_fits_and_nothing_is_enlarged(size, wanted):
    small = shrink_jpeg(jpeg(*size), 240)
    assert small is not None
    image = cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    height, width = image.shape[:2]
    assert (width, height) == wanted


@pytest.mark.parametrize("data", [b"", b"no picture", jpeg(64, 64)[:40]])
def test_what_is_no_picture_gives_none(data: bytes):
    assert shrink_jpeg(data, 240) is None
