"""Color: how a clip's code values mean colour, and whether it is high dynamic range.

Reads what MediaInfo says of the source and what the probe's decoded frame showed; writes one Color
per clip. Where container and stream contradict each other, the stream is believed: it is what the
decoder goes by, and what remains when a clip is wrapped anew. The contradiction is kept.
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.measure.probe import Probe
from video_assets.clip_asset import clip_asset, clip_check
from video_assets.media.declared_color import find_disagreements, read_declared
from video_assets.media.hdr import Hdr, describe_hdr, read_mastering
from video_assets.media.mediainfo import Report, Track, pair_tracks, read_mediainfo
from video_assets.media.pixel_format import chroma_subsampling, color_model
from video_assets.media.source import Source
from video_assets.storage.artifacts import ArtifactFolder


class Color(BaseModel):
    """The colour encoding of one clip, by the names of ITU-T H.273 as FFmpeg writes them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    color_space: str = Field(description="what samples are: YUV, RGB, Gray, XYZ")
    color_primaries: str | None = Field(description="None where nothing is declared")
    transfer_characteristics: str | None
    matrix_coefficients: str | None
    color_range: Literal["Limited", "Full"] | None
    bit_depth: int
    chroma_subsampling: str | None = Field(description="4:2:0, …; None without separate chroma")
    is_dci: bool = Field(description="mastered for cinema: DCI-P3 or XYZ; that is not HDR")
    hdr: Hdr
    disagreements: tuple[str, ...] = Field(description="where container and stream differ")


def describe_color(report: Report, probe: Probe) -> Color:
    """Put together what decoder and MediaInfo say."""
    video = probe.video
    (track,) = pair_tracks(report.video, [video.index])
    declared = read_declared(track, video)
    hdr = describe_hdr(track, video, declared.transfer)
    return Color(
        color_space=color_model(video.pixel_format),
        color_primaries=declared.primaries,
        transfer_characteristics=declared.transfer,
        matrix_coefficients=declared.matrix,
        color_range=declared.range,
        bit_depth=video.bit_depth,
        chroma_subsampling=chroma_subsampling(video.pixel_format),
        is_dci=declared.is_dci,
        hdr=hdr,
        disagreements=(
            *find_disagreements(track, declared, probe.container),
            *find_impossible_light(track, hdr),
        ),
    )


def find_impossible_light(track: Track, hdr: Hdr) -> Iterator[str]:
    """Yield a sentence for each light level that cannot be."""
    misread, peak = read_mastering(track).misread_nits, hdr.max_luminance_nits
    if misread is not None:
        meant = f"{peak:g} cd/m2 is meant" if peak else "it is left out"
        yield f"a display with a peak of {misread:g} cd/m2 cannot be; {meant}"
    if hdr.max_cll and hdr.max_fall and hdr.max_fall > hdr.max_cll:
        yield f"frames of {hdr.max_fall} cd/m2 cannot have a brightest pixel of {hdr.max_cll} cd/m2"


def summarize(color: Color, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give what is worth plotting and filtering by."""
    hdr = color.hdr
    facts = {
        "hdr": hdr.hdr_format or ("no" if hdr.is_hdr is False else None),
        "transfer": color.transfer_characteristics,
        "primaries": color.color_primaries,
        "matrix": color.matrix_coefficients,
        "range": color.color_range,
        "bit_depth": color.bit_depth,
        "chroma": color.chroma_subsampling,
        "max_cll": hdr.max_cll,
        "max_fall": hdr.max_fall,
        "mastered_to_nits": hdr.max_luminance_nits,
        "dolby_vision_profile": hdr.dolby_vision.profile if hdr.dolby_vision else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def find_contradiction(color: Color) -> str | None:
    """Say what about a clip's colour cannot be, or None."""
    return "; ".join(color.disagreements) or None


@clip_asset(lane="metadata", code_version="2", metadata=summarize)
def color(source: Source, probe: Probe) -> Color:
    """How each clip's code values mean colour: primaries, transfer, HDR format, light levels."""
    return describe_color(read_mediainfo(source.path), probe)


@clip_check(color)
def color_is_told_once(color: Color) -> str | None:
    """Container and stream say the same of colour, and no light level is impossible."""
    return find_contradiction(color)
