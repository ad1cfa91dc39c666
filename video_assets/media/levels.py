"""Codec levels as their standards write them, from the numbers that FFmpeg carries."""

_MPEG2 = {4: "high", 6: "high 1440", 8: "main", 10: "low"}


def name_level(codec: str, level: int) -> str | None:
    """Write a level, such as 4.1 for an H.264 level of 41; None where there is none."""
    if level < 0:
        return None
    if codec == "mpeg2video":
        return _MPEG2.get(level)
    if codec == "h264":
        return "1b" if level == 9 else f"{level // 10}.{level % 10}"
    if codec == "hevc":  # ITU-T H.265, A.4.1: thirty times the level
        return f"{level // 30}.{level % 30 // 3}"
    if codec == "av1":  # AV1 specification, annex A.3
        return "max" if level == 31 else f"{2 + (level >> 2)}.{level & 3}"
    if codec == "vp9" and level >= 10:
        return f"{level // 10}.{level % 10}"
    return str(level) if codec == "mpeg4" else None
