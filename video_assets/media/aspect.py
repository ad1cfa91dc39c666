"""The shape of a picture, in the words that people use."""

_NAMED = {
    **{"16:9": 16 / 9, "4:3": 4 / 3, "3:2": 3 / 2, "1:1": 1.0, "5:4": 5 / 4, "2:1": 2.0},
    **{"17:9": 256 / 135, "1.85:1": 1.85, "2.35:1": 2.35, "2.39:1": 2.39, "21:9": 64 / 27},
}
_CLOSE = 0.012  # eight lines of 720, by which encoders crop


def name_aspect(width: int, height: int) -> str:
    """Name the shape of a picture as it is shown: 16:9, 9:16, 2.39:1; else width to height."""
    ratio = max(width, height) / min(width, height)
    name, exact = min(_NAMED.items(), key=lambda item: abs(item[1] - ratio))
    if abs(exact - ratio) > _CLOSE * exact:
        name = f"{ratio:.2f}:1"
    return name if width >= height else ":".join(reversed(name.split(":")))
