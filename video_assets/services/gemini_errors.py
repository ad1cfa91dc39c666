"""What Gemini's refusals mean, told apart by what its client raises."""

import re
from typing import Any

from video_assets.services.service_errors import (
    AccountError,
    BrokenError,
    BusyError,
    NotTakenError,
    ServiceError,
)

DAY_S = 6 * 3600.0  # a quota of a day is full: it is asked again some hours later
_OF_THE_ACCOUNT = {401, 402, 403, 404}
_PASSING = {408, 409, 425, 499}
_DELAY = re.compile(r"(\d+(?:\.\d+)?)s?")
_FILE = re.compile(r"\bFile\b")
_CLIENTS = ("httpx", "httpx2", "httpcore", "httpcore2")
_UNSENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol")


class GoneError(BrokenError):
    """A file that was uploaded is not there any more."""


def explain(error: Exception) -> ServiceError:
    """Tell what an error of the client means. Raises the error itself if it is none of those."""
    from google.genai import errors

    if isinstance(error, errors.APIError):
        return _refused(error)
    if type(error).__module__.split(".")[0] in _CLIENTS:
        name = type(error).__name__
        return BrokenError(f"no answer ({name})", is_billed=name not in _UNSENT)
    if isinstance(error, errors.UnknownApiResponseError):
        return BrokenError("what it sends is no JSON", is_billed=True)
    raise error


def is_absent(error: Exception) -> bool:
    """Tell whether it is about a file that is not there; of those Gemini says 403."""
    return getattr(error, "code", None) in (403, 404)


def _refused(error: Any) -> ServiceError:
    said = f"HTTP {error.code}: {error.message or error.status or 'no message'}"
    if error.code == 429:
        return BusyError(said, _retry_after_s(error))
    if error.code in _PASSING or error.code >= 500:
        return BrokenError(said)
    if error.code in (403, 404) and _FILE.search(error.message or ""):
        return GoneError(said)
    # A key that is wrong, or a country or an account that it does not serve, is a 400 here.
    reasons = {each.get("reason") for each in _details(error)}
    if error.code in _OF_THE_ACCOUNT or "API_KEY_INVALID" in reasons:
        return AccountError(f"{said}; check GEMINI_API_KEY and the model")
    if error.code == 400 and error.status == "FAILED_PRECONDITION":
        return AccountError(said)
    return NotTakenError(said)


def _retry_after_s(error: Any) -> float | None:
    details = _details(error)
    violations = [each for detail in details for each in detail.get("violations") or ()]
    if any("PerDay" in str(each.get("quotaId")) for each in violations):
        return DAY_S
    headers = getattr(error.response, "headers", None) or {}
    told = [detail.get("retryDelay") for detail in details] + [headers.get("retry-after")]
    found = [_DELAY.fullmatch(str(each)) for each in told if each is not None]
    return max((float(each[1]) for each in found if each), default=None)


def _details(error: Any) -> list[dict[str, Any]]:
    """Give what an answer tells beside its message."""
    document = error.details if isinstance(error.details, dict) else {}
    body = document.get("error", document)
    found = body.get("details") if isinstance(body, dict) else None
    return [each for each in found or () if isinstance(each, dict)]
