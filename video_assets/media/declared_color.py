"""What a container and its stream say of colour, and where one contradicts the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from video_assets.media.color import HLG, MATRICES, PQ, PRIMARIES, TRANSFERS
from video_assets.media.mediainfo import Track
from video_assets.media.tracks import VideoTrack

Range = Literal["Limited", "Full"]

# What MediaInfo calls the code points of ITU-T H.273.
_PRIMARIES = {
    **{"BT.709": 1, "BT.470 System M": 4, "BT.601 PAL": 5, "BT.601 NTSC": 6, "SMPTE 240M": 7},
    **{"Generic film": 8, "BT.2020": 9, "XYZ": 10, "DCI P3": 11, "Display P3": 12},
    **{"EBU Tech 3213": 22},
}
_TRANSFERS = {
    **{"BT.709": 1, "BT.470 System M": 4, "BT.470 System B/G": 5, "BT.601": 6, "SMPTE 240M": 7},
    **{"Linear": 8, "Logarithmic (100:1)": 9, "Logarithmic (316.22777:1)": 10, "xvYCC": 11},
    **{"BT.1361": 12, "sRGB/sYCC": 13, "BT.2020 (10-bit)": 14, "BT.2020 (12-bit)": 15},
    **{"PQ": 16, "SMPTE 428M": 17, "HLG": 18},
}
_MATRICES = {
    **{"Identity": 0, "BT.709": 1, "FCC 73.682": 4, "BT.470 System B/G": 5, "BT.601": 6},
    **{"SMPTE 240M": 7, "YCgCo": 8, "BT.2020 non-constant": 9, "BT.2020 constant": 10},
    **{"Y'D'zD'x": 11, "Chromaticity-derived non-constant": 12},
    **{"Chromaticity-derived constant": 13, "ICtCp": 14},
}
_RANGES: dict[str, Range] = {"tv": "Limited", "pc": "Full"}
# Apple's and Android's players go by these containers' colr box; others look into the stream.
_ASKED_CONTAINERS = ("mp4", "mov", "3gp")
# Names of one curve and of one matrix: whoever takes one for the other shows the same picture.
_ALIKE = {
    "transfer": {"bt709", "smpte170m", "bt2020-10", "bt2020-12"},
    "matrix": {"bt470bg", "smpte170m"},
}
_DCI = {"smpte428", "smpte431"}


@dataclass(frozen=True)
class Declared:
    """The four facts of a colour encoding, by their names in ITU-T H.273; None: not said."""

    primaries: str | None
    transfer: str | None
    matrix: str | None
    range: Range | None

    @property
    def is_dci(self) -> bool:
        """Whether it is a cinema's: DCI-P3 or XYZ, with the projector's transfer or not."""
        return bool({self.primaries, self.transfer} & _DCI)


def read_declared(track: Track, video: VideoTrack) -> Declared:
    """Take what the decoder saw, and from MediaInfo what the decoder does not tell."""
    said = _said_by_mediainfo(track)
    return Declared(
        primaries=video.color_primaries or said.primaries,
        transfer=video.color_transfer or said.transfer,
        matrix=video.color_matrix or said.matrix,
        range=_RANGES.get(video.color_range or "") or said.range,
    )


def find_disagreements(track: Track, declared: Declared, container: str) -> Iterator[str]:
    """Yield a sentence for each fact that container and stream tell differently.

    declared   what the stream says
    container  its short name: mp4, mkv, …
    """
    said = _said_by_mediainfo(track)
    sources = {
        "primaries": "colour_primaries_source",
        "transfer": "transfer_characteristics_source",
        "matrix": "matrix_coefficients_source",
        "range": "colour_range_source",
    }
    for fact, source in sources.items():
        theirs, ours = getattr(said, fact), getattr(declared, fact)
        from_container = (track.text(source) or "").startswith("Container")
        if from_container and theirs and ours and not _means_the_same(fact, theirs, ours):
            yield f"the container says {fact} {theirs}, the stream {ours}; the stream is believed"
    is_silent = track.text(sources["transfer"]) == "Stream" and container in _ASKED_CONTAINERS
    if is_silent and declared.transfer in (PQ, HLG):
        yield (
            f"the stream is HDR ({declared.transfer}), of which the container says nothing; "
            "players that go by the container show it as SDR"
        )


def _means_the_same(fact: str, one: str, other: str) -> bool:
    return one == other or {one, other} <= _ALIKE.get(fact, set())


def _said_by_mediainfo(track: Track) -> Declared:
    spread: Range | None = None
    if (word := track.text("color_range")) in ("Limited", "Full"):
        spread = word
    return Declared(
        primaries=_name(PRIMARIES, _PRIMARIES, track.text("color_primaries")),
        transfer=_name(TRANSFERS, _TRANSFERS, track.text("transfer_characteristics")),
        matrix=_name(MATRICES, _MATRICES, track.text("matrix_coefficients")),
        range=spread,
    )


def _name(names: dict[int, str], codes: dict[str, int], word: str | None) -> str | None:
    return names.get(codes.get(word or "", -1))
