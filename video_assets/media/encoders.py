"""Which encoder this machine has for a proxy: hardware where it works, else software."""

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import cast

import av
import av.error
import numpy as np
from av.video.codeccontext import VideoCodecContext

HARDWARE = ("videotoolbox", "nvenc", "qsv", "amf", "v4l2m2m", "mf")
SOFTWARE = {"h264": "libx264", "hevc": "libx265"}
_TRIAL_SIZE = (320, 240)


@dataclass(frozen=True)
class Encoder:
    """One encoder that works here."""

    name: str
    family: str
    is_hardware: bool
    options: dict[str, str] = field(default_factory=dict, hash=False)


def family_of(codec: str) -> str:
    """Tell which codec a name means: an encoder's (`hevc_videotoolbox`) or a codec's own.

    Raises ValueError for one that proxies are not made with.
    """
    if codec in SOFTWARE:
        return codec
    for family, software in SOFTWARE.items():
        if codec == software or codec.removeprefix(f"{family}_") in HARDWARE:
            return family
    raise ValueError(f"codec {codec!r} is none of {', '.join(SOFTWARE)} or one of their encoders")


@cache
def choose_encoder(codec: str) -> Encoder:
    """Choose the first that encodes a trial picture here.

    codec  h264 or hevc: hardware first; the name of an encoder: that one first

    Raises ValueError as `family_of`, and RuntimeError where not even software works.
    """
    family = family_of(codec)
    hardware = [f"{family}_{kind}" for kind in HARDWARE]
    wanted = [codec] if codec != family else []
    for name in dict.fromkeys([*wanted, *hardware, SOFTWARE[family]]):
        if _works(name):
            return Encoder(name, family, name in hardware, _options(name))
    raise RuntimeError(f"no encoder for {family} works here; reinstall the package av")


def _works(name: str) -> bool:
    """Encode one picture: an encoder that is listed may have no device to run on."""
    if name not in av.codecs_available:
        return False
    try:
        context = cast(VideoCodecContext, av.CodecContext.create(name, "w"))
        context.width, context.height = _TRIAL_SIZE
        context.pix_fmt, context.framerate = "yuv420p", Fraction(25)
        context.time_base = 1 / context.framerate
        picture = np.zeros((_TRIAL_SIZE[1] * 3 // 2, _TRIAL_SIZE[0]), np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
        frame.pts = 0
        return bool(context.encode(frame) + context.encode(None))
    except (av.error.FFmpegError, ValueError, OSError):
        return False


def _options(name: str) -> dict[str, str]:
    """Give what makes software quick enough: a proxy is looked at, not kept for good."""
    if name == "libx264":
        return {"preset": "superfast", "crf": "27", "bf": "0", "threads": "1"}
    if name == "libx265":
        params = "log-level=error:bframes=0:pools=1:frame-threads=1"
        return {"preset": "ultrafast", "crf": "29", "x265-params": params}
    return {}
