"""Whether a picture is coded in fields, and which one comes first, as is declared."""

from dataclasses import dataclass
from typing import Literal

from video_assets.media.mediainfo import Track
from video_assets.media.tracks import VideoTrack

ScanType = Literal["Progressive", "Interlaced"]
FirstField = Literal["TFF", "BFF"]

_SHOWN_FIRST: dict[bool | None, FirstField] = {False: "TFF", True: "BFF"}
_IN_FIELDS = ("Interlaced", "MBAFF", "PAFF", "Mixed")
_FRAMES_ONLY = ("av1", "vp8", "vp9")  # codecs that know no fields


@dataclass(frozen=True)
class Scanning:
    """How a picture is scanned; None where nothing is declared."""

    scan_type: ScanType | None
    field_order: FirstField | None
    disagreement: str | None = None


def read_scanning(track: Track, video: VideoTrack) -> Scanning:
    """Take what the decoder saw, and MediaInfo's word where it saw nothing.

    H.264 can switch fields on in its header and then code frames only, so the decoder is believed.
    """
    said = track.text("scan_order")
    theirs: FirstField | None = said if said in ("TFF", "BFF") else None
    if video.is_interlaced:
        ours = _SHOWN_FIRST.get(video.is_bottom_first)
        if ours and theirs and ours != theirs:
            return Scanning(
                "Interlaced",
                None,
                f"one description of the picture says {ours}, another {theirs}; "
                "look at the picture for its field order",
            )
        return Scanning("Interlaced", ours or theirs)
    if video.field_order == "progressive" or video.codec in _FRAMES_ONLY:
        return Scanning("Progressive", None)
    if track.text("scan_type") in _IN_FIELDS:
        return Scanning("Interlaced", theirs)
    return Scanning("Progressive" if track.text("scan_type") == "Progressive" else None, None)
