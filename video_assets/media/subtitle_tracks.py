"""Subtitles of a clip: the text track in its container that says most of what is said."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import av.stream
from av.subtitles.stream import SubtitleStream

from video_assets.media.audio_tracks import short_language
from video_assets.media.errors import ChangedWhileReadError
from video_assets.media.regular_file import explain_os_error
from video_assets.media.source import open_media
from video_assets.media.subtitles import Cue, NoSubtitlesError, read_document, read_packet, tidy
from video_assets.media.tracks import codec_name, language

TEXT_CODECS = {"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"}
SIDECARS = (".srt", ".vtt", ".ass", ".ssa")
_UNTIMED_S = 3.0  # how long a cue without an end is shown at most
_LARGEST_SIDECAR = 32 * 2**20


@dataclass(frozen=True)
class Subtitles:
    """What one track or file says, on the clip's clock."""

    cues: tuple[Cue, ...]
    language: str | None


def read_tracks(
    path: Path, clip_start_s: float, wanted: str | None = None, spoken: str | None = None
) -> Subtitles | None:
    """Read the best text track, or the next one if it holds no text; None if there is no text.

    Raises UnreadableError if the file cannot be read.
    """
    with open_media(path) as container:
        streams = choose_subtitles(container, wanted, spoken)
        cues: dict[int, list[Cue]] = {stream.index: [] for stream in streams}
        for packet in _packets(container, streams):
            if (cue := _cue(packet, clip_start_s)) is not None:
                cues[packet.stream.index].append(cue)
        for stream in streams:
            if found := tidy(_ended(cues[stream.index])):
                return Subtitles(tuple(found), short_language(language(stream)))
    return None


def choose_subtitles(
    container: av.container.InputContainer, wanted: str | None = None, spoken: str | None = None
) -> list[SubtitleStream]:
    """List the text tracks, best first: in the language wanted or spoken, then the default one.

    Forced tracks are left out: they translate signs, or the few lines in another language. With
    a wanted language, a track that says it is in another one is left out too.
    """
    short = short_language(wanted)
    streams = [
        stream
        for stream in container.streams.subtitles
        if codec_name(stream) in TEXT_CODECS and not stream.disposition & _KIND.forced
    ]
    if short:
        streams = [each for each in streams if short_language(language(each)) in (short, None)]
    return sorted(streams, key=lambda stream: _order(stream, short or short_language(spoken)))


def read_sidecar(path: Path, wanted: str | None) -> Subtitles | None:
    """Read the file of subtitles beside a clip: clip.srt, or clip.en.srt.

    Raises ChangedWhileReadError if one is there but cannot be read as what its name says.
    """
    for file, code in sorted(_sidecars(path, short_language(wanted)), key=_sidecar_order):
        try:
            cues = read_document(file.read_bytes(), file.suffix.lower())
        except OSError as error:
            raise ChangedWhileReadError(f"the subtitles: {explain_os_error(error)}") from None
        except NoSubtitlesError:
            raise ChangedWhileReadError(
                f"the {file.suffix.lower()} file beside the clip holds no such subtitles; "
                "repair or remove it, or turn sidecar off in the preset"
            ) from None
        if cues:
            return Subtitles(tuple(cues), code)
    return None


_KIND = av.stream.Disposition


def _order(stream: SubtitleStream, wanted: str | None) -> tuple[bool, bool, bool, bool, int]:
    is_wanted = wanted is not None and short_language(language(stream)) == wanted
    return (
        not is_wanted,
        bool(stream.disposition & (_KIND.comment | _KIND.lyrics)),
        bool(stream.disposition & _KIND.hearing_impaired),
        not stream.disposition & _KIND.default,
        stream.index,
    )


def _packets(container: Any, streams: list[SubtitleStream]) -> Iterator[Any]:
    if not streams:
        return
    try:
        yield from container.demux(*streams)
    except (av.error.FFmpegError, IndexError):  # it ends in a packet; see frames.packets
        return


def _cue(packet: Any, clip_start_s: float) -> Cue | None:
    if packet.pts is None or not packet.size:
        return None
    start_s = float(packet.pts * packet.time_base) - clip_start_s
    length_s = float((packet.duration or 0) * packet.time_base)
    text, speaker = read_packet(codec_name(packet.stream) or "", bytes(packet))
    return Cue(max(0.0, start_s), max(0.0, start_s + length_s), text, speaker)


def _ended(cues: list[Cue]) -> Iterator[Cue]:
    """End a cue that does not say how long it is shown where the next begins."""
    for number, cue in enumerate(cues):
        if cue.end_s > cue.start_s:
            yield cue
            continue
        after = (other.start_s for other in cues[number + 1 :] if other.start_s > cue.start_s)
        end_s = min(next(after, cue.start_s + _UNTIMED_S), cue.start_s + _UNTIMED_S)
        yield Cue(cue.start_s, end_s, cue.text, cue.speaker)


def _sidecars(path: Path, wanted: str | None) -> Iterator[tuple[Path, str | None]]:
    for file in path.parent.iterdir():
        if file.suffix.lower() not in SIDECARS or not file.is_file():
            continue
        code = file.stem[len(path.stem) + 1 :] if file.stem != path.stem else ""
        is_ours = file.stem == path.stem or file.stem.startswith(path.stem + ".")
        is_code = not code or (2 <= len(code) <= 7 and code.replace("-", "").isalpha())
        short = short_language(code)
        is_asked = wanted is None or short in (wanted, None)
        if is_ours and is_code and is_asked and file.stat().st_size <= _LARGEST_SIDECAR:
            yield file, short


def _sidecar_order(found: tuple[Path, str | None]) -> tuple[int, int, str]:
    file, code = found
    return (len(code or ""), SIDECARS.index(file.suffix.lower()), file.name)
