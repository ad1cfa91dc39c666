"""How presets name services and models."""

import re
from pathlib import Path
from urllib.parse import urlsplit

_HERE = {"localhost", "127.0.0.1", "::1"}


def plain_address(url: str, *, key: str) -> str:
    """Give a service's address back if no secret stands in it.

    key  the variable that holds the key instead, for the error

    Raises ValueError.
    """
    if not re.fullmatch(r"https?://[^@?#\s]+", url):
        raise ValueError(
            "expected http(s)://host/path without a user, password or query; "
            f"a key belongs into {key}"
        )
    return url


def without_folder(model: str) -> str:
    """Name a model without the folder in which it lies on one machine."""
    is_folder = model.startswith((".", "~", "/", "\\")) or Path(model).is_dir()
    return Path(model).name if is_folder else model


def host_of(url: str) -> str:
    """Name the host of an address."""
    return urlsplit(url).hostname or ""


def is_here(url: str | None) -> bool:
    """Tell whether an address is one of this machine that no other can reach."""
    return host_of(url or "") in _HERE  # any other name may lead anywhere
