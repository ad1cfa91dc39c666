"""Signing up, in and out, and renewing a session."""

from typing import TYPE_CHECKING

from video_assets.accounts.account_errors import SessionExpiredError, TakenError
from video_assets.accounts.project import Project
from video_assets.accounts.refusals import EXPIRED, TAKEN, asking
from video_assets.accounts.session import Session, session_from

if TYPE_CHECKING:
    import supabase_auth


def sign_in(project: Project, email: str, password: str) -> Session:
    """Sign in; keeps nothing."""
    with asking(project.url), project.stranger() as client:
        answer = client.auth.sign_in_with_password(
            {"email": email, "password": password, "options": {}}
        )
    return _session(project, answer)


def sign_up(project: Project, email: str, password: str, name: str | None = None) -> bool:
    """Make an account, and sign nobody in; True if its e-mail has to be confirmed first.

    Raises TakenError for an address that has one, also where the project hides that: then it
    answers with a made-up user who has no identity.
    """
    with asking(project.url), project.stranger() as client:
        answer = client.auth.sign_up(
            {
                "email": email,
                "password": password,
                "options": {"data": {"display_name": name} if name else {}},
            }
        )
        if answer.user is not None and answer.user.identities == []:
            raise TakenError(TAKEN)
        if answer.session is not None:
            client.auth.admin.sign_out(answer.session.access_token, "local")
    return answer.session is None


def renew(project: Project, session: Session) -> Session:
    """Exchange the refresh token for a new session; the old token is worth nothing afterwards."""
    if session.refresh_token is None:
        raise SessionExpiredError(EXPIRED)
    with asking(project.url), project.stranger() as client:
        answer = client.auth.refresh_session(session.refresh_token.get_secret_value())
    return _session(project, answer)


def sign_out(project: Project, session: Session) -> None:
    """End this one session at the project; those of the same person elsewhere go on."""
    with asking(project.url), project.stranger() as client:
        client.auth.admin.sign_out(session.access_token.get_secret_value(), "local")


def _session(project: Project, answer: "supabase_auth.AuthResponse") -> Session:
    if answer.session is None:
        raise SessionExpiredError(EXPIRED)
    return session_from(project.url, answer.session)
