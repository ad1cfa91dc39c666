"""Which sound of a clip holds the speech."""

from collections.abc import Sequence

import av
import av.container
import av.stream
from av.audio.stream import AudioStream

from video_assets.media.tracks import language

_SAME_LANGUAGE = {
    "de": ("deu", "ger", "german"),
    "en": ("eng", "english"),
    "es": ("spa", "spanish"),
    "fr": ("fra", "fre", "french"),
    "it": ("ita", "italian"),
    "ja": ("jpn", "japanese"),
    "ko": ("kor", "korean"),
    "nl": ("nld", "dut", "dutch"),
    "pl": ("pol", "polish"),
    "pt": ("por", "portuguese"),
    "ru": ("rus", "russian"),
    "sv": ("swe", "swedish"),
    "tr": ("tur", "turkish"),
    "uk": ("ukr", "ukrainian"),
    "zh": ("zho", "chi", "chinese"),
}
_TWO_LETTERS = {long: short for short, all_long in _SAME_LANGUAGE.items() for long in all_long}


def short_language(code: str | None) -> str | None:
    """Write a language as speech models do: `eng`, `english` and `en-GB` are `en`."""
    if not code:
        return None
    first = code.replace("_", "-").split("-")[0].lower()
    return _TWO_LETTERS.get(first, first)


def choose_tracks(
    container: av.container.InputContainer, wanted: str | None = None
) -> list[AudioStream]:
    """Choose the track in the wanted language, else the one that players play.

    Recorders write every microphone as a mono track of its own: such tracks are one sound.
    """
    known = [stream for stream in container.streams.audio if stream.codec_context is not None]
    if not known:
        return []
    chosen = min(known, key=lambda stream: _order(stream, short_language(wanted)))
    return [stream for stream in known if stream is chosen or _is_same_sound(stream, chosen)]


def name_tracks(streams: Sequence[AudioStream]) -> str | None:
    """Name tracks by their stream numbers, as probe does: 1, or 1+2."""
    return "+".join(str(stream.index) for stream in streams) or None


def _order(stream: AudioStream, wanted: str | None) -> tuple[bool, bool, bool, int]:
    disposition = av.stream.Disposition
    is_wanted = wanted is not None and short_language(language(stream)) == wanted
    is_aside = bool(stream.disposition & (disposition.comment | disposition.visual_impaired))
    is_default = bool(stream.disposition & disposition.default)
    return (not is_wanted, is_aside, not is_default, stream.index)


def _is_same_sound(stream: AudioStream, chosen: AudioStream) -> bool:
    one, other = stream.codec_context, chosen.codec_context
    is_mono = one.channels == other.channels == 1
    return (
        is_mono
        and one.name == other.name
        and one.sample_rate == other.sample_rate
        and language(stream) == language(chosen)
    )
