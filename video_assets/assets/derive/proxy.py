"""Proxy: a small copy of each clip, and what one decode of the source showed.

Reads the source once, start to end; writes an MP4, the measures of every frame, and one Proxy per
clip. Whatever looks at pictures afterwards (scenes, exposure, people, paid services) reads these.
"""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from video_assets.assets.measure.probe import Probe
from video_assets.clip_asset import clip_asset, clip_check
from video_assets.media.encoders import choose_encoder, family_of
from video_assets.media.hashing import hash_file
from video_assets.media.loudness import Sound
from video_assets.media.picture import proxy_size, warnings_about
from video_assets.media.proxy import ProxyPass, make_proxy
from video_assets.media.proxy_writer import ProxyPlan
from video_assets.media.source import Source
from video_assets.progress import Progress
from video_assets.storage.artifacts import ArtifactFolder

PROXY = "proxy.mp4"
MEASUREMENTS = "measurements.npz"
LOSS_S = 0.5
LOSS_SHARE = 0.02
_UNITS = {"": 1, "k": 1000, "m": 1_000_000}


def bits_per_second(written: object) -> object:
    """Read `1000k` or `2M` as bits a second."""
    found = re.fullmatch(r"(\d+)([kKmM]?)", written) if isinstance(written, str) else None
    return int(found[1]) * _UNITS[found[2].lower()] if found else written


def known_codec(codec: object) -> object:
    """Accept a codec or one of its encoders. Raises ValueError for another."""
    if isinstance(codec, str):
        family_of(codec)
    return codec


class ProxySettings(BaseModel):
    """What a proxy is like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    codec: Annotated[str, BeforeValidator(known_codec)] = Field(
        default="h264", description="h264 or hevc, by the best encoder here, or a named encoder"
    )
    bitrate: Annotated[int, BeforeValidator(bits_per_second)] = Field(
        default=1_000_000, ge=50_000, description="most bits a second of the picture: 1000k, 2M"
    )
    fps: float = Field(default=5, gt=0, le=60, description="most pictures a second")
    height: int = Field(default=480, ge=64, le=4320, description="of the shorter side, in pixels")


class Proxy(BaseModel):
    """The proxy of one clip, and what the pass over its source found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(description="in the artifact store")
    file_digest: str = Field(description="BLAKE3 of the file")
    codec: str
    encoder: str
    is_hardware: bool
    bit_rate_bps: int = Field(description="of the whole file, as it came out")
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    frame_rate: float = Field(description="most pictures a second")
    frame_count: int = Field(ge=1)
    duration_s: float
    size_bytes: int = Field(gt=0)
    has_audio: bool
    measurements: str = Field(description="in the artifact store; read with media.measurements")
    measurements_digest: str
    source_frame_count: int = Field(ge=1, description="frames that came out of the decoder")
    source_duration_s: float = Field(description="from the first frame to the end of the last")
    declared_duration_s: float | None = Field(description="of the picture, else of the clip")
    decoded_duration_s: float = Field(description="of that, what came out of the decoder")
    damaged_packets: int = Field(ge=0, description="of picture and sound that did not decode")
    sound_tracks: int = Field(ge=0, description="that the clip declares")
    sound: Sound | None = Field(description="None: nothing to hear could be decoded")
    warnings: tuple[str, ...]


def summarize(proxy: Proxy, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give the numbers that are worth plotting."""
    facts = {
        "size_bytes": proxy.size_bytes,
        "duration_s": proxy.duration_s,
        "source_frames": proxy.source_frame_count,
        "damaged_packets": proxy.damaged_packets,
        "encoder": proxy.encoder,
        "kilobits_per_s": proxy.bit_rate_bps / 1000,
        "loudness_lufs": proxy.sound.integrated_lufs if proxy.sound else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def find_loss(proxy: Proxy) -> str | None:
    """Say how much of a clip did not come out of the decoder, or None."""
    declared, decoded = proxy.declared_duration_s or 0.0, proxy.decoded_duration_s
    if decoded < declared - max(LOSS_S, LOSS_SHARE * declared):
        return (
            f"the clip says it lasts {declared:.2f} s, but only {decoded:.2f} s of it decode; "
            "copy it from the card again"
        )
    if proxy.damaged_packets:
        return f"{proxy.damaged_packets} packets did not decode; the clip is damaged there"
    return None


def find_unplayable(proxy: Proxy) -> str | None:
    """Say what about a proxy cannot be, or None."""
    missing = proxy.source_duration_s - proxy.duration_s
    if missing > max(LOSS_S, 1 / proxy.frame_rate):
        return f"the proxy is {missing:.2f} s shorter than its source; make it again"
    if proxy.sound is not None and not proxy.has_audio:
        return f"the sound begins {proxy.sound.start_s:.1f} s late and is left out of the proxy"
    return None


def find_silence(proxy: Proxy) -> str | None:
    """Say why a clip with sound tracks has nothing to hear, or None."""
    if proxy.sound_tracks and proxy.sound is None:
        return f"none of the {proxy.sound_tracks} sound tracks decodes"
    if proxy.sound is not None and proxy.sound.is_silent:
        return "the sound is silent from start to end; was the microphone connected?"
    return None


@clip_asset(lane="compression", code_version="2", metadata=summarize)
def proxy(
    source: Source,
    probe: Probe,
    settings: ProxySettings,
    artifacts: ArtifactFolder,
    progress: Progress,
) -> Proxy:
    """A small copy of each clip with its sound, and measures of every frame of the source."""
    encoder = choose_encoder(settings.codec)
    size = proxy_size(probe.video, settings.height)
    plan = ProxyPlan(size, settings.fps, settings.bitrate, encoder)
    with artifacts.create(PROXY) as goal:
        done = make_proxy(source.path, probe, plan, goal, progress)
    with artifacts.create(MEASUREMENTS) as goal:
        done.measurements.save(goal)
    return describe(done, plan, probe, artifacts)


@clip_check(proxy)
def decodes_whole(proxy: Proxy) -> str | None:
    """As much comes out of the decoder as the header says, and nothing is damaged."""
    return find_loss(proxy)


@clip_check(proxy)
def proxy_plays(proxy: Proxy) -> str | None:
    """The proxy is as long as its source and has its sound."""
    return find_unplayable(proxy)


@clip_check(proxy)
def sound_is_heard(proxy: Proxy) -> str | None:
    """Where there is a sound track there is something to hear."""
    return find_silence(proxy)


def describe(done: ProxyPass, plan: ProxyPlan, probe: Probe, artifacts: ArtifactFolder) -> Proxy:
    """Put together what was made and what was found."""
    file, measured = artifacts.path_of(PROXY), artifacts.path_of(MEASUREMENTS)
    seen, size_bytes = done.measurements, file.stat().st_size
    length_s = float(seen.time_s.max() - seen.time_s.min()) + seen.spacing_s()
    return Proxy(
        file=artifacts.name_of(PROXY),
        file_digest=hash_file(file).hexdigest,
        codec=plan.encoder.family,
        encoder=plan.encoder.name,
        is_hardware=plan.encoder.is_hardware,
        bit_rate_bps=round(size_bytes * 8 / done.end_s),
        width=plan.size[0],
        height=plan.size[1],
        frame_rate=plan.frame_rate,
        frame_count=len(seen.proxy_index),
        duration_s=round(done.end_s, 6),
        size_bytes=size_bytes,
        has_audio=done.has_audio,
        measurements=artifacts.name_of(MEASUREMENTS),
        measurements_digest=hash_file(measured).hexdigest,
        source_frame_count=seen.frame_count,
        source_duration_s=round(length_s, 6),
        declared_duration_s=probe.video.duration_s or probe.duration_s,
        decoded_duration_s=round(_decoded_s(done, length_s, probe), 6),
        damaged_packets=seen.damaged + done.damaged_sound,
        sound_tracks=len(probe.audio_tracks),
        sound=done.sound,
        warnings=warnings_about(probe.video, "the proxy is"),
    )


def _decoded_s(done: ProxyPass, picture_s: float, probe: Probe) -> float:
    """Give the length of what decoded, counted as the length that the file declares."""
    video = probe.video
    if video.duration_s is None:
        return done.end_s
    if probe.format_name.startswith("matroska"):  # which counts it from the clip's start
        return picture_s + max(0.0, video.start_time_s - probe.start_time_s)
    return picture_s
