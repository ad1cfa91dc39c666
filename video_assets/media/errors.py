"""What can be wrong with a media file itself, so that running again cannot help.

The texts never hold a path or a file name: results are shared between the owners of the same
content, so whoever reports one adds the name under which that owner knows the file.
"""

from datetime import datetime


class MediaError(Exception):
    """The file is at fault."""


class UnreadableError(MediaError):
    """The bytes cannot be read, or they end before the clip does."""


class UnreachableError(UnreadableError):
    """The bytes cannot be had at this place now; that says nothing of the clip itself."""


class NotAVideoError(MediaError):
    """The file is whole, but it holds something else than a video."""


class UndecodableError(MediaError):
    """The container opens, but no picture can be decoded from it."""


class ChangedWhileReadError(MediaError):
    """The file grew, shrank, moved or went away while it was being read."""


class PostponedError(Exception):
    """Nothing is wrong with the clip; it is left for later.

    until  when it may be tried again; None: when somebody asks for it
    """

    def __init__(self, reason: str, until: datetime | None = None) -> None:
        super().__init__(reason)
        self.reason, self.until = reason, until


class RefusedByServiceError(MediaError):
    """A service has no usable answer for this clip, and would have none if it were asked again."""


class ToolMissingError(MediaError):
    """A program or a model that the analyzer needs is not here; nothing is said of the clip."""
