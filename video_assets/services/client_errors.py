"""What the clients of OpenAI and Anthropic raise, told apart; one generator makes both of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from video_assets.services.service_errors import (
    AccountError,
    BrokenError,
    BusyError,
    NotTakenError,
    ServiceError,
)

LONGEST_TEXT = 500
_BUSY = {429, 503, 529}
_OF_THE_INPUT = {400, 413, 415, 422}
_PASSING = {408, 409, 425}
_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
# Refusals that come with the status of another fault, but are for want of money.
_UNPAID = ("credit balance", "insufficient_quota", "billing")


@dataclass(frozen=True)
class Errors:
    """How the errors of one client are told.

    library  the client's package
    secret   the variable that holds its key
    base_url  if it is a server of one's own, which somebody has to start
    """

    library: Any
    secret: str
    base_url: str | None = None

    @contextmanager
    def told(self) -> Iterator[None]:
        """Raise ServiceError instead of what the client raises."""
        try:
            yield
        except self.library.APIStatusError as error:
            raise self._of_status(error) from None
        except self.library.APIConnectionError as error:  # a timeout is one of them
            raise self._unanswered(error.__cause__) from None
        except (self.library.APIError, httpx2.TransportError, ValueError) as error:
            # In the middle of an answer: an error that it reports, or what is no event at all.
            said = _text_of(error) or type(error).__name__
            raise BrokenError(f"its answer breaks off ({said})", is_billed=True) from None

    def _unanswered(self, cause: BaseException | None) -> ServiceError:
        is_unsent = isinstance(cause, _UNSENT)
        if is_unsent and self.base_url:
            return AccountError(f"no server answers at {self.base_url}; start it or check base_url")
        if isinstance(cause, httpx2.TimeoutException):
            return BrokenError("it does not answer in time", is_billed=not is_unsent)
        name = type(cause).__name__ if cause else "no answer"
        return BrokenError(f"it cannot be reached ({name})", is_billed=not is_unsent)

    def _of_status(self, error: Any) -> ServiceError:
        status, said = error.status_code, f"HTTP {error.status_code}: {_text_of(error)}"
        if status < 400:
            return BrokenError(f"its answer breaks off ({_text_of(error)})", is_billed=True)
        if any(word in said.lower() for word in _UNPAID):
            return AccountError(f"the account has no money left ({said})")
        if status in _BUSY:
            return BusyError(f"it is busy ({said})", _retry_after(error.response.headers))
        if status in _PASSING or status >= 500:
            return BrokenError(f"it is broken ({said})")
        if status in _OF_THE_INPUT:
            return NotTakenError(said)
        if status == 404:
            return AccountError(f"it knows no such model or address ({said})")
        return AccountError(f"it does not take the key ({said}); check {self.secret}")


def _text_of(error: Any) -> str:
    """Give what the service says itself, without what the client wraps around it."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, Mapping) else body
    if isinstance(inner, Mapping):
        inner = ", ".join(str(inner[name]) for name in ("code", "message") if inner.get(name))
    return str(inner or error)[:LONGEST_TEXT]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how long to wait: in seconds, or until a date."""
    written = headers.get("retry-after")
    if written is None:
        return None
    try:
        return max(0.0, float(written))
    except ValueError:
        pass
    try:
        wait = parsedate_to_datetime(written) - datetime.now(timezone.utc)
    except (TypeError, ValueError):  # no date, or one without a zone
        return None
    return max(0.0, wait.total_seconds())
