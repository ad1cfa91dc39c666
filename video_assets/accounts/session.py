"""A session: who signed in where, and the two tokens that prove it for a while."""

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr

from video_assets.redaction import protect

if TYPE_CHECKING:
    import supabase_auth

MARGIN = timedelta(seconds=60)  # so that a token does not end on its way


class Session(BaseModel):
    """What is kept of a sign-in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str
    user_id: UUID
    email: str
    expires_at: AwareDatetime
    access_token: SecretStr
    refresh_token: SecretStr | None = None

    def model_post_init(self, _: Any) -> None:
        """Keep the tokens out of whatever this process writes from now on."""
        tokens = (self.access_token, self.refresh_token)
        protect(token.get_secret_value() for token in tokens if token)

    @property
    def is_over(self) -> bool:
        """Whether its access token has ended, or will in a moment."""
        return self.expires_at <= datetime.now(timezone.utc) + MARGIN

    def revealed(self) -> dict[str, Any]:
        """What is written down of it, with the tokens."""
        return {
            **self.model_dump(mode="json"),
            "access_token": self.access_token.get_secret_value(),
            "refresh_token": self.refresh_token and self.refresh_token.get_secret_value(),
        }


def session_from(project: str, answer: "supabase_auth.Session") -> Session:
    """Keep what a project answered; when it ends is told by the clock of this machine."""
    return Session(
        project=project,
        user_id=UUID(answer.user.id),
        email=answer.user.email or "",
        expires_at=datetime.now(timezone.utc) + timedelta(seconds=answer.expires_in),
        access_token=SecretStr(answer.access_token),
        refresh_token=SecretStr(answer.refresh_token),
    )
