"""What a project's refusals mean, in words that a person can act on.

GoTrue (Supabase Auth) names its reasons by codes, PostgREST by others; a gateway before both
answers in plain words. https://supabase.com/docs/guides/auth/debugging/error-codes
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from video_assets.accounts.account_errors import (
    SIGN_IN,
    CredentialsError,
    NoCatalogueError,
    ProjectKeyError,
    RefusedError,
    SessionExpiredError,
    SessionRevokedError,
    TakenError,
    UnconfirmedError,
    UnreachableProjectError,
    WeakPasswordError,
)

if TYPE_CHECKING:
    from supabase_auth.errors import AuthError

EXPIRED = f"your session has expired; {SIGN_IN}"
REVOKED = f"your session was ended: signed out elsewhere, or the account changed; {SIGN_IN}"
TAKEN = (
    "this e-mail address may already be registered: sign in with `video-assets auth login`, or "
    "use another one"
)

_ENDED = {"refresh_token_not_found", "refresh_token_already_used", "session_not_found"} | {
    "user_not_found",
    "bad_jwt",
    "invalid_jwt",
}
_TAKEN = {"user_already_exists", "email_exists"}
_BUSY = {"over_request_rate_limit", "over_email_send_rate_limit", "over_sms_send_rate_limit"}
_CLOSED = {"signup_disabled", "email_provider_disabled"}
_UNFIT = "validation_failed"  # of an address, and of a token that is none
_ADDRESS = {"email_address_invalid", "email_address_not_authorized", _UNFIT}
_ELSEWHERE = {301, 302, 303, 307, 308, 404}
_JWT_EXPIRED, _JWT_UNFIT = "PGRST303", "PGRST301"
_MISSING = {"PGRST202", "PGRST205", "42883", "42P01"}  # functions and tables, by API and database


@contextmanager
def asking(url: str) -> Iterator[None]:
    """Ask a project for something, by a client of it.

    Raises an AccountError, UnreachableProjectError or NoCatalogueError in place of what the client
    raises where it is about who asks, the way there, or what is there; other refusals pass.
    """
    from httpx import HTTPError
    from postgrest.exceptions import APIError
    from pydantic import ValidationError
    from supabase_auth.errors import AuthError

    try:
        yield
    except AuthError as error:
        raise _told(error, url) from error
    except HTTPError as error:
        raise _unreachable(url, str(error)) from error
    except APIError as error:
        told = _told_of_row_request(error.code, str(error.message), url)
        if told is None:
            raise
        raise told from error
    except ValidationError as error:
        raise _no_project(url) from error


def _told(error: "AuthError", url: str) -> Exception:
    from supabase_auth.errors import AuthRetryableError, AuthUnknownError, AuthWeakPasswordError

    code, status = str(error.code or ""), getattr(error, "status", 0)
    said = error.message.strip().rstrip(".")
    if isinstance(error, AuthRetryableError):
        return _unreachable(url, said)
    if isinstance(error, AuthUnknownError) or (not code and status in _ELSEWHERE):
        return _no_project(url)
    if isinstance(error, AuthWeakPasswordError):
        return WeakPasswordError(f"the project wants a better password: {said}")
    if not code and status == 401:
        return _unknown_key(url)
    return _told_by_code(code, said, status)


def _told_by_code(code: str, said: str, status: int) -> Exception:
    if code == "invalid_credentials":
        return CredentialsError(
            "no account has this e-mail and password; check your credentials, or make an account "
            "with `video-assets auth signup`"
        )
    if code == "email_not_confirmed":
        return UnconfirmedError(
            "the e-mail address is not confirmed yet: open the link that was sent to it, then sign "
            "in again"
        )
    if code == "session_expired":
        return SessionExpiredError(EXPIRED)
    if code in _ENDED or (code == _UNFIT and "refresh token" in said.lower()):
        return SessionRevokedError(REVOKED)
    if code in _TAKEN:
        return TakenError(TAKEN)
    if code == "user_banned":
        return RefusedError("this account is closed for now; ask who runs the project")
    if code in _BUSY or status == 429:
        return RefusedError(f"the project wants you to wait before you try again: {said}")
    if code in _CLOSED:
        return RefusedError(f"the project takes no sign-ups: {said}; ask who runs it")
    if code in _ADDRESS:
        return RefusedError(f"the project does not take this e-mail address: {said}")
    return RefusedError(f"the project refuses: {said} ({code or status})")


def _told_of_row_request(code: str | None, said: str, url: str) -> Exception | None:
    if code == _JWT_EXPIRED and "expired" in said.lower():
        return SessionExpiredError(EXPIRED)
    if code in (_JWT_EXPIRED, _JWT_UNFIT):
        return SessionRevokedError(REVOKED)
    if code in _MISSING:
        return NoCatalogueError(
            f"{url} has no catalogue of this release; whoever runs it makes one by `video-assets "
            "db migrate` with SUPABASE_DB_URL"
        )
    if "api key" in said.lower():
        return _unknown_key(url)
    return None


def _unknown_key(url: str) -> ProjectKeyError:
    return ProjectKeyError(
        f"{url} does not know the key of the settings: copy SUPABASE_PUBLISHABLE_KEY from the "
        "project's settings, API keys"
    )


def _unreachable(url: str, why: str) -> UnreachableProjectError:
    return UnreachableProjectError(f"{url} cannot be reached ({why}); is this machine offline?")


def _no_project(url: str) -> UnreachableProjectError:
    return UnreachableProjectError(
        f"what answers at {url} is no Supabase project; check SUPABASE_URL, or sign in to the "
        "network that stands before it"
    )
