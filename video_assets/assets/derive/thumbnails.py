"""Thumbnails: stills of a clip at even distances, and a contact sheet of them.

Reads the source's keyframes; writes JPEG artifacts and one Thumbnails per clip. Turned upright,
with square pixels, never enlarged, HDR brought to SDR: what later analyzers and people look at.
"""

import base64
from typing import Any, Literal

import cv2
import dagster as dg
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.measure.probe import Probe
from video_assets.clip_asset import clip_asset, clip_check
from video_assets.media.contact_sheet import lay_out
from video_assets.media.picture import warnings_about
from video_assets.media.source import Source
from video_assets.media.thumbnails import Thumbnail as Still
from video_assets.media.thumbnails import encode_jpeg, take_thumbnails
from video_assets.media.thumbnails_otherwise import take_in_one_pass, take_with_opencv
from video_assets.storage.artifacts import ArtifactFolder

SHEET_QUALITY = 80
PREVIEW_BYTES = 6000  # as base64 at most 8 kB: it is stored in the event
BLACK = 4.0  # mean of 8-bit codes; noise and compression lift true black a little


class ThumbnailSettings(BaseModel):
    """How many stills, how large, and which frames."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(default=5, ge=1, le=100)
    width: int = Field(default=1920, ge=16, le=7680, description="as displayed; never enlarged")
    quality: int = Field(default=90, ge=1, le=100, description="of the JPEG files")
    method: Literal["keyframe", "exact"] = Field(
        default="keyframe", description="nearest keyframe before each position, or the very frame"
    )
    implementation: Literal["parallel_thumbs", "opencv_thumbs", "ffmpeg_thumbs"] = Field(
        default="parallel_thumbs", description="the step name by which a preset chooses it"
    )


class Thumbnail(BaseModel):
    """One still."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="in the artifact store")
    index: int = Field(ge=0, description="number of its position, from 0")
    time_s: float = Field(description="when the clip shows it, from the clip's start")
    pts: int = Field(description="time stamp in the video stream")
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    size_bytes: int = Field(gt=0)
    is_keyframe: bool
    mean_level: float = Field(ge=0, le=255, description="mean of all 8-bit codes; 0 is black")


class Thumbnails(BaseModel):
    """The stills of one clip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    thumbnails: tuple[Thumbnail, ...] = Field(min_length=1)
    contact_sheet: str = Field(description="in the artifact store")
    requested: int = Field(ge=1, description="positions asked for")
    method: Literal["keyframe", "exact"]
    served: int = Field(ge=1, description="positions that have a still, some perhaps the same one")
    warnings: tuple[str, ...]


def make_thumbnails(
    source: Source, probe: Probe, settings: ThumbnailSettings, artifacts: ArtifactFolder
) -> Thumbnails:
    """Take the stills and write them with their contact sheet.

    Raises MediaError if there is no still at all.
    """
    stills = _take(source, probe, settings)
    written = []
    for still in stills:
        data = encode_jpeg(still.image, settings.quality)
        written.append(
            Thumbnail(
                name=artifacts.write(f"thumb_{still.index:03d}.jpg", data),
                index=still.index,
                time_s=round(still.time_s, 6),
                pts=still.pts,
                width=still.image.shape[1],
                height=still.image.shape[0],
                size_bytes=len(data),
                is_keyframe=still.is_keyframe,
                mean_level=round(float(still.image.mean()), 3),
            )
        )
    sheet = encode_jpeg(lay_out([still.image for still in stills]), SHEET_QUALITY)
    return Thumbnails(
        thumbnails=tuple(written),
        contact_sheet=artifacts.write("contact_sheet.jpg", sheet),
        requested=settings.count,
        method=settings.method,
        served=sum(still.serves for still in stills),
        warnings=warnings_about(probe.video, "stills are"),
    )


def _take(source: Source, probe: Probe, settings: ThumbnailSettings) -> list[Still]:
    count, width = settings.count, settings.width
    if settings.implementation == "opencv_thumbs":
        return take_with_opencv(source.path, probe, count=count, width=width)
    if settings.implementation == "ffmpeg_thumbs":
        return take_in_one_pass(source.path, probe, count=count, width=width)
    return take_thumbnails(source.path, probe, count=count, width=width, method=settings.method)


def preview(sheet: bytes) -> str:
    """Shrink a contact sheet into a markdown image that carries its own bytes."""
    image = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("the contact sheet is no JPEG picture")
    width, height = 480, max(1, round(480 * image.shape[0] / image.shape[1]))
    data = b""
    for share in (1.0, 0.75, 0.5, 0.35, 0.2):
        size = (max(1, round(width * share)), max(1, round(height * share)))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        data = encode_jpeg(small, 50)
        if len(data) <= PREVIEW_BYTES:
            break
    return f"![contact sheet](data:image/jpeg;base64,{base64.b64encode(data).decode()})"


def summarize(result: Thumbnails, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give the numbers that are worth plotting, and the contact sheet to look at."""
    stills = result.thumbnails
    return {
        "thumbnails": len(stills),
        "keyframes": sum(still.is_keyframe for still in stills),
        "width": stills[0].width,
        "height": stills[0].height,
        "size_bytes": sum(still.size_bytes for still in stills),
        "mean_level": sum(still.mean_level for still in stills) / len(stills),
        "contact_sheet": dg.MetadataValue.md(
            preview(artifacts.path_of(result.contact_sheet).read_bytes())
        ),
    }


def find_gap(thumbnails: Thumbnails) -> str | None:
    """Say what is missing from the stills, or None.

    A clip that is black itself is named too: a lens cap looks like a decoding fault.
    """
    stills, wanted = thumbnails.thumbnails, thumbnails.requested
    if missing := wanted - thumbnails.served:
        return f"{missing} of {wanted} positions have no whole picture; the clip is damaged there"
    if all(still.mean_level < BLACK for still in stills):
        return f"all {len(stills)} stills are black; look whether the clip is"
    return None


@clip_asset(lane="thumbnails", code_version="2", metadata=summarize)
def thumbnails(
    source: Source, probe: Probe, settings: ThumbnailSettings, artifacts: ArtifactFolder
) -> Thumbnails:
    """Stills of each clip at even distances, upright and in SDR, with a contact sheet."""
    return make_thumbnails(source, probe, settings, artifacts)


@clip_check(thumbnails)
def thumbnails_are_complete(thumbnails: Thumbnails) -> str | None:
    """Every position that was asked for has a still, and not all are black."""
    return find_gap(thumbnails)
