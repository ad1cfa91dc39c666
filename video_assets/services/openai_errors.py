"""What OpenAI's client raises, told apart as every paid service's errors are."""

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import openai

from video_assets.services.service_errors import (
    AccountError,
    BlockedError,
    BrokenError,
    BusyError,
    NotTakenError,
    ServiceError,
)

LONGEST_MESSAGE = 300
_OF_THE_ACCOUNT = {401, 402, 403, 404}
_OF_THE_INPUT = {400, 413, 415, 422}
_DECLINED = {"content_filter", "content_policy_violation", "moderation_blocked"}
_SPENT = {"insufficient_quota", "billing_hard_limit_reached"}
_NEVER_SENT = {"ConnectError", "ConnectTimeout"}


def told_apart(error: openai.APIError) -> ServiceError:
    """Say what a failed request means for whoever made it."""
    if isinstance(error, openai.APIStatusError):
        return _of_status(error)
    if isinstance(error, openai.APITimeoutError):
        return BrokenError("it takes too long to answer", is_billed=True)
    cause = type(error.__cause__).__name__ if error.__cause__ else type(error).__name__
    if cause in _NEVER_SENT:
        return BrokenError(f"it cannot be reached ({cause}); check base_url and the network")
    return BrokenError(f"it broke off ({cause})", is_billed=True)


def _of_status(error: openai.APIStatusError) -> ServiceError:
    status, code = error.status_code, str(error.code or "")
    text = f"HTTP {status}: {_message(error)}"
    if code in _DECLINED:
        return BlockedError(text)
    if code in _SPENT or status in _OF_THE_ACCOUNT:
        return AccountError(text)
    wait_s = _wait(error.response.headers.get("retry-after"))
    if status == 429 or (status == 503 and wait_s is not None):
        return BusyError(text, wait_s)
    return NotTakenError(text) if status in _OF_THE_INPUT else BrokenError(text)


def _message(error: openai.APIStatusError) -> str:
    body: Any = error.body
    said = body.get("message") if isinstance(body, dict) else None
    return str(said or "no reason given")[:LONGEST_MESSAGE]


def _wait(header: str | None) -> float | None:
    """Read Retry-After: seconds, or a date."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(timezone.utc)).total_seconds())
