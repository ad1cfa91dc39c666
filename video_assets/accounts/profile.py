"""What a project knows of whoever is signed in: their profile, and what their catalogue holds."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

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


class Statistics(BaseModel):
    """What somebody's catalogue holds."""

    model_config = ConfigDict(frozen=True)

    total_clips: int
    total_duration_hours: Decimal
    total_storage_gb: Decimal
    clips_with_transcripts: int
    clips_in_progress: int
    clips_completed: int


def profile_of(identity: Identity) -> Profile | None:
    """The profile, or None while there is none."""
    rows = _rows(identity, "get_user_profile")
    return Profile.model_validate(rows[0]) if rows else None


def statistics_of(identity: Identity) -> Statistics:
    """What the catalogue holds."""
    return Statistics.model_validate(_rows(identity, "get_user_stats")[0])


def _rows(identity: Identity, function: str) -> Sequence[object]:
    with asking(identity.project.url):
        data = identity.client.rpc(function).execute().data
    return data if isinstance(data, list) else []
