"""Exposure: how each clip and each of its scenes is lit, and what an editor asks next.

Reads the measures of the proxy's pass and the scenes; writes one Exposure per clip: clipped
highlights and shadows, stops from middle grey, black, frozen and silent ranges, loudness, shake,
focus, and whether the fields lie as the file says. How each is judged is in media/exposure.py.
"""

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.analyze.scenes import Scene, Scenes
from video_assets.assets.derive.proxy import Proxy
from video_assets.assets.measure.camera import Camera
from video_assets.assets.measure.probe import Probe
from video_assets.clip_asset import clip_asset, clip_check
from video_assets.media import exposure as judged
from video_assets.media.log_curves import is_known, name_curve
from video_assets.media.loudness import Sound
from video_assets.media.measurements import Measurements
from video_assets.storage.artifacts import ArtifactFolder


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(_Facts):
    """A stretch of a clip, in seconds from its start."""

    start_s: float
    end_s: float


class SceneExposure(_Facts):
    """How one scene is lit."""

    number: int
    stops: float
    overexposed_percentage: float = Field(ge=0, le=100)
    underexposed_percentage: float = Field(ge=0, le=100)
    mean_level: float = Field(ge=0, le=255)
    overall_quality: judged.Quality


class Shake(_Facts):
    """How the picture moves from frame to frame, in percent of its width; None: cannot be told."""

    motion_percentage: float | None = Field(description="median; of a pan as of a hand")
    jitter_percentage: float | None = Field(description="median change of motion; of a hand only")


class Focus(_Facts):
    """How sharp the picture is: variance of the Laplacian of its sharpest part, times 1e4."""

    median: float
    lowest: float
    highest: float
    softest_time_s: float


class Interlacing(_Facts):
    """In which order fields were taken, by the picture and by the file."""

    found: judged.Order
    declared: Literal["progressive", "tff", "bff"] | None
    agrees: bool | None = Field(description="None: one of the two is unknown")


class Exposure(_Facts):
    """How one clip is lit, and what else its picture and sound say."""

    warning: bool = Field(description="a scene loses more than 5 percent at either end")
    stops: float = Field(description="from middle grey, median; 0 within a fifth of a stop")
    overexposed_percentage: float = Field(ge=0, le=100)
    underexposed_percentage: float = Field(ge=0, le=100)
    mean_level: float = Field(ge=0, le=255, description="8-bit grey of the mean light")
    overall_quality: judged.Quality
    per_scene: tuple[SceneExposure, ...]
    black_ranges: tuple[Span, ...]
    frozen_ranges: tuple[Span, ...]
    silent_ranges: tuple[Span, ...]
    loudness: Sound | None
    shake: Shake
    focus: Focus
    interlacing: Interlacing
    transfer: str | None = Field(description="by which the light was judged; None: SDR assumed")
    log_curve: str | None = Field(description="of the picture profile; log: one not known here")
    is_log: bool
    frames_measured: int = Field(ge=1)


def summarize(exposure: Exposure, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give the numbers that are worth plotting."""
    return {
        "quality": exposure.overall_quality,
        "stops": exposure.stops,
        "overexposed_percentage": exposure.overexposed_percentage,
        "underexposed_percentage": exposure.underexposed_percentage,
        "black_s": _total(exposure.black_ranges),
        "frozen_s": _total(exposure.frozen_ranges),
        "silent_s": _total(exposure.silent_ranges),
        "focus": exposure.focus.median,
        "fields": exposure.interlacing.found,
    }


@clip_asset(lane="default", code_version="4", metadata=summarize)
def exposure(
    probe: Probe,
    camera: Camera | None,
    proxy: Proxy,
    scenes: Scenes,
    artifacts: ArtifactFolder,
) -> Exposure:
    """How each clip is lit, scene by scene; where it is black, frozen, silent, soft or shaken."""
    seen = Measurements.load(artifacts.upstream(proxy.measurements))
    curve = name_curve(camera.picture_profile) if camera is not None else None
    transfer = judged.Transfer(seen.transfer, seen.color_range, curve)
    light = judged.measure_light(seen.histogram, transfer)
    per_scene = tuple(_of_scene(scene, seen, transfer) for scene in scenes.scenes)
    motion, jitter = judged.shake(seen)
    silent = proxy.sound.silent_ranges if proxy.sound else ()
    return Exposure(
        warning=light.is_clipped or any(_is_clipped(scene) for scene in per_scene),
        stops=light.stops,
        overexposed_percentage=light.over,
        underexposed_percentage=light.under,
        mean_level=light.mean_level,
        overall_quality=_rate(light, transfer),
        per_scene=per_scene,
        black_ranges=_spans(judged.black_ranges(seen)),
        frozen_ranges=_spans(judged.frozen_ranges(seen)),
        silent_ranges=_spans(silent),
        loudness=proxy.sound,
        shake=Shake(motion_percentage=motion, jitter_percentage=jitter),
        focus=_focus(seen),
        interlacing=_interlacing(judged.field_order(seen), _declared_order(probe)),
        transfer=seen.transfer or None,
        log_curve=curve,
        is_log=curve is not None,
        frames_measured=len(seen.sample_index),
    )


@clip_check(exposure)
def percentages_are_in_range(exposure: Exposure) -> str | None:
    """No share of a picture is below nothing or above all of it, at both ends together either."""
    return find_impossible(exposure)


@clip_check(exposure)
def fields_are_as_declared(exposure: Exposure) -> str | None:
    """The picture's fields lie as the file says."""
    return find_other_fields(exposure)


def find_impossible(exposure: Exposure) -> str | None:
    """Say which shares cannot be, or None."""
    for what in (exposure, *exposure.per_scene):
        lost = what.overexposed_percentage + what.underexposed_percentage
        if not 0 <= lost <= 100.01:
            return f"{lost:.1f} percent of the picture would be clipped"
    return None


def find_other_fields(exposure: Exposure) -> str | None:
    """Say where the picture contradicts the file's field order, or None."""
    fields = exposure.interlacing
    if fields.agrees is not False:
        return None
    return f"the file says {fields.declared}, but the picture is {fields.found}"


def _rate(light: judged.Light, transfer: judged.Transfer) -> judged.Quality:
    """Rate light, unless nobody here can tell light from its codes."""
    if transfer.log_curve is not None and not is_known(transfer.log_curve):
        return "unknown"
    return light.quality()


def _of_scene(scene: Scene, seen: Measurements, transfer: judged.Transfer) -> SceneExposure:
    """Judge a scene by the frames of it that were looked at, or by the nearest one."""
    index = seen.sample_index
    inside = (index >= scene.start_frame) & (index < scene.end_frame)
    if not inside.any():
        middle = (scene.start_frame + scene.end_frame) / 2
        inside = np.arange(len(index)) == int(np.argmin(np.abs(index - middle)))
    light = judged.measure_light(seen.histogram[inside], transfer)
    return SceneExposure(
        number=scene.number,
        stops=light.stops,
        overexposed_percentage=light.over,
        underexposed_percentage=light.under,
        mean_level=light.mean_level,
        overall_quality=_rate(light, transfer),
    )


def _is_clipped(scene: SceneExposure) -> bool:
    lost = max(scene.overexposed_percentage, scene.underexposed_percentage)
    return lost > judged.WARNING_SHARE * 100


def _focus(seen: Measurements) -> Focus:
    softest = int(np.argmin(seen.focus))
    return Focus(
        median=round(float(np.median(seen.focus)), 2),
        lowest=round(float(seen.focus.min()), 2),
        highest=round(float(seen.focus.max()), 2),
        softest_time_s=round(float(seen.time_s[seen.sample_index[softest]]), 6),
    )


def _declared_order(probe: Probe) -> Literal["progressive", "tff", "bff"] | None:
    if probe.video.field_order == "progressive":
        return "progressive"
    is_bottom_first = probe.video.is_bottom_first
    return None if is_bottom_first is None else "bff" if is_bottom_first else "tff"


def _interlacing(
    found: judged.Order, declared: Literal["progressive", "tff", "bff"] | None
) -> Interlacing:
    known = found != "unknown" and declared is not None
    return Interlacing(found=found, declared=declared, agrees=found == declared if known else None)


def _spans(ranges: tuple[tuple[float, float], ...]) -> tuple[Span, ...]:
    return tuple(Span(start_s=start_s, end_s=end_s) for start_s, end_s in ranges)


def _total(spans: tuple[Span, ...]) -> float:
    return round(sum(span.end_s - span.start_s for span in spans), 3)
