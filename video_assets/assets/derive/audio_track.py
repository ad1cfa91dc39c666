"""Audio track: the sound of each clip as speech models take it, and when somebody speaks.

Reads the sound packets of the source, no picture; writes one file of 16 kHz mono and one
AudioTrackFile per clip. A clip without sound has an AudioTrackFile too, which says so.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from video_assets.assets.measure.probe import Probe
from video_assets.clip_asset import clip_asset, clip_check
from video_assets.media.audio import RATE, Sound, read_sound
from video_assets.media.audio_file import write_sound
from video_assets.media.audio_speech import Range, SpeechDetector
from video_assets.media.hashing import hash_file
from video_assets.media.source import Source
from video_assets.progress import Progress
from video_assets.storage.artifacts import ArtifactFolder

SILENCE = 33  # of 32768: -60 dBFS, as the proxy's measure of silence


class AudioTrackSettings(BaseModel):
    """Which track, and how it is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["flac", "wav"] = Field(default="flac", description="both are lossless")
    language: str | None = Field(
        default=None, description="of the track to take, en or eng; else the one players play"
    )


class AudioTrackFile(BaseModel):
    """The sound of one clip for speech recognition; None of everything where it has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str | None = Field(description="in the artifact store; None: no sound")
    file_digest: str | None = Field(description="BLAKE3 of the file")
    sample_rate: Literal[16_000] = 16_000
    channels: Literal[1] = 1
    duration_s: float = Field(ge=0)
    start_s: float = Field(description="first sample, from the clip's start")
    source_track: str | None = Field(description="stream number; 1+2: microphones mixed")
    language: str | None = Field(description="that the track declares")
    has_sound: bool = Field(description="something is louder than -60 dBFS")
    speech_ranges: tuple[Range, ...] = Field(description="start and end in s of the clip")
    damaged_packets: int = Field(ge=0, description="that did not decode")
    warnings: tuple[str, ...]


def summarize(track: AudioTrackFile, artifacts: ArtifactFolder) -> dict[str, Any]:
    """Give the numbers that are worth plotting."""
    speech_s = sum(end - begin for begin, end in track.speech_ranges)
    return {
        "duration_s": track.duration_s,
        "speech_s": round(speech_s, 3),
        "speech_ranges": len(track.speech_ranges),
        "has_sound": track.has_sound,
    }


def make_audio_track(
    source: Source,
    probe: Probe,
    settings: AudioTrackSettings,
    artifacts: ArtifactFolder,
    progress: Progress,
) -> AudioTrackFile:
    """Take the sound out of a clip and listen for speech, in one pass."""
    sound, detector, name = Sound(), SpeechDetector(), f"sound.{settings.format}"
    blocks = read_sound(source.path, probe.start_time_s, settings.language, sound)
    block = next(blocks, None)
    if block is None:
        return describe(sound, (), None, None, len(probe.audio_tracks))
    with artifacts.create(name) as goal, write_sound(goal, settings.format) as writer:
        while block is not None:
            writer.add(block)
            detector.add(block)
            if probe.duration_s:
                progress(sound.samples / RATE / probe.duration_s)
            block = next(blocks, None)
    digest = hash_file(artifacts.path_of(name)).hexdigest
    return describe(sound, detector.finish(), artifacts.name_of(name), digest, 1)


def describe(
    sound: Sound, speech: tuple[Range, ...], file: str | None, digest: str | None, declared: int
) -> AudioTrackFile:
    """Put together what was heard, on the clip's clock."""
    start_s, warnings = sound.start_s or 0.0, []
    if file is None and declared:
        warnings.append(f"none of the {declared} sound tracks decodes")
    if sound.damaged:
        warnings.append(f"{sound.damaged} packets of the sound did not decode")
    return AudioTrackFile(
        file=file,
        file_digest=digest,
        duration_s=round(sound.samples / RATE, 6),
        start_s=round(start_s, 6),
        source_track=sound.tracks,
        language=sound.language,
        has_sound=sound.peak > SILENCE,
        speech_ranges=tuple(
            (round(max(0.0, start_s + begin), 3), round(max(0.0, start_s + end), 3))
            for begin, end in speech
        ),
        damaged_packets=sound.damaged,
        warnings=tuple(warnings),
    )


@clip_asset(lane="default", code_version="1", metadata=summarize)
def audio_track(
    source: Source,
    probe: Probe,
    settings: AudioTrackSettings,
    artifacts: ArtifactFolder,
    progress: Progress,
) -> AudioTrackFile:
    """The sound of each clip at 16 kHz in mono, and when somebody speaks in it."""
    return make_audio_track(source, probe, settings, artifacts, progress)


@clip_check(audio_track)
def sound_decodes(audio_track: AudioTrackFile) -> str | None:
    """Where a clip has sound tracks, the chosen one decodes whole."""
    return "; ".join(audio_track.warnings) or None
