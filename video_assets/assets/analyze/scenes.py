"""Scenes: the shots of each clip, with exact source times and a still of each.

Reads the measures and the pictures of the proxy; writes JPEG artifacts and one Scenes per clip.
A clip without a cut is one scene, and together they fill it without gaps.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.derive.proxy import Proxy
from video_assets.clip_asset import clip_asset, clip_check
from video_assets.media.frames import choose_video, find_access, frames_shown, seconds_to_pts
from video_assets.media.measurements import Measurements
from video_assets.media.shots import Shot, find_shots, score
from video_assets.media.source import open_media
from video_assets.media.thumbnails import encode_jpeg
from video_assets.storage.artifacts import ArtifactFolder

QUALITY = 85
FULL_DETAIL = 500
"""Scenes of which a still is kept; a clip of more is no footage, and its stills are left out."""


class Scene(BaseModel):
    """One shot: from `start_s` up to and without `end_s`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(ge=1)
    start_s: float = Field(description="of its first frame, from the clip's start")
    end_s: float = Field(description="of the first frame after it, or the clip's end")
    start_pts: int = Field(description="time stamp in the source's video stream")
    end_pts: int | None = Field(description="None: the scene lasts to the end")
    start_frame: int = Field(ge=0, description="counted in decoded frames, from 0")
    end_frame: int = Field(ge=1, description="the first frame after it")
    begins_with: Literal["start", "cut", "fade"]
    change: float = Field(description="difference to the frame before, 0 to 255; 0 at the start")
    representative_frame: str | None = Field(description="JPEG in the artifact store")
    representative_time_s: float | None


class Scenes(BaseModel):
    """The shots of one clip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenes: tuple[Scene, ...] = Field(min_length=1)
    scene_changes: tuple[float, ...] = Field(description="seconds at which a later scene begins")
    warnings: tuple[str, ...]


def summarize(scenes: Scenes, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give the numbers that are worth plotting."""
    lengths = sorted(scene.end_s - scene.start_s for scene in scenes.scenes)
    return {
        "scenes": len(lengths),
        "fades": sum(scene.begins_with == "fade" for scene in scenes.scenes),
        "median_scene_s": round(lengths[len(lengths) // 2], 3),
        "shortest_scene_s": round(lengths[0], 3),
    }


@clip_asset(lane="default", code_version="2", metadata=summarize)
def scenes(proxy: Proxy, artifacts: ArtifactFolder) -> Scenes:
    """The shots of each clip: cuts and fades at exact source times, with a still of each."""
    seen = Measurements.load(artifacts.upstream(proxy.measurements))
    shots = find_shots(seen)
    stills = _take_stills(artifacts.upstream(proxy.file), seen, shots[:FULL_DETAIL], artifacts)
    changes = score(seen)
    found = []
    for number, shot in enumerate(shots, start=1):
        name, time_s = stills.get(number, (None, None))
        is_last = shot.end == seen.frame_count
        end_s = float(seen.time_s[-1]) + seen.spacing_s() if is_last else seen.time_s[shot.end]
        found.append(
            Scene(
                number=number,
                start_s=round(float(seen.time_s[shot.first]), 6),
                end_s=round(float(end_s), 6),
                start_pts=int(seen.pts[shot.first]),
                end_pts=None if is_last else int(seen.pts[shot.end]),
                start_frame=shot.first,
                end_frame=shot.end,
                begins_with=shot.begins_with,
                change=round(float(changes[shot.first]), 2) if number > 1 else 0.0,
                representative_frame=name,
                representative_time_s=time_s,
            )
        )
    too_many = len(shots) - FULL_DETAIL
    return Scenes(
        scenes=tuple(found),
        scene_changes=tuple(scene.start_s for scene in found[1:]),
        warnings=(f"{too_many} scenes have no still: there are too many",) if too_many > 0 else (),
    )


@clip_check(scenes)
def scenes_fill_the_clip(scenes: Scenes) -> str | None:
    """Each scene lasts, and the next begins where it ends."""
    return find_hole(scenes)


def find_hole(scenes: Scenes) -> str | None:
    """Say where scenes do not follow on each other, or None."""
    for scene in scenes.scenes:
        if scene.end_frame <= scene.start_frame:
            return f"scene {scene.number} has no frame"
    for before, after in zip(scenes.scenes, scenes.scenes[1:], strict=False):
        if before.end_frame != after.start_frame:
            return f"scene {after.number} does not begin where scene {before.number} ends"
    return None


def _take_stills(
    proxy: Path, seen: Measurements, shots: list[Shot], artifacts: ArtifactFolder
) -> dict[int, tuple[str, float]]:
    """Take the proxy's picture nearest to the middle of each shot that has one."""
    times: dict[int, float] = {}
    for number, shot in enumerate(shots, start=1):
        inside = [int(i) for i in seen.proxy_index if shot.first <= i < shot.end]
        if inside:
            middle_s = (seen.time_s[shot.first] + seen.time_s[shot.end - 1]) / 2
            times[number] = min(
                (float(seen.time_s[i]) for i in inside), key=lambda t, m=middle_s: abs(t - m)
            )
    stills: dict[int, tuple[str, float]] = {}
    with open_media(proxy) as container:
        stream = choose_video(container)
        if stream is None or not times:
            return {}
        moments = [seconds_to_pts(max(0.0, time_s), stream) for time_s in times.values()]
        accesses = [find_access(container, stream, moment) for moment in moments]
        for (number, time_s), (_, frame) in zip(
            times.items(), frames_shown(container, stream, accesses), strict=False
        ):
            image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            data = encode_jpeg(image, QUALITY)
            stills[number] = (artifacts.write(f"scene_{number:04d}.jpg", data), round(time_s, 6))
    return stills
