"""Redaction: no password, key or token gets into a log, a ledger row or a message.

Two nets, because each has holes: what looks like a secret, wherever it comes from, and the very
values that the environment and the settings hold, whatever they look like.
"""

import json
import os
import re
from collections.abc import Iterable
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


def redact_all(value: object) -> object:
    """Write whatever is made of texts without the secrets in them."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: redact_all(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [redact_all(each) for each in value]
    return value


@cache
def _values() -> "re.Pattern[str] | None":
    """Find every known value, as it is and as URLs, JSON and Python write it."""
    known = {value for name, value in os.environ.items() if _NAMES.fullmatch(name)} | _told
    written = {
        form
        for value in known
        if len(value) >= SHORTEST
        for form in (value, quote(value, safe=""), json.dumps(value)[1:-1], repr(value)[1:-1])
    }
    longest_first = sorted(written, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if written else None
