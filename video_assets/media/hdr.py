"""High dynamic range: which kind it is, for which display it was graded, and how bright it gets.

What the decoder saw goes before what the container says; MediaInfo tells the rest.
"""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from video_assets.media.color import HLG, PQ
from video_assets.media.mediainfo import Track
from video_assets.media.tracks import VideoTrack

HdrFormat = Literal["HDR10", "HDR10+", "HLG", "Dolby Vision"]

_BRIGHTEST_NITS = 10_000  # where PQ ends (ST 2084)
_DIMMEST_PEAK_NITS = 5  # the least peak that ST 2086 can mean
_TEN_THOUSANDTHS = 10_000
_DYNAMIC_METADATA = "SMPTE ST 2094 App 4"
_STATIC_METADATA = "SMPTE ST 2086"
_LUMINANCE = re.compile(r"min: (\d+(?:\.\d+)?) cd/m2, max: (\d+(?:\.\d+)?) cd/m2")
_VISION_PROFILE = re.compile(r"\w{4}\.(\d\d)")
# dv_bl_signal_compatibility_id (Dolby Vision streams within the ISO base media file format).
_COMPATIBILITY = {"HDR10": 1, "SDR": 2, "HLG": 4, "Blu-ray": 6}
_HIGHEST_PROFILE, _HIGHEST_LEVEL = 20, 13


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DolbyVision(_Facts):
    """What the Dolby Vision configuration record says; None of all where there is no record."""

    profile: int | None
    level: int | None
    compatibility_id: int | None = Field(
        description="what a player without Dolby Vision shows: 0 nothing, 1 HDR10, 2 SDR, 4 HLG, 6"
    )


class Hdr(_Facts):
    """Whether a clip is high dynamic range, and what is said of its light."""

    is_hdr: bool | None = Field(description="None: nothing tells")
    hdr_format: HdrFormat | None
    hdr_format_commercial: str | None = Field(description="as MediaInfo words it")
    transfer_characteristics: str | None
    master_display: str | None = Field(description="primaries and luminance of the grading display")
    min_luminance_nits: float | None = Field(description="of the grading display, cd/m2")
    max_luminance_nits: float | None
    max_cll: int | None = Field(description="brightest pixel, cd/m2")
    max_fall: int | None = Field(description="brightest frame on average, cd/m2")
    dolby_vision: DolbyVision | None


class Mastering(_Facts):
    """The display on which a clip was graded."""

    primaries: str | None = None
    min_nits: float | None = None
    max_nits: float | None = None
    misread_nits: float | None = Field(default=None, description="a peak that cannot be, as stored")

    @property
    def text(self) -> str | None:
        """Write it down, or None if nothing is known."""
        low = f"min {self.min_nits:g} cd/m2" if self.min_nits is not None else None
        high = f"max {self.max_nits:g} cd/m2" if self.max_nits is not None else None
        return ", ".join(filter(None, (self.primaries, low, high))) or None


def describe_hdr(track: Track, video: VideoTrack, transfer: str | None) -> Hdr:
    """Tell what kind of high dynamic range a picture is.

    track     what MediaInfo says of the picture
    video     what the decoder found
    transfer  by its name in ITU-T H.273
    """
    vision = read_dolby_vision(track, video)
    form = name_format(track, transfer, has_dolby_vision=vision is not None)
    mastering = read_mastering(track)
    return Hdr(
        is_hdr=_is_hdr(form, video, transfer),
        hdr_format=form,
        hdr_format_commercial=track.text("hdr_format_commercial"),
        transfer_characteristics=transfer,
        master_display=mastering.text,
        min_luminance_nits=mastering.min_nits,
        max_luminance_nits=mastering.max_nits,
        max_cll=_light_level(track, "maximum_content_light_level", "maxcll"),
        max_fall=_light_level(track, "maximum_frameaverage_light_level", "maxfall"),
        dolby_vision=vision,
    )


def name_format(track: Track, transfer: str | None, *, has_dolby_vision: bool) -> HdrFormat | None:
    """Name the richest kind that the picture has; a picture that says it is SDR has none."""
    kinds = track.texts("hdr_format")
    if has_dolby_vision:
        return "Dolby Vision"
    if transfer == HLG:
        return "HLG"
    if transfer not in (PQ, None):
        return None
    if any(kind.startswith(_DYNAMIC_METADATA) for kind in kinds):
        return "HDR10+"
    return "HDR10" if transfer == PQ or _STATIC_METADATA in kinds else None


def _is_hdr(form: HdrFormat | None, video: VideoTrack, transfer: str | None) -> bool | None:
    """Decide; only a wide gamut without a transfer leaves it open, as nothing usual is either."""
    if form is None and transfer is None and video.color_primaries == "bt2020":
        return None
    return form is not None


def read_dolby_vision(track: Track, video: VideoTrack) -> DolbyVision | None:
    """Read the configuration record; the decoder tells of Dolby Vision that has none."""
    kinds = track.texts("hdr_format")
    if "Dolby Vision" not in kinds:
        nothing = DolbyVision(profile=None, level=None, compatibility_id=None)
        return nothing if video.is_dolby_vision else None
    place = kinds.index("Dolby Vision")
    found = _VISION_PROFILE.match(_at(track.texts("hdr_format_profile"), place))
    profile = _up_to(_HIGHEST_PROFILE, found[1] if found else "")
    level = _up_to(_HIGHEST_LEVEL, _at(track.texts("hdr_format_level"), place))
    shown = _at(track.texts("hdr_format_compatibility"), place)
    compatibility = _COMPATIBILITY.get(shown, None if shown or profile is None else 0)
    return DolbyVision(profile=profile, level=level, compatibility_id=compatibility)


def _at(values: tuple[str, ...], place: int) -> str:
    return values[place] if place < len(values) else ""


def _up_to(most: int, digits: str) -> int | None:
    return int(digits) if re.fullmatch(r"\d\d?", digits) and int(digits) <= most else None


def read_mastering(track: Track) -> Mastering:
    """Read the grading display from the stream, or else from the container.

    Phones write the peak in whole cd/m2, as CTA-861.3 has it, where the stream counts
    ten-thousandths: 0.1 cd/m2 then means 1000, since ST 2086 begins at 5.
    """
    words = _streams_word(track, "mastering_display_luminance", "masteringdisplay_luminance")
    primaries = _streams_word(
        track, "mastering_display_color_primaries", "masteringdisplay_colorprimaries"
    )
    found = _LUMINANCE.fullmatch(words or "")
    if not found:
        return Mastering(primaries=primaries)
    low, peak = float(found[1]), float(found[2])
    high = peak * _TEN_THOUSANDTHS if 0 < peak < _DIMMEST_PEAK_NITS else peak
    if not _DIMMEST_PEAK_NITS <= high <= _BRIGHTEST_NITS or low >= high:
        return Mastering(primaries=primaries, misread_nits=peak or None)
    return Mastering(
        primaries=primaries,
        min_nits=round(low, 5),
        max_nits=round(high, 4),
        misread_nits=None if high == peak else peak,
    )


def _streams_word(track: Track, name: str, other: str) -> str | None:
    """Give what the stream says of a fact, or the container where the stream says nothing.

    other  the name under which MediaInfo keeps what it did not choose
    """
    is_stream = track.text(f"{other}_original_source") == "Stream"
    return track.text(f"{other}_original" if is_stream else name)


def _light_level(track: Track, name: str, other: str) -> int | None:
    """Give a light level; 0 means that nobody measured it."""
    found = re.match(r"(\d{1,9}) cd/m2", _streams_word(track, name, other) or "")
    return int(found[1]) if found and 1 <= int(found[1]) <= _BRIGHTEST_NITS else None
