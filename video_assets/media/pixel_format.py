"""What a pixel format's name says of its samples."""

from av.video.format import VideoFormat

_SUBSAMPLINGS = {
    **{(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0"},
    **{(4, 1): "4:1:1", (4, 4): "4:1:0", (1, 2): "4:4:0"},
}
_EDGE = 64  # a size that every subsampling divides


def color_model(pixel_format: str) -> str:
    """Name what the samples are: YUV, RGB, Gray or XYZ."""
    if pixel_format.startswith("xyz"):
        return "XYZ"
    if VideoFormat(pixel_format, _EDGE, _EDGE).is_rgb or pixel_format == "pal8":
        return "RGB"
    return "Gray" if pixel_format.startswith(("gray", "mono", "ya")) else "YUV"


def chroma_subsampling(pixel_format: str) -> str | None:
    """Give how often colour is sampled, 4:2:0; None where there is no separate chroma."""
    if color_model(pixel_format) != "YUV":
        return None
    form = VideoFormat(pixel_format, _EDGE, _EDGE)
    across, down = _EDGE // form.chroma_width(), _EDGE // form.chroma_height()
    return _SUBSAMPLINGS.get((across, down))
