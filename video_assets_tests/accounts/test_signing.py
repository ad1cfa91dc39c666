"""Accounts by HTTP: the real client, against a Supabase project on loopback."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from postgrest.exceptions import APIError
from pydantic import SecretStr

from video_assets.accounts.account_errors import (
    CredentialsError,
    ProjectKeyError,
    SessionExpiredError,
    SessionRevokedError,
    SignedOutError,
    TakenError,
    UnreachableProjectError,
    WeakPasswordError,
)
from video_assets.accounts.identity import Identity, identify, kept_session
from video_assets.accounts.profile import profile_of
from video_assets.accounts.project import Project, connections, project_of
from video_assets.accounts.refusals import asking
from video_assets.accounts.session import Session
from video_assets.accounts.signing import renew, sign_in, sign_out, sign_up
from video_assets.settings import Settings
from video_assets_tests.lite.project import new_address
from video_assets_tests.lite.server import Project as Supabase

if TYPE_CHECKING:
    from supabase import Client

PASSWORD = "Sonnenblume-7"  # noqa: S105  of accounts that live as long as a test
NOWHERE = "http://127.0.0.1:1"  # no system gives this port to whoever asks for any
LONG_AGO = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def settings(supabase: Supabase, tmp_path: Path) -> Settings:
    return settings_of(supabase, tmp_path)


def settings_of(supabase: Supabase, home: Path, **more: Any) -> Settings:
    return Settings(
        home=home,
        supabase_url=supabase.url,
        supabase_publishable_key=SecretStr(supabase.publishable_key),
        **more,
    )


@pytest.fixture
def project(settings: Settings) -> Project:
    return project_of(settings)


def new_account(project: Project) -> str:
    email = new_address()
    sign_up(project, email, PASSWORD)
    return email


@pytest.fixture
def session(project: Project) -> Session:
    return sign_in(project, new_account(project), PASSWORD)


@pytest.fixture
def kept(settings: Settings, session: Session) -> Session:
    """A session that is kept in the home, as by `auth login`."""
    kept_session(settings.home).write(session)
    return session


def over(session: Session) -> Session:
    return session.model_copy(update={"expires_at": LONG_AGO})


@pytest.fixture
def identified() -> Iterator[Callable[[Settings], Identity]]:
    """Identify, and close all identities at the end."""
    with ExitStack() as stack:
        yield lambda settings: stack.enter_context(closing(identify(settings)))


def shown_to(identity: Identity) -> list:
    return rows_shown_to(identity.client)


def rows_shown_to(client: "Client") -> list:
    return client.table("user_profiles").select("id").execute().data


def test_who_signs_in_is_who_signed_up(project: Project):
    email = new_account(project)
    session = sign_in(project, email, PASSWORD)
    assert (session.email, session.project) == (email, project.url)
    lasts = session.expires_at - datetime.now(timezone.utc)
    assert timedelta(minutes=59) < lasts <= timedelta(hours=1)


def test_to_sign_up_signs_nobody_in(project: Project, settings: Settings):
    assert sign_up(project, new_address(), PASSWORD) is False
    assert not settings.home.exists() or list(settings.home.iterdir()) == []


def test_a_wrong_password_is_told(project: Project):
    email = new_account(project)
    with pytest.raises(CredentialsError, match="check your credentials"):
        sign_in(project, email, "Kornblume-8")
    with pytest.raises(CredentialsError):
        sign_in(project, f"no-{email}", PASSWORD)


def test_an_address_that_is_taken_is_told(project: Project):
    with pytest.raises(TakenError, match="may already be registered"):
        sign_up(project, new_account(project), PASSWORD)


def test_a_weak_password_is_told(project: Project):
    with pytest.raises(WeakPasswordError, match="better password"):
        sign_up(project, new_address(), "123")


def test_a_profile_that_cannot_be_made_stops_no_sign_up(
    supabase: Supabase, settings: Settings, project: Project, identified
):
    email = new_address("unlucky")
    with psycopg.connect(supabase.admin_url, autocommit=True) as connection:
        connection.execute(
            "ALTER TABLE user_profiles ADD CONSTRAINT luck "
            "CHECK (display_name NOT LIKE '%unlucky%')"
        )
        try:
            sign_up(project, email, PASSWORD)
            kept_session(settings.home).write(sign_in(project, email, PASSWORD))
            unlucky = identified(settings)
            assert profile_of(unlucky) is None
        finally:
            connection.execute("ALTER TABLE user_profiles DROP CONSTRAINT luck")
    profile = profile_of(unlucky)
    assert profile is not None
    assert (profile.profile_type, profile.display_name) == ("user", email.partition("@")[0])


def test_nobody_makes_themselves_an_admin(settings: Settings, kept: Session, identified):
    identity = identified(settings)
    for change in ({"profile_type": "admin"}, {"profile_type": "admin", "display_name": "x"}):
        with pytest.raises(APIError, match="permission denied"):
            identity.client.table("user_profiles").update(change).eq("id", kept.user_id).execute()
    row = {"id": str(kept.user_id), "profile_type": "admin"}
    with pytest.raises(APIError, match="permission denied"):
        identity.client.table("user_profiles").upsert(row).execute()
    profile = profile_of(identity)
    assert profile is not None
    assert not profile.is_admin


def test_a_key_of_another_project_is_told(project: Project):
    other = Project(project.url, SecretStr("sb_publishable_ofAnotherProject000000"))
    with pytest.raises(ProjectKeyError, match="SUPABASE_PUBLISHABLE_KEY"):
        sign_in(other, "ada@example.org", PASSWORD)


def test_a_client_asks_as_who_is_signed_in(settings: Settings, kept: Session, identified):
    identity = identified(settings)
    assert (identity.user_id, identity.email) == (kept.user_id, kept.email)
    assert shown_to(identity) == [{"id": str(kept.user_id)}]
    asked = identity.client.auth.get_user(kept.access_token.get_secret_value())
    assert asked is not None
    assert asked.user.email == kept.email
    bearer = f"Bearer {kept.access_token.get_secret_value()}"
    assert identity.client.storage._headers["authorization"] == bearer


def test_identities_do_not_share_a_client(
    settings: Settings, supabase: Supabase, tmp_path: Path, identified
):
    homes = [settings_of(supabase, tmp_path / name) for name in ("ada", "ben")]
    for each in homes:
        project = project_of(each)
        kept_session(each.home).write(sign_in(project, new_account(project), PASSWORD))
    ada, ben = map(identified, homes)
    assert shown_to(ada) == [{"id": str(ada.user_id)}]
    assert shown_to(ben) == [{"id": str(ben.user_id)}]
    assert shown_to(ada) == [{"id": str(ada.user_id)}]


def test_a_session_that_is_over_is_renewed_and_kept(settings: Settings, kept: Session, identified):
    kept_session(settings.home).write(over(kept))
    identity = identified(settings)
    written = kept_session(settings.home).read()
    assert written == identity.session
    assert written is not None
    assert not written.is_over
    assert written.refresh_token != kept.refresh_token
    assert shown_to(identity) == [{"id": str(kept.user_id)}]


def test_a_session_that_ends_during_a_command_is_renewed(
    settings: Settings, kept: Session, identified
):
    identity = identified(settings)
    first = identity.client
    assert identity.client is first
    identity.session = over(kept)
    kept_session(settings.home).write(over(kept))
    assert shown_to(identity) == [{"id": str(kept.user_id)}]
    assert identity.client is not first


def test_threads_that_find_a_session_over_share_the_renewed_client(
    settings: Settings, kept: Session, identified
):
    identity = identified(settings)
    first = identity.client
    identity.session = over(kept)
    kept_session(settings.home).write(over(kept))
    together = Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        clients = set(pool.map(lambda _: (together.wait(), identity.client)[1], range(8)))
    assert clients == {identity.client}
    assert first not in clients


def test_two_commands_at_once_use_a_refresh_token_once(
    settings: Settings, kept: Session, identified
):
    kept_session(settings.home).write(over(kept))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: identified(settings).session, range(4)))
    assert len({each.access_token.get_secret_value() for each in found}) == 1


def test_a_token_that_was_renewed_long_ago_is_worth_nothing(project: Project, session: Session):
    renew(project, renew(project, session))
    with pytest.raises(SessionRevokedError, match="auth login"):
        renew(project, session)


def test_a_session_that_was_ended_elsewhere_is_told_and_forgotten(
    settings: Settings, project: Project, kept: Session, identified
):
    sign_out(project, kept)
    kept_session(settings.home).write(over(kept))
    with pytest.raises(SessionRevokedError, match="ended"):
        identified(settings)
    with pytest.raises(SignedOutError, match="not signed in; run `video-assets auth login`"):
        identified(settings)


def test_signing_out_ends_this_session_alone(project: Project):
    email = new_account(project)
    here, there = (sign_in(project, email, PASSWORD) for _ in range(2))
    sign_out(project, here)
    with pytest.raises(SessionRevokedError):
        renew(project, here)
    assert renew(project, there).email == email


def test_who_signed_out_meanwhile_is_not_signed_in_again(
    settings: Settings, kept: Session, identified
):
    identity = identified(settings)
    kept_session(settings.home).remove()
    identity.session = over(kept)
    with pytest.raises(SignedOutError):
        identity.client  # noqa: B018  to ask for it is the act
    assert kept_session(settings.home).read() is None


def test_a_session_of_another_project_is_not_used(settings: Settings, kept: Session, identified):
    elsewhere = kept.model_copy(update={"project": "https://other.supabase.co"})
    kept_session(settings.home).write(elsewhere)
    with pytest.raises(SignedOutError, match=r"the session is of https://other\.supabase\.co"):
        identified(settings)


def test_a_network_that_is_down_ends_no_session(
    supabase: Supabase, tmp_path: Path, session: Session, identified
):
    settings = settings_of(supabase, tmp_path).model_copy(update={"supabase_url": NOWHERE})
    ended = over(session).model_copy(update={"project": NOWHERE})
    kept_session(settings.home).write(ended)
    with pytest.raises(UnreachableProjectError, match=f"{NOWHERE} cannot be reached.*offline"):
        identified(settings)
    assert kept_session(settings.home).read() == ended


def test_rows_of_a_project_that_is_down_are_told_as_such(session: Session, supabase: Supabase):
    project = Project(NOWHERE, SecretStr(supabase.publishable_key))
    with (
        pytest.raises(UnreachableProjectError, match=NOWHERE),
        asking(NOWHERE),
        connections() as open_ones,
    ):
        rows_shown_to(project.client_of(session.access_token, open_ones))


def test_a_token_that_nobody_signed_shows_no_row(project: Project):
    forged = SecretStr("eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYXV0aGVudGljYXRlZCJ9.bm9ib2R5")
    with (
        pytest.raises(SessionRevokedError),
        asking(project.url),
        connections() as open_ones,
    ):
        rows_shown_to(project.client_of(forged, open_ones))


def test_a_token_of_the_variables_signs_in(
    supabase: Supabase, tmp_path: Path, session: Session, identified
):
    settings = settings_of(supabase, tmp_path, access_token=session.access_token)
    identity = identified(settings)
    assert (identity.user_id, identity.email) == (session.user_id, session.email)
    assert shown_to(identity) == [{"id": str(session.user_id)}]
    assert list(tmp_path.iterdir()) == []


def test_a_token_of_the_variables_that_is_over_says_so(
    supabase: Supabase, tmp_path: Path, identified
):
    settings = settings_of(supabase, tmp_path, access_token=expired_token())
    with pytest.raises(SessionExpiredError, match="VIDEO_ASSETS_REFRESH_TOKEN"):
        identified(settings)


def test_what_the_variables_were_renewed_to_is_kept_for_the_next_command(
    supabase: Supabase, tmp_path: Path, session: Session, identified
):
    settings = settings_of(
        supabase,
        tmp_path,
        access_token=expired_token(session),
        refresh_token=session.refresh_token or SecretStr(""),
    )
    first = identified(settings)
    assert identified(settings).session == first.session
    assert shown_to(first) == [{"id": str(session.user_id)}]
    assert kept_session(settings.home).read() is None


def expired_token(session: Session | None = None) -> SecretStr:
    import jwt

    who = str(session.user_id if session else uuid.uuid4())
    claims = {"sub": who, "role": "authenticated", "exp": int(LONG_AGO.timestamp())}
    return SecretStr(jwt.encode(claims, "of nobody, since no project ever sees it", "HS256"))
