"""What a step sends to a service: for `doctor`, for quotes, and for whoever forbids it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from video_assets.media.errors import PostponedError
from video_assets.services.naming import host_of, is_here

FRAMES = "frames of the proxy"
VIDEO = "the proxy's pictures and its sound"
SOUND = "sound in which somebody speaks"
SAID = "what is said"
PLACE, PLACE_NAME = "the place's name and coordinates", "the place's name"
DATE = "the date"
CAMERA = "the camera's make and model"
COORDINATES = "coordinates"
SERIAL_NUMBERS = "serial numbers"
FILE_NAMES = "file names and paths"

LOCAL_ONLY = "clip lies in a folder that is local only"


@dataclass(frozen=True)
class Outgoing:
    """What one step gives to a service, by its settings.

    base_url  where the service is
    sends     kinds of data that it is given
    keeps     kinds of data that it is not given
    secret    the variable that holds its key; None: it takes none
    has_key   whether there is one
    library   the package of its client, as pip calls it
    forwards  whether it passes on what it is given, wherever it stands itself
    """

    base_url: str
    sends: tuple[str, ...]
    keeps: tuple[str, ...] = (COORDINATES, SERIAL_NUMBERS, FILE_NAMES)
    secret: str | None = None
    has_key: bool = False
    library: str = "openai"
    forwards: bool = False

    @property
    def host(self) -> str:
        """Whom it is given to."""
        return host_of(self.base_url)

    @property
    def is_here(self) -> bool:
        """Whether that is a server on this machine, so that nothing leaves it."""
        return is_here(self.base_url) and not self.forwards


Sender = Callable[[Any], Outgoing | None]
"""What a step sends by its settings; None if by these it asks no service."""


class Bound(Protocol):
    """Who knows whether a clip may leave this machine: storage.ai_calls.Billing."""

    @property
    def is_local_only(self) -> bool: ...  # noqa: D102


def refuse_local_only(clip: Bound, *, to_here: bool) -> None:
    """Keep a clip of a folder that is local only from leaving this machine.

    to_here  whether it is for a server on this machine

    Raises PostponedError.
    """
    if not to_here and clip.is_local_only:
        raise PostponedError(LOCAL_ONLY)
