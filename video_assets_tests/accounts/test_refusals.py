"""What a project answers that the one on loopback cannot: in GoTrue's documented form."""

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from video_assets.accounts import account_errors as told
from video_assets.accounts.project import Project
from video_assets.accounts.session import Session
from video_assets.accounts.signing import renew, sign_in, sign_out, sign_up
from video_assets_tests.services.loopback import Service, serve

ADDRESS, PASSWORD = "ada@example.org", "Sonnenblume-7"
SINCE_2024 = {"X-Supabase-Api-Version": "2024-01-01"}
USER = {
    "id": str(UUID(int=7)),
    "aud": "authenticated",
    "role": "authenticated",
    "email": ADDRESS,
    "confirmation_sent_at": "2026-12-01T12:00:00.5Z",
    "app_metadata": {"provider": "email", "providers": ["email"]},
    "user_metadata": {},
    "created_at": "2026-12-01T12:00:00.5Z",
    "updated_at": "2026-12-01T12:00:00.5Z",
    "is_anonymous": False,
}
IDENTITY = {
    "identity_id": str(UUID(int=8)),
    "id": USER["id"],
    "user_id": USER["id"],
    "identity_data": {"email": ADDRESS, "email_verified": False},
    "provider": "email",
    "created_at": USER["created_at"],
    "last_sign_in_at": USER["created_at"],
    "updated_at": USER["updated_at"],
}


@pytest.fixture(scope="module")
def served() -> Iterator[Service]:
    """One for all, because to stop it takes half a second."""
    with serve() as service:
        yield service


@pytest.fixture
def service(served: Service) -> Service:
    for of_the_test_before in (served.answers, served.seen, served.headers):
        of_the_test_before.clear()
    return served


@pytest.fixture
def project(service: Service) -> Project:
    return Project(service.url.removesuffix("/v1"), SecretStr("sb_publishable_ofThisTest0000000"))


@pytest.fixture
def session(project: Project) -> Session:
    return Session(
        project=project.url,
        user_id=UUID(int=7),
        email=ADDRESS,
        expires_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
        access_token=SecretStr("an-access-token"),
        refresh_token=SecretStr("a-refresh-token"),
    )


def refusal(code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "message": message, **more}


@pytest.mark.parametrize(
    ("status", "answer", "error", "sentence"),
    [
        pytest.param(
            400,
            refusal("email_not_confirmed", "Email not confirmed"),
            told.UnconfirmedError,
            "open the link that was sent",
            id="unconfirmed",
        ),
        pytest.param(
            400,
            refusal("invalid_credentials", "Invalid login credentials"),
            told.CredentialsError,
            "check your credentials",
            id="wrong password",
        ),
        pytest.param(
            400,
            refusal("user_banned", "User is banned"),
            told.RefusedError,
            "ask who runs the project",
            id="banned",
        ),
        pytest.param(
            429,
            refusal("over_request_rate_limit", "Request rate limit reached"),
            told.RefusedError,
            "wait before you try again: Request rate limit reached",
            id="too often",
        ),
        pytest.param(
            500,
            refusal("unexpected_failure", "Database error granting user"),
            told.RefusedError,
            "Database error granting user",
            id="a fault of the project",
        ),
        pytest.param(
            401,
            {"message": "Invalid API key", "hint": "Double check the API key."},
            told.ProjectKeyError,
            "SUPABASE_PUBLISHABLE_KEY",
            id="a key that its gateway does not know",
        ),
        pytest.param(
            503,
            b"<html>Service Unavailable</html>",
            told.UnreachableProjectError,
            "cannot be reached",
            id="the project is paused",
        ),
        pytest.param(
            200,
            b"<html>Welcome to our hotel</html>",
            told.UnreachableProjectError,
            "no Supabase project",
            id="another site answers",
        ),
        pytest.param(
            404,
            b"<html>Not found</html>",
            told.UnreachableProjectError,
            "no Supabase project",
            id="nothing is there",
        ),
    ],
)
def test_a_refused_sign_in_says_why(
    service: Service, project: Project, status: int, answer: Any, error: type, sentence: str
):
    service.answers.append((status, answer, SINCE_2024))
    with pytest.raises(error, match=sentence) as caught:
        sign_in(project, ADDRESS, PASSWORD)
    assert PASSWORD not in str(caught.value)


def test_an_older_project_names_its_reason_otherwise(service: Service, project: Project):
    answer = {"code": 400, "error_code": "email_not_confirmed", "msg": "Email not confirmed"}
    service.answers.append((400, answer))
    with pytest.raises(told.UnconfirmedError):
        sign_in(project, ADDRESS, PASSWORD)


def test_a_redirect_takes_no_password_along(service: Service, project: Project):
    with serve() as other:
        service.answers.append((307, {}, {"Location": other.url}))
        with pytest.raises(told.UnreachableProjectError):
            sign_in(project, ADDRESS, PASSWORD)
        assert other.seen == []


def test_an_account_that_has_to_be_confirmed_is_made(service: Service, project: Project):
    service.answers.append((200, {**USER, "identities": [IDENTITY]}))
    assert sign_up(project, ADDRESS, PASSWORD, "Ada") is True
    ((path, _, body),) = service.seen
    assert path == "/auth/v1/signup"
    assert b'"display_name":"Ada"' in body


def test_an_address_that_is_taken_is_told_where_the_project_hides_it(
    service: Service, project: Project
):
    service.answers.append((200, {**USER, "identities": []}))
    with pytest.raises(told.TakenError, match="may already be registered"):
        sign_up(project, ADDRESS, PASSWORD)


@pytest.mark.parametrize(
    ("status", "answer", "error", "sentence"),
    [
        pytest.param(
            422,
            refusal(
                "weak_password",
                "Password should contain at least one character of each: 0123456789.",
                weak_password={"reasons": ["characters"]},
            ),
            told.WeakPasswordError,
            "at least one character of each",
            id="weak",
        ),
        pytest.param(
            422,
            refusal("user_already_exists", "User already registered"),
            told.TakenError,
            "may already be registered",
            id="taken",
        ),
        pytest.param(
            422,
            refusal("signup_disabled", "Signups not allowed for this instance"),
            told.RefusedError,
            "takes no sign-ups",
            id="closed",
        ),
        pytest.param(
            400,
            refusal("email_address_invalid", 'Email address "ada@example" is invalid'),
            told.RefusedError,
            "does not take this e-mail address",
            id="no address",
        ),
    ],
)
def test_a_refused_sign_up_says_why(
    service: Service, project: Project, status: int, answer: Any, error: type, sentence: str
):
    service.answers.append((status, answer, SINCE_2024))
    with pytest.raises(error, match=sentence):
        sign_up(project, ADDRESS, PASSWORD)


@pytest.mark.parametrize(
    ("status", "answer", "error", "sentence"),
    [
        pytest.param(
            400,
            refusal("refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found"),
            told.SessionRevokedError,
            "your session was ended",
            id="ended",
        ),
        pytest.param(
            400,
            refusal("refresh_token_already_used", "Invalid Refresh Token: Already Used"),
            told.SessionRevokedError,
            "your session was ended",
            id="used by somebody else",
        ),
        pytest.param(
            400,
            refusal("validation_failed", "Refresh token is not valid"),
            told.SessionRevokedError,
            "your session was ended",
            id="none at all",
        ),
        pytest.param(
            400,
            refusal("session_expired", "Invalid Refresh Token: Session Expired (Inactivity)"),
            told.SessionExpiredError,
            "your session has expired",
            id="expired",
        ),
        pytest.param(
            503,
            {"message": "name resolution failed"},
            told.UnreachableProjectError,
            "cannot be reached",
            id="the project is down",
        ),
    ],
)
def test_a_session_that_cannot_be_renewed_says_why(
    service: Service,
    project: Project,
    session: Session,
    status: int,
    answer: Any,
    error: type,
    sentence: str,
):
    service.answers.append((status, answer, SINCE_2024))
    with pytest.raises(error, match=sentence) as caught:
        renew(project, session)
    assert "a-refresh-token" not in str(caught.value)


def test_signing_out_ends_one_session(service: Service, project: Project, session: Session):
    service.answers.append((204, b""))
    sign_out(project, session)
    ((path, bearer, _),) = service.seen
    assert (path, bearer) == ("/auth/v1/logout?scope=local", "Bearer an-access-token")
