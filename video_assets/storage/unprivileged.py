"""Postgres refuses to run as root: the account it runs under instead, and what it can reach."""

import hashlib
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "video-assets"
STAND_INS = ("postgres", "nobody")
BASE = Path("/var/lib/video-assets")


@dataclass(frozen=True)
class Account:
    """An account of this machine by its numbers."""

    uid: int
    gid: int

    def owns(self, path: Path) -> None:
        """Give a file or folder that we made to this account."""
        os.chown(path, self.uid, self.gid)


def server_account(data: Path) -> Account | None:
    """The account to run the server of a data folder under; None means our own."""
    if not (hasattr(os, "geteuid") and os.geteuid() == 0):
        return None
    if data.exists():
        found = data.stat()
        return Account(found.st_uid, found.st_gid)
    return _find(ACCOUNT) or _make() or next(filter(None, map(_find, STAND_INS)), None)


def _find(name: str) -> Account | None:
    import pwd  # absent on Windows, where nobody is root

    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)


def _make() -> Account | None:
    useradd = shutil.which("useradd")
    if useradd is None:
        return None
    command = [useradd, "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--user-group", "--shell", "/usr/sbin/nologin", ACCOUNT]
    # No check: on a read-only /etc a stand-in serves, and another process may have been faster.
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return _find(ACCOUNT)


def can_enter(account: Account, folder: Path) -> bool:
    """Whether the account gets into a folder through all of its parents."""
    folder = folder.resolve()
    return all(_may(account, each, stat.S_IXOTH) for each in (folder, *folder.parents))


def can_run(account: Account, program: Path) -> bool:
    """Whether the account gets to a program and may run it."""
    return can_enter(account, program.parent) and _may(
        account, program, stat.S_IROTH | stat.S_IXOTH
    )


def _may(account: Account, path: Path, rights: int) -> bool:
    found = path.stat()
    if found.st_uid == account.uid:
        rights <<= 6
    elif found.st_gid == account.gid:
        rights <<= 3
    return found.st_mode & rights == rights


def shared_base() -> Path:
    """A folder that every account can enter, for what cannot lie where the user wanted it."""
    BASE.mkdir(mode=0o755, parents=True, exist_ok=True)
    return BASE


def fallback_folder(home: Path) -> Path:
    """Where the data of a home lies that the server's account cannot reach."""
    return BASE / hashlib.blake2s(os.fsencode(home), digest_size=6).hexdigest() / "postgres"
