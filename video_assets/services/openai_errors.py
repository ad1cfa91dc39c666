"""What the errors of OpenAI's client mean, whichever service speaks its protocol."""

from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import openai

from video_assets.services.service_errors import (
    AccountError,
    BrokenError,
    BusyError,
    NotTakenError,
    ServiceError,
)

_OF_THE_INPUT = {400, 413, 415, 422}
_PASSING = {408, 409, 425}  # and all from 500 on
_NEVER_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout"}  # of httpx, below the client
_NO_MONEY = "insufficient_quota"  # OpenAI says so by the status of too many requests


def service_error(error: openai.OpenAIError) -> ServiceError:
    """Tell what a call came to that gave no answer; the texts hold no key and no content."""
    if isinstance(error, openai.APIStatusError):
        return _of_status(error)
    if isinstance(error, openai.APITimeoutError):
        return BrokenError("it does not answer in time", is_billed=_was_sent(error))
    if isinstance(error, openai.APIConnectionError):
        if _was_sent(error):
            return BrokenError("the connection broke off", is_billed=True)
        return BrokenError("it cannot be reached; start it or check base_url and the network")
    return BrokenError(f"its answer cannot be read ({type(error).__name__})", is_billed=True)


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read after how many seconds a service wants to be asked again; None: it does not say."""
    said = headers.get("retry-after")
    if said is None:
        return None
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, (at - (now or datetime.now(timezone.utc))).total_seconds())


def _of_status(error: openai.APIStatusError) -> ServiceError:
    status, said = error.status_code, f"HTTP {error.status_code}"
    after = retry_after_s(error.response.headers)
    if status == 429 and error.code == _NO_MONEY:
        return AccountError(f"the account has no money left ({said}); fill it, then run again")
    if status == 429 or (status == 503 and after is not None):
        return BusyError(f"it has had enough requests ({said})", after)
    if status in _PASSING or status >= 500:
        return BrokenError(f"it is busy or broken ({said})")
    if status in _OF_THE_INPUT:
        return NotTakenError(said)
    return AccountError(f"it refuses the request ({said}); check base_url, model and key")


def _was_sent(error: openai.APIConnectionError) -> bool:
    return type(error.__cause__).__name__ not in _NEVER_SENT
