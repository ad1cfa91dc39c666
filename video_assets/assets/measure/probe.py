"""Probe: what a clip is, from its header and from one decoded frame.

Reads the source in milliseconds; writes one Probe per clip. Every other analyzer that reads
pictures starts from it. A header that lies is held against the packets, and what disagrees is
a warning.
"""

from fractions import Fraction
from typing import Any

import dagster as dg

from video_assets.clip_asset import clip_asset, clip_check
from video_assets.media.probe import MediaFacts, probe_media
from video_assets.media.source import Source
from video_assets.storage.artifacts import ArtifactFolder

SHORTEST_FRAME_S = 1 / 1000


class Probe(MediaFacts):
    """What one clip is: container, length, picture, sound, subtitles and every stream."""


def summarize(probe: Probe, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give the numbers that are worth plotting over all clips, and the words to filter by."""
    video = probe.video
    rate = float(Fraction(video.frame_rate)) if video.frame_rate else None
    facts = {
        "duration_s": probe.duration_s,
        "width": video.display_width,
        "height": video.display_height,
        "frame_rate": rate,
        "megabits_per_s": probe.bit_rate_bps / 1e6 if probe.bit_rate_bps else None,
        "size_bytes": probe.size_bytes,
        "rotation": video.rotation,
        "bit_depth": video.bit_depth,
        "audio_tracks": len(probe.audio_tracks),
        "subtitle_tracks": len(probe.subtitle_tracks),
        "codec": video.codec,
        "container": probe.container,
        "transfer": video.color_transfer,
        "timecode": probe.timecode,
        "variable_frame_rate": video.is_variable_frame_rate,
    }
    shown = {name: value for name, value in facts.items() if value is not None}
    if probe.warnings:
        shown["warnings"] = dg.MetadataValue.json(list(probe.warnings))
    return shown


def find_contradiction(probe: Probe) -> str | None:
    """Say what about a clip cannot be, or None."""
    video = probe.video
    if not probe.duration_s or probe.duration_s < SHORTEST_FRAME_S:
        return f"the clip lasts {probe.duration_s} s; nothing in it says how long it is"
    if min(video.display_width, video.display_height) < 2:
        return f"the picture is {video.display_width}x{video.display_height} pixels"
    if not video.frame_rate:
        return "the frame rate is unknown"
    return "; ".join(probe.warnings) or None


@clip_asset(lane="metadata", code_version="2", metadata=summarize)
def probe(source: Source) -> Probe:
    """What each clip is: container, length, picture, sound, subtitles, timecode.

    Read from the header and checked against the packets; one decoded frame proves that it plays.
    """
    return Probe.model_validate(dict(probe_media(source.path)))


@clip_check(probe)
def probe_is_plausible(probe: Probe) -> str | None:
    """A clip lasts at least a moment, has a picture and does not contradict itself."""
    return find_contradiction(probe)
