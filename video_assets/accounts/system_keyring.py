"""The place where the system keeps passwords, where there is one and the library for it.

Whatever goes wrong with it means that there is none: it may be locked, or nobody may be there to
unlock it.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

NAME = "keyring"
SERVICE = "video-assets"


def keep(entry: str, secret: str) -> bool:
    """Keep a secret; False if there is no place for it."""
    keyring = _find()
    if keyring is None:
        return False
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, entry, secret)
        return keyring.get_password(SERVICE, entry) == secret
    except (KeyringError, OSError, RuntimeError):
        return False


def read(entry: str) -> str | None:
    """The secret that is kept, or None if it cannot be had."""
    keyring = _find()
    if keyring is None:
        return None
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, entry)
    except (KeyringError, OSError, RuntimeError):
        return None


def remove(entry: str) -> None:
    """Forget a secret, if there is one."""
    keyring = _find()
    if keyring is None:
        return
    from keyring.errors import KeyringError

    try:
        if keyring.get_password(SERVICE, entry) is not None:
            keyring.delete_password(SERVICE, entry)
    except (KeyringError, OSError, RuntimeError):
        return


def _find() -> "KeyringBackend | None":
    if find_spec("keyring") is None:
        return None
    import keyring

    found = keyring.get_keyring()
    # Below 1 are those that keep nothing, or keep it as anybody can read it.
    return found if found.priority >= 1 else None
