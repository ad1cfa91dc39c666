"""Sound and subtitle tracks as fully as probe and MediaInfo together can tell."""

import re
from collections.abc import Sequence

from pydantic import Field

from video_assets.media.mediainfo import Track, pair_tracks
from video_assets.media.probe import MediaFacts
from video_assets.media.tracks import AudioTrack, StreamFact, SubtitleTrack

_PCM_BITS = re.compile(r"pcm_[a-z]+?(\d+)(?:le|be)?")
_UNNAMED = {"1 channels": "mono", "2 channels": "stereo"}  # as every player takes them
_CAPTIONS = ("EIA-608", "EIA-708", "ARIB STD B24/B37")
_HIGHEST_BIT_DEPTH = 64
_NO_STREAM = StreamFact(
    index=-1, kind="", codec=None, language=None, title=None, is_default=False, is_cover=False
)


class ToldAudio(AudioTrack):
    """One sound stream."""

    title: str | None = Field(description="name that an editor gave it")
    is_default: bool
    is_forced: bool
    format: str | None = Field(description="trade name: Dolby Digital Plus with Dolby Atmos, …")
    bit_rate_mode: str | None = Field(description="CBR or VBR")


class ToldSubtitle(SubtitleTrack):
    """One subtitle stream."""

    is_default: bool
    is_forced: bool


def describe_sounds(
    tracks: Sequence[Track], facts: MediaFacts, forced: frozenset[int]
) -> tuple[ToldAudio, ...]:
    """Tell of every sound stream; `forced` are the streams with that mark."""
    indexes = [int(audio.track_id) for audio in facts.audio_tracks]
    pairs = zip(facts.audio_tracks, pair_tracks(tracks, indexes), strict=True)
    return tuple(_describe_sound(audio, track, facts, forced) for audio, track in pairs)


def _describe_sound(
    audio: AudioTrack, track: Track, facts: MediaFacts, forced: frozenset[int]
) -> ToldAudio:
    stream = _stream(facts, audio.track_id)
    layout = _UNNAMED.get(audio.channel_layout or "", audio.channel_layout)
    told = {
        "channel_layout": layout or track.text("channel_layout"),
        "bit_depth": exact_bit_depth(audio, track),
        "bit_rate_kbps": audio.bit_rate_kbps or _declared_kbps(track),
        "language": audio.language or track.text("language"),
        "title": stream.title,
        "is_default": stream.is_default,
        "is_forced": stream.index in forced,
        "format": track.text("commercial_name"),
        "bit_rate_mode": track.text("bit_rate_mode"),
    }
    return ToldAudio.model_validate(audio.model_dump() | told)


def exact_bit_depth(audio: AudioTrack, track: Track) -> int | None:
    """Give the bits of a sample that is kept as it was; None for lossy codecs, which have none.

    FFmpeg decodes 24 bits into 32, and muxers write 32 for codecs that have no depth.
    """
    if found := _PCM_BITS.match(audio.codec or ""):
        return int(found[1])
    if track.text("compression_mode") != "Lossless":
        return None
    depth = track.count("bit_depth")
    return depth if depth is not None and depth <= _HIGHEST_BIT_DEPTH else None


def _declared_kbps(track: Track) -> int | None:
    is_exact = track.text("bit_rate_mode") == "CBR" or track.text("compression_mode") == "Lossless"
    rate = track.number("bit_rate") if is_exact else None
    return round(rate / 1000) if rate and 500 <= rate < 2**31 else None


def describe_subtitles(facts: MediaFacts, forced: frozenset[int]) -> tuple[ToldSubtitle, ...]:
    """Tell of every subtitle stream; `forced` are the streams with that mark."""
    streams = [_stream(facts, subtitle.track_id) for subtitle in facts.subtitle_tracks]
    return tuple(
        ToldSubtitle.model_validate(
            subtitle.model_dump()
            | {"is_default": stream.is_default, "is_forced": stream.index in forced}
        )
        for subtitle, stream in zip(facts.subtitle_tracks, streams, strict=True)
    )


def describe_captions(tracks: Sequence[Track]) -> tuple[str, ...]:
    """Name the kinds of captions that lie hidden in the picture, without a stream of their own."""
    kinds = (track.text("format") for track in tracks)
    return tuple(dict.fromkeys(kind for kind in kinds if kind in _CAPTIONS))


def _stream(facts: MediaFacts, track_id: str) -> StreamFact:
    return next((each for each in facts.streams if str(each.index) == track_id), _NO_STREAM)
