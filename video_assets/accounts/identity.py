"""Who asks, and the client that asks for them. `identify` is the one way to it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import SecretStr

from video_assets.accounts import session_file
from video_assets.accounts.account_errors import (
    SIGN_IN,
    SessionExpiredError,
    SessionRevokedError,
    SignedOutError,
)
from video_assets.accounts.project import Project, connections, project_of
from video_assets.accounts.refusals import asking
from video_assets.accounts.session import Session
from video_assets.accounts.session_file import SessionFile, UnreadableSessionError
from video_assets.accounts.signing import renew
from video_assets.settings import Settings, SettingsError
from video_assets.supabase_project import claims_of

if TYPE_CHECKING:
    from httpx import Client as Connections
    from supabase import Client

GIVEN_NAME = "auth-given.json"  # what became of a session that variables gave


@dataclass
class Identity:
    """Somebody who is signed in; whoever asked for it closes it.

    user_id  the owner of whatever they see and make
    email    their address, as the session has it
    """

    user_id: UUID
    email: str
    project: Project
    session: Session = field(repr=False)
    _kept: "KeptSession" = field(repr=False)
    _client: "Client | None" = field(default=None, repr=False)
    _connections: "Connections | None" = field(default=None, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)  # files are fetched by several threads

    @property
    def client(self) -> "Client":
        """The client that asks as them: its tables, functions and files carry their token.

        Ask for it anew for each piece of work and keep none: a session lasts an hour, and this
        renews it. Wrap what it is asked in `refusals.asking(identity.project.url)`, which turns a
        session that has ended, and a network that is down, into sentences.
        """
        with self._lock:
            if self.session.is_over:
                self.session, self._client = _renewed(self._kept, self.session), None
            if self._connections is None:
                self._connections = connections()
            if self._client is None:
                self._client = self.project.client_of(self.session.access_token, self._connections)
            return self._client

    def confirm(self) -> None:
        """Ask the project whether the session still holds: it may have been ended elsewhere.

        Raises SessionRevokedError, and forgets the session, if it does not.
        """
        client = self.client
        try:
            with asking(self.project.url):
                client.auth.get_user(self.session.access_token.get_secret_value())
        except SessionRevokedError:
            with self._kept.file.locked():
                self._kept.file.remove()
            raise

    def close(self) -> None:
        """End the connections of its clients."""
        if self._connections is not None:
            self._connections.close()
        self._client = self._connections = None


def identify(settings: Settings) -> Identity:
    """Tell who is signed in to the project of the settings, and renew their session if it is over.

    Asks nothing of the network while the session lasts, so that the project may still say no.
    The variable VIDEO_ASSETS_ACCESS_TOKEN goes before the session that `auth login` keeps.

    Raises SettingsError without a project; SignedOutError, SessionExpiredError or
    SessionRevokedError without a session; UnreachableProjectError where it cannot be renewed.
    """
    project = project_of(settings)
    kept = _given(project, settings) if settings.access_token else _signed_in(project, settings)
    session = kept.read()
    if session.is_over:
        session = _renewed(kept, session)
    return Identity(session.user_id, session.email, project, session, kept)


def kept_session(home: Path) -> SessionFile:
    """The file in which `auth login` keeps a session."""
    return SessionFile(home / session_file.NAME)


@dataclass(frozen=True)
class KeptSession:
    """Where a session is read from, now and after another process may have renewed it.

    Its read raises SignedOutError where it is no more.
    """

    project: Project
    file: SessionFile
    read: Callable[[], Session]


def _signed_in(project: Project, settings: Settings) -> KeptSession:
    file = kept_session(settings.home)

    def read() -> Session:
        session = file.read()
        if session is None:
            raise SignedOutError(f"not signed in; {SIGN_IN}")
        if session.project != project.url:
            raise SignedOutError(
                f"the session is of {session.project}, and SUPABASE_URL names {project.url}; "
                f"{SIGN_IN}"
            )
        return session

    return KeptSession(project, file, read)


def _given(project: Project, settings: Settings) -> KeptSession:
    given = _of_variables(project, settings)
    file = SessionFile(settings.home / GIVEN_NAME)

    def read() -> Session:
        try:
            renewed = file.read() if given.is_over else None
        except UnreadableSessionError:
            return given
        is_later = (
            renewed is not None
            and (renewed.project, renewed.user_id) == (given.project, given.user_id)
            and renewed.expires_at > given.expires_at
        )
        return renewed if renewed is not None and is_later else given

    return KeptSession(project, file, read)


def _of_variables(project: Project, settings: Settings) -> Session:
    token = settings.access_token or SecretStr("")
    claims = claims_of(token.get_secret_value())
    try:
        return Session(
            project=project.url,
            user_id=UUID(str(claims["sub"])),
            email=str(claims.get("email", "")),
            expires_at=datetime.fromtimestamp(float(str(claims["exp"])), timezone.utc),
            access_token=token,
            refresh_token=settings.refresh_token,
        )
    except (KeyError, ValueError, OverflowError):
        raise SettingsError(
            "VIDEO_ASSETS_ACCESS_TOKEN is no access token of a person; it takes what a sign-in "
            "answers as access_token"
        ) from None


def _renewed(kept: KeptSession, session: Session) -> Session:
    """Renew a session and keep it, unless another process just did."""
    if session.refresh_token is None:
        raise SessionExpiredError(
            f"the access token ended at {session.expires_at:%Y-%m-%d %H:%M} UTC, and there is no "
            "VIDEO_ASSETS_REFRESH_TOKEN to renew it"
        )
    with kept.file.locked():
        now = kept.read()
        if now.user_id != session.user_id:
            raise SignedOutError(f"somebody else has signed in here meanwhile; {SIGN_IN}")
        if not now.is_over:
            return now
        try:
            renewed = renew(kept.project, now)
        except (SessionExpiredError, SessionRevokedError):
            kept.file.remove()
            raise
        kept.file.write(renewed)
    return renewed
