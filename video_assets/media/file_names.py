"""Names of files: which are clips', which lie beside clips, and which are not final yet."""

import fnmatch
import re
import unicodedata
from collections.abc import Callable

EXTENSIONS = (
    *("mp4", "m4v", "mov", "qt", "3gp", "3g2", "insv"),  # ISO and QuickTime
    *("mkv", "webm", "avi", "divx", "wmv", "asf", "flv", "f4v", "ogv", "ogm", "rm", "rmvb"),
    *("mxf", "gxf", "lxf", "dv", "dif"),  # professional cameras and decks
    *("mts", "m2ts", "m2t", "ts", "tod", "mod", "mpg", "mpeg", "m2v", "vob", "wtv"),  # MPEG
)
DEFAULT_PATTERN = ",".join(f"*.{extension}" for extension in EXTENSIONS)

# What cameras and editors lay beside a clip: taken only by a pattern that ends with the extension.
_BESIDE_CLIPS = (
    *("lrv", "lrf", "thm"),  # the small copies and stills of GoPro and DJI
    *("xml", "xmp", "bim", "cpi"),  # what a camera or an editor says of a clip
    *("srt", "vtt", "ass", "ssa", "sub", "idx", "scc", "ttml", "wav"),
)
_SMALL_COPY = "lrv_"  # Insta360's: LRV_20240101_120000_01_002.insv beside VID_…

# Written by what copies and downloads, and renamed at the end.
_UNFINISHED = re.compile(
    r".*\.(?:part|partial|filepart|tmp|temp|crdownload|download|opdownload|aria2|!ut|!qb)|~\$.*|.*~",
    re.DOTALL,
)

# Left behind by systems, NAS boxes and file managers.
_JUNK_FOLDERS = {
    *("@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot", "~snapshot"),
    *("$recycle.bin", "recycler", "system volume information", "lost+found"),
}


def fold(name: str) -> str:
    """Make names equal that differ in case or in how their letters are composed."""
    # macOS stores decomposed names: `é` as two code points.
    return (name if name.isascii() else unicodedata.normalize("NFC", name)).lower()


def is_hidden_or_junk(name: str) -> bool:
    """Tell names of files and folders that no person put there."""
    return name.startswith(".") or name.lower() in _JUNK_FOLDERS


def compile_patterns(patterns: str | None) -> Callable[[str], bool]:
    """Make a test of file names from patterns separated by commas; None for the default.

    Names that are not final yet never pass, and files that lie beside clips only where a pattern
    names their extension.
    """
    wanted = [fold(part.strip()) for part in (patterns or "").split(",") if part.strip()]
    expressions = (fnmatch.translate(part) for part in wanted or DEFAULT_PATTERN.split(","))
    matches = re.compile("|".join(expressions)).match
    beside = tuple(
        f".{extension}"
        for extension in _BESIDE_CLIPS
        if not any(part.endswith(f".{extension}") for part in wanted)
    )

    def is_wanted(name: str) -> bool:
        name = fold(name)
        return (
            matches(name) is not None
            and not name.endswith(beside)
            and not _UNFINISHED.fullmatch(name)
            and (bool(wanted) or not name.startswith(_SMALL_COPY))
        )

    return is_wanted
