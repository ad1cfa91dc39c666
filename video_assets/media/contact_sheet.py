"""All stills of a clip in one small picture."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from video_assets.media.picture import Image

_BACKGROUND = 24
_GAP_PX = 4
_COLUMNS = 5


def lay_out(images: Sequence[Image], cell_width: int = 320) -> Image:
    """Lay stills out in rows of five, in their order, on a dark ground.

    Raises ValueError if there is none.
    """
    if not images:
        raise ValueError("a contact sheet needs at least one picture")
    cell_height = max(1, round(cell_width * 9 / 16))
    tiles = [_fit(image, cell_width, cell_height) for image in images]
    columns = min(_COLUMNS, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    width = max(tile.shape[1] for tile in tiles)
    height = max(tile.shape[0] for tile in tiles)
    shape = (rows * (height + _GAP_PX) + _GAP_PX, columns * (width + _GAP_PX) + _GAP_PX, 3)
    sheet = np.full(shape, _BACKGROUND, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        top = _GAP_PX + row * (height + _GAP_PX) + (height - tile.shape[0]) // 2
        left = _GAP_PX + column * (width + _GAP_PX) + (width - tile.shape[1]) // 2
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return sheet


def _fit(image: Image, width: int, height: int) -> Image:
    """Fit a picture into a cell; an upright one may be as high as the cell is wide."""
    box_height = width if image.shape[0] > image.shape[1] else height
    scale = min(width / image.shape[1], box_height / image.shape[0])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
