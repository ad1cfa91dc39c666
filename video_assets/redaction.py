"""Redaction: no password, key or token gets into a log, a ledger row or a message.

Two nets, because each has holes: what looks like a secret, wherever it comes from, and the very
values that the environment and the settings hold, whatever they look like.
"""

import base64
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from urllib.parse import quote

HIDDEN = "***"
SHORTEST = 6  # a shorter value is also part of ordinary words
_NAMES = re.compile(
    r"SUPABASE_.*|VIDEO_ASSETS_.*(URL|WEBHOOK)|.*(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)",
    re.IGNORECASE,
)
_VALUE = r"(?:\\?\"[^\"]*\"|'[^']*'|[^\s\"',;&)}\]]+)"
_LOOKS = (
    # The user and password of a URL, up to the last @ before anything that ends a URL.
    (re.compile(r"(?i)([a-z][a-z0-9+.-]*://)[^\s/\"'<>@:]*:[^\s\"'<>]*@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(?i)\b(bearer )[a-z0-9._~+/=-]{6,}"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)((?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|authorization)"
            rf"[\"']?\s*[:=]\s*(?:basic |bearer )?)(?!\*){_VALUE}"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)([?&](?:key|sig|signature|code)=)[^\s&\"'<>]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)https://hooks\.[^\s\"'<>]+"), HIDDEN),  # such an address is the secret
    (re.compile(r"\b(?:sk|pk|sb_secret|sbp|hf|gh[pousr]|xox[a-z])[-_][\w-]{12,}"), HIDDEN),
    (re.compile(r"\bAIza[\w-]{20,}"), HIDDEN),
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*"), HIDDEN),  # a JSON web token
)
_told: set[str] = set()


def protect(values: Iterable[str]) -> None:
    """Hide these values from now on in this process, and what the environment holds now."""
    _told.update(values)
    _values.cache_clear()


def redact(text: str) -> str:
    """Write a text without the secrets in it."""
    if values := _values():
        text = values.sub(HIDDEN, text)
    for pattern, hidden in _LOOKS:
        text = pattern.sub(hidden, text)
    return text


def redact_all(value: object, hide: Callable[[str], str] = redact) -> object:
    """Write whatever is made of texts without the secrets in them."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {key: redact_all(each, hide) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [redact_all(each, hide) for each in value]
    return value


def hide_known(value: object) -> object:
    """Write an answer without the secrets that are known; what only looks like one may be said."""
    values = _values()
    return redact_all(value, lambda text: values.sub(HIDDEN, text)) if values else value


@cache
def _values() -> "re.Pattern[str] | None":
    """Find every known value in all its forms."""
    known = {value for name, value in os.environ.items() if _NAMES.fullmatch(name)} | _told
    written = {form for value in known if len(value) >= SHORTEST for form in _forms(value)}
    longest_first = sorted(written, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if written else None


def _forms(value: str) -> Iterator[str]:
    """Write a value as URLs, JSON, Python and base64 do."""
    yield from (value, quote(value, safe=""), quote(value))
    yield from (json.dumps(value)[1:-1], repr(value)[1:-1])
    data = value.encode()
    # Three bytes are four letters of base64, so where it begins among others matters.
    for skipped in range(3):
        whole = data[skipped : skipped + (len(data) - skipped) // 3 * 3]
        if len(whole) >= SHORTEST:
            yield base64.b64encode(whole).decode()
