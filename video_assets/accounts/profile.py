"""What a project knows of whoever is signed in."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from video_assets.accounts.identity import Identity
from video_assets.accounts.refusals import asking


class Profile(BaseModel):
    """Somebody's profile."""

    model_config = ConfigDict(frozen=True)

    profile_type: str
    display_name: str | None
    created_at: datetime

    @property
    def is_admin(self) -> bool:
        """Whether they may read what all have."""
        return self.profile_type == "admin"


def profile_of(identity: Identity) -> Profile | None:
    """The profile, or None while there is none."""
    with asking(identity.project.url):
        rows = identity.client.rpc("get_user_profile").execute().data
    return Profile.model_validate(rows[0]) if isinstance(rows, list) and rows else None
