"""Who is asking: whose clips a command shows, makes and changes."""

from dataclasses import dataclass
from uuid import UUID

from video_assets.settings import LOCAL, LOCAL_OWNER, Settings


@dataclass(frozen=True)
class Identity:
    """An owner, and the address that they signed in with; None where nobody signs in."""

    owner: UUID
    email: str | None = None


def identify(settings: Settings) -> Identity:
    """The owner that a command is for: a catalogue without accounts has one."""
    return Identity(LOCAL_OWNER)


def word_for(asking: Identity) -> str:
    """Write an owner as the settings file names them."""
    return LOCAL if asking.owner == LOCAL_OWNER else str(asking.owner)
