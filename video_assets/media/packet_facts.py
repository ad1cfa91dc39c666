"""What a clip's packets tell of its coding: bit rate and distance of keyframes, undecoded.

MediaInfo estimates both where no index lists the packets: measured against real clips it was a
quarter too high for one transport stream, and as much too low for two Matroska files.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import av.container
import av.error
from av.stream import Disposition
from av.video.stream import VideoStream

from video_assets.media.errors import NotAVideoError
from video_assets.media.frames import choose_video
from video_assets.media.packets import has_whole_index
from video_assets.media.source import open_media

# Read where no index lists the packets: seconds of a professional format, minutes of others.
_MOST_READ_BYTES = 64 * 2**20
_MOST_PACKETS = 20_000
_MOST_LISTED = 5000  # index entries looked at: minutes, many GOPs


@dataclass(frozen=True)
class PacketFacts:
    """What the packets of the picture tell."""

    bit_rate_bps: int | None
    """Of the whole stream; None where only its beginning was read."""
    gop_size: int | None
    """The usual distance of keyframes in frames; None where there are not two of them."""
    forced: frozenset[int]
    """Streams that are shown even when nobody asks for subtitles, or heard so."""


def read_packet_facts(path: Path) -> PacketFacts:
    """Read what the packets of the picture tell, from the index where it lists them all.

    Raises UnreadableError and NotAVideoError.
    """
    with open_media(path) as container:
        stream = choose_video(container)
        if stream is None:
            raise NotAVideoError("expected a video, found no picture stream")
        forced = frozenset(
            each.index for each in container.streams if each.disposition & Disposition.forced
        )
        if has_whole_index(container, stream):
            context = stream.codec_context  # None for a codec that FFmpeg does not know
            rate = context.bit_rate if context is not None else None  # it adds up the index
            return PacketFacts(rate or None, usual_gop(_listed_keys(stream)), forced)
        packets = _Packets.read(container, stream)
        return PacketFacts(packets.bit_rate_bps, usual_gop(packets.keys), forced)


def usual_gop(keys: Iterable[bool]) -> int | None:
    """Give the most common distance of keyframes, the longer one of equals."""
    places = [place for place, is_key in enumerate(keys) if is_key]
    counts = Counter(after - before for before, after in pairwise(places))
    return max(counts, key=lambda distance: (counts[distance], distance), default=None)


def _listed_keys(stream: VideoStream) -> list[bool]:
    entries = stream.index_entries
    return [entries[at].is_keyframe for at in range(min(len(entries), _MOST_LISTED))]


@dataclass(frozen=True)
class _Packets:
    """The packets of the picture, as far as they were read."""

    keys: list[bool]
    bit_rate_bps: int | None

    @classmethod
    def read(cls, container: av.container.InputContainer, stream: VideoStream) -> "_Packets":
        """Read packets up to the limits."""
        shown: list[tuple[int, int, bool]] = []
        size_bytes, is_whole = 0, False
        try:
            for packet in container.demux(stream):
                size_bytes += packet.size
                if packet.size and packet.pts is not None:
                    shown.append((packet.pts, packet.duration or 0, packet.is_keyframe))
                if size_bytes > _MOST_READ_BYTES or len(shown) == _MOST_PACKETS:
                    break
            else:
                is_whole = True
        except (av.error.FFmpegError, IndexError):  # it ends in a packet; see frames.packets
            is_whole = False
        shown.sort()  # as shown: the keyframe of an open GOP is coded before the end of the last
        end = max((start + length for start, length, _ in shown), default=0)
        length_s = (end - shown[0][0]) * (stream.time_base or 0) if shown else 0
        rate = round(size_bytes * 8 / length_s) if is_whole and length_s > 0 else None
        return cls([is_key for _, _, is_key in shown], rate)
