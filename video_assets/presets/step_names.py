"""Step names that presets may use for an asset: other ways to make it, or what it was called."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StepName:
    """One name of an asset's step.

    params    settings that the name stands for
    requires  the checksum algorithm that the catalogue must have
    """

    asset: str
    description: str
    params: Mapping[str, Any] = field(default_factory=dict)
    requires: str | None = None


def _thumbnails(name: str, description: str) -> StepName:
    return StepName("thumbnails", description, {"implementation": name})


STEP_NAMES: Mapping[str, StepName] = {
    "blake3_checksum": StepName("checksum", "clips known by BLAKE3", requires="blake3"),
    "md5_checksum": StepName("checksum", "clips known by MD5", requires="md5"),
    "ffmpeg_extractor": StepName("probe", "what FFmpeg's libraries read from the header"),
    "mediainfo_extractor": StepName("media_info", "what MediaInfo's library tells"),
    "hdr_extractor": StepName("color", "HDR format, light levels and colour"),
    "exiftool_extractor": StepName("camera", "what exiftool reads from the tags"),
    "parallel_thumbs": _thumbnails("parallel_thumbs", "seeks to each position; the default"),
    "opencv_thumbs": _thumbnails(
        "opencv_thumbs", "OpenCV's reader, exact and slow; HDR stays pale"
    ),
    "ffmpeg_thumbs": _thumbnails("ffmpeg_thumbs", "keyframes in one pass; needs no index"),
    "ffmpeg_compress": StepName("proxy", "the small copy"),
    "ai_focal_length": StepName("focal_length", "a model's eye where the camera is silent"),
    "exposure_analysis": StepName("exposure", "light, black, frozen and silent ranges"),
    "claude_analyzer": StepName("claude_analysis", "Anthropic's Claude, shown frames"),
    "local_llava": StepName("local_analysis", "LLaVA or another model on a server of your own"),
    "bge_embeddings": StepName(
        "embeddings", "BAAI/bge-m3, by DeepInfra unless base_url says otherwise"
    ),
    "gemini_analyzer": StepName(
        "gemini_analysis", "Google's Gemini, shown when it is whole", {"save_partial": False}
    ),
    "gemini_streaming": StepName(
        "gemini_analysis", "Google's Gemini, shown as it comes", {"save_partial": True}
    ),
    "supabase_store": StepName("video_document", "everything in one document"),
}


def names_of(asset: str) -> dict[str, str]:
    """Give the other names of an asset's step, and what each means."""
    return {name: each.description for name, each in STEP_NAMES.items() if each.asset == asset}


def asset_of(name: str) -> str:
    """Give the asset that a step's name stands for; another name is taken for an asset's own."""
    return STEP_NAMES[name].asset if name in STEP_NAMES else name


def resolve(written: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a step as a preset writes it into one that names its asset."""
    name, params = written.get("name"), written.get("params", {})
    known = STEP_NAMES.get(str(written.get("implementation") or name))
    if known is None or not isinstance(params, Mapping):
        return dict(written)
    implementation = {} if written.get("implementation") else {"implementation": name}
    return {
        **written,
        **implementation,
        "name": asset_of(str(name)),
        "params": {**known.params, **params},
    }


def implementation_of(asset: str, params: Mapping[str, Any]) -> str | None:
    """Name the one way to make an asset that these settings mean, or None."""
    ways = [
        name
        for name, each in STEP_NAMES.items()
        if each.asset == asset and not each.requires and each.params.items() <= params.items()
    ]
    return ways[0] if len(ways) == 1 else None


def contradiction(asset: str, implementation: str | None, params: Mapping[str, Any]) -> str | None:
    """Say how a step's implementation and what else it says exclude each other, or None."""
    if implementation is None:
        return None
    known = STEP_NAMES.get(implementation)
    if known is None or known.asset != asset:
        names = sorted(names_of(asset))
        return f"{implementation} is no way to make {asset}; known: {', '.join(names) or 'none'}"
    for setting, value in known.params.items():
        if params.get(setting) != value:
            return f"{implementation} means {setting} {value}, found {params.get(setting)!r}"
    return None
