"""The four facts of a colour encoding, by the names that FFmpeg and people use (ITU-T H.273)."""

PRIMARIES = {
    **{1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film"},
    **{9: "bt2020", 10: "smpte428", 11: "smpte431", 12: "smpte432", 22: "ebu3213"},
}
TRANSFERS = {
    **{1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear"},
    **{9: "log100", 10: "log316", 11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1"},
    **{14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084", 17: "smpte428", 18: "arib-std-b67"},
}
MATRICES = {
    **{0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco"},
    **{9: "bt2020nc", 10: "bt2020c", 11: "smpte2085", 12: "chroma-derived-nc"},
    **{13: "chroma-derived-c", 14: "ictcp", 15: "ipt-c2"},
}
RANGES = {1: "tv", 2: "pc"}

PQ, HLG = "smpte2084", "arib-std-b67"

# Kr and Kb of each matrix (H.273, table 4); Kg is what is left of 1.
LUMA_WEIGHTS = {
    "bt709": (0.2126, 0.0722),
    "fcc": (0.30, 0.11),
    "bt470bg": (0.299, 0.114),
    "smpte170m": (0.299, 0.114),
    "smpte240m": (0.212, 0.087),
    "bt2020nc": (0.2627, 0.0593),
    "bt2020c": (0.2627, 0.0593),
}


def choose_matrix(matrix: str | None, primaries: str | None, width: int, height: int) -> str:
    """Choose the matrix to decode with; players guess it from the size where none is declared."""
    if matrix in LUMA_WEIGHTS:
        return str(matrix)
    if primaries == "bt2020":
        return "bt2020nc"
    return "bt709" if max(width, height) >= 1280 or min(width, height) >= 720 else "smpte170m"


def choose_range(declared: str | None, pixel_format: str) -> str:
    """Choose the range to decode with: `pc` is full, `tv` is limited, which is the rule for YUV."""
    if declared is not None:
        return declared
    return "pc" if pixel_format.startswith(("yuvj", "rgb", "bgr", "gbr", "gray")) else "tv"
