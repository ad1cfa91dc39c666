"""Texts from outside as the database takes them: no secret, no zero byte, no half a character."""

from video_assets.redaction import redact

LONGEST_TEXT = 2_000


def storable(text: str) -> str:
    """Write what no database takes as it is in source.

    A service's error may quote the key that it was called with: secrets are left out.
    """
    text = redact(text)[:LONGEST_TEXT].replace("\0", "\\x00")
    return text.encode("utf-8", "backslashreplace").decode()
