"""Who is asking: whose clips a command shows, makes and changes."""

from contextlib import closing
from dataclasses import dataclass
from uuid import UUID

from video_assets.settings import LOCAL, LOCAL_OWNER, Settings


@dataclass(frozen=True)
class Identity:
    """An owner, and the address that they signed in with; None where nobody signs in."""

    owner: UUID
    email: str | None = None


def identify(settings: Settings) -> Identity:
    """The owner that a command is for: whoever is signed in to the project of the settings.

    A catalogue without accounts has one owner. Raises AccountError where nobody is signed in.
    """
    if settings.supabase_url is None:
        return Identity(LOCAL_OWNER)
    from video_assets.accounts import identity  # 0.1 s, for those who have accounts

    with closing(identity.identify(settings)) as signed_in:
        return Identity(signed_in.user_id, signed_in.email)


def word_for(asking: Identity) -> str:
    """Write an owner as the settings file names them."""
    return LOCAL if asking.owner == LOCAL_OWNER else str(asking.owner)
