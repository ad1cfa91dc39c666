"""What a file is that cannot be opened as a clip, told from its own bytes."""

import os
import struct
from collections.abc import Iterator

from video_assets.media.errors import MediaError, NotAVideoError, UnreadableError

_SAMPLE_BYTES = 4096
_MOST_BOXES = 10_000

_PICTURES = "a {} picture"
_SIGNATURES = (
    (b"\xff\xd8\xff", _PICTURES.format("JPEG")),
    (b"\x89PNG\r\n\x1a\n", _PICTURES.format("PNG")),
    (b"GIF8", _PICTURES.format("GIF")),
    (b"BM", _PICTURES.format("BMP")),
    (b"II*\x00", _PICTURES.format("TIFF or raw")),
    (b"MM\x00*", _PICTURES.format("TIFF or raw")),
    (b"8BPS", _PICTURES.format("Photoshop")),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "a database"),
    (b"#EXTM3U", "a playlist"),
    (b"ffconcat", "a playlist"),
)
_STILL_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"crx "}
# The boxes at the top of a QuickTime or MP4 file (ISO/IEC 14496-12, table 1, and Apple's).
_BOXES = {
    *(b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"udta", b"uuid", b"meta"),
    *(b"moof", b"mfra", b"sidx", b"styp", b"pdin", b"emsg", b"ssix", b"prft"),
}


def name_foreign_content(head: bytes) -> str | None:
    """Say what a file is whose first bytes cannot be a clip's, or None.

    head  at least the first 16 bytes
    """
    if head[4:8] == b"ftyp":
        return _PICTURES.format("HEIF or raw") if head[8:12] in _STILL_BRANDS else None
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _PICTURES.format("WebP")
    if head[:2] == b"BM" and head[6:10] != b"\x00\x00\x00\x00":  # the reserved field of a BMP
        return None
    return next((what for start, what in _SIGNATURES if head.startswith(start)), None)


def explain_unopened(descriptor: int) -> MediaError:
    """Find out why no demuxer took a file, and what to do about it."""
    size_bytes = os.fstat(descriptor).st_size
    head = os.pread(descriptor, _SAMPLE_BYTES, 0)
    if not head.strip(b"\x00"):
        return UnreadableError(
            f"the first {len(head)} of {size_bytes} bytes are zeros: the copy was never filled; "
            "copy it from the card again"
        )
    if what := name_foreign_content(head):
        return NotAVideoError(f"expected a video, found {what}")
    if head[4:8] in _BOXES:
        return UnreadableError(_explain_quicktime(descriptor, size_bytes))
    if _is_text(head):
        return NotAVideoError("expected a video, found text")
    if head[:4] == b"\x1aE\xdf\xa3":
        return UnreadableError(
            "it begins like a Matroska or WebM clip, but its header is damaged; "
            "copy it from the card again"
        )
    return NotAVideoError(
        f"no known container: the {size_bytes} bytes begin with {head[:8].hex(' ')}; "
        "if it should be a clip, its beginning is lost, so copy it from the card again"
    )


def _explain_quicktime(descriptor: int, size_bytes: int) -> str:
    names = set()
    for name, end in _walk_boxes(descriptor, size_bytes):
        names.add(name)
        if end > size_bytes:
            return (
                f"the recording was cut off or is still being copied: it should have at least "
                f"{end} bytes and has {size_bytes}, and its index (moov) is missing; "
                "copy it from the card again"
            )
    if b"moov" not in names:
        return (
            "it has no index (moov): the recording was cut off or is still being copied; "
            "copy it from the card again, or repair it with the camera"
        )
    return "its index (moov) is damaged; copy it from the card again"


def _walk_boxes(descriptor: int, size_bytes: int) -> Iterator[tuple[bytes, int]]:
    """Give each top-level box's type and the offset of its end."""
    offset = 0
    for _ in range(_MOST_BOXES):
        header = os.pread(descriptor, 16, offset)
        if len(header) < 8:
            return
        length, name = struct.unpack(">I4s", header[:8])
        if length == 1 and len(header) == 16:
            length = struct.unpack(">Q", header[8:])[0]
        elif length == 0:  # to the end of the file
            length = size_bytes - offset
        if length < 8:
            return
        offset += length
        yield name, offset
        if offset >= size_bytes:
            return


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not merely a letter cut in two by the sample's end
            return False
        text = head[: error.start].decode("utf-8")
    return all(letter.isprintable() or letter in "\t\r\n\ufeff" for letter in text)
