"""The file that keeps a session: readable by its owner alone, whole or not there at all.

Where the optional library `keyring` finds a place in which the system keeps passwords, the tokens
lie there and the file says so; what is no secret stays in the file.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from video_assets.accounts import system_keyring
from video_assets.accounts.account_errors import SIGN_IN, AccountError, SignedOutError
from video_assets.accounts.session import Session

NAME = "auth.json"
TOKENS = ("access_token", "refresh_token")
KEPT_IN = "tokens"  # says where the tokens are, if they are not in the file
LOCK_WAIT_S = 90  # longer than a project may take to answer


class UnreadableSessionError(SignedOutError):
    """The file is there and holds no session."""


@dataclass(frozen=True)
class SessionFile:
    """The session that is kept at a path."""

    path: Path

    def read(self) -> Session | None:
        """The session, or None where there is none.

        Raises UnreadableSessionError if the file is there and cannot be used.
        """
        try:
            written = json.loads(self.path.read_bytes())
            if written.pop(KEPT_IN, None) == system_keyring.NAME:
                tokens = system_keyring.read(self._entry)
                if tokens is None:
                    raise self._unreadable("the system's keyring does not give its tokens")
                written |= json.loads(tokens)
            return Session.model_validate(written)
        except FileNotFoundError:
            return None
        except ValidationError as error:
            missing = ", ".join(str(each["loc"][0]) for each in error.errors() if each["loc"])
            raise self._unreadable(f"it has no fit {missing}") from None
        except (ValueError, AttributeError, TypeError):
            raise self._unreadable("it is no JSON object") from None
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from None

    def write(self, session: Session) -> None:
        """Keep a session in place of the one before, which stays if that fails."""
        written = session.revealed()
        tokens = json.dumps({name: written[name] for name in TOKENS})
        if system_keyring.keep(self._entry, tokens):
            written = {name: value for name, value in written.items() if name not in TOKENS}
            written[KEPT_IN] = system_keyring.NAME
        else:
            system_keyring.remove(self._entry)
        self._replace(json.dumps(written, indent=2).encode() + b"\n")

    def remove(self) -> bool:
        """Forget the session; False if there was none."""
        system_keyring.remove(self._entry)
        self._unfinished.unlink(missing_ok=True)
        existed = self.path.exists()
        self.path.unlink(missing_ok=True)
        return existed

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from changing the session: a refresh token is good for one use."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path.with_suffix(".lock"), timeout=LOCK_WAIT_S, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise AccountError(
                f"another command has been renewing the session for {LOCK_WAIT_S} s; wait for it, "
                "or stop it"
            ) from None
        try:
            yield
        finally:
            lock.release()

    @property
    def is_in_keyring(self) -> bool:
        """Whether the file says that the tokens lie with the system's passwords."""
        try:
            return json.loads(self.path.read_bytes()).get(KEPT_IN) == system_keyring.NAME
        except (OSError, ValueError, AttributeError):
            return False

    @property
    def _entry(self) -> str:
        return str(self.path)

    @property
    def _unfinished(self) -> Path:
        return self.path.with_name(f".{self.path.name}.new")

    def _replace(self, data: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self._unfinished
        new.unlink(missing_ok=True)  # of a process that was killed; its mode is not to be trusted
        try:
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                os.fchmod(out.fileno(), 0o600)
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            new.replace(self.path)
        finally:
            new.unlink(missing_ok=True)

    def _unreadable(self, why: str) -> UnreadableSessionError:
        return UnreadableSessionError(
            f"not signed in: {self.path} cannot be used ({why}); {SIGN_IN}, which writes it anew"
        )
