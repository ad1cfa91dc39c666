"""The file of a session: who may read it, and what becomes of it when writing goes wrong."""

import errno
import json
import multiprocessing
import os
import stat
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError
from pydantic import SecretStr

from video_assets.accounts.session import MARGIN, Session
from video_assets.accounts.session_file import SessionFile, UnreadableSessionError
from video_assets.redaction import HIDDEN, redact

ACCESS, REFRESH = "an-access-token", "a-refresh-token"
SESSION = Session(
    project="https://abc.supabase.co",
    user_id=UUID(int=7),
    email="ada@example.org",
    expires_at=datetime(2026, 12, 1, 12, tzinfo=timezone.utc),
    access_token=SecretStr(ACCESS),
    refresh_token=SecretStr(REFRESH),
)
LATER = SESSION.model_copy(update={"refresh_token": SecretStr("a-later-refresh-token")})


@pytest.fixture
def file(tmp_path: Path) -> SessionFile:
    return SessionFile(tmp_path / "home" / "auth.json")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_its_owner_alone_may_read_it_whatever_the_umask(file: SessionFile, umask: int):
    file.path.parent.mkdir()
    before = os.umask(umask)
    try:
        file.write(SESSION)
        file.write(LATER)
    finally:
        os.umask(before)
    assert mode_of(file.path) == 0o600
    assert file.read() == LATER


def test_nobody_else_may_read_it_while_it_is_written(file: SessionFile, replace_here):
    file.path.parent.mkdir()
    seen = []

    def look(descriptor: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        seen.extend(mode_of(path) for path in file.path.parent.iterdir())

    replace_here(os, "fsync", look)
    change = os.fchmod
    replace_here(os, "fchmod", lambda *wanted: (look(wanted[0]), change(*wanted)))
    before = os.umask(0)
    try:
        file.write(SESSION)
    finally:
        os.umask(before)
    assert set(seen) == {0o600}


def test_its_fields_are_those_that_are_promised(file: SessionFile):
    file.write(SESSION)
    assert json.loads(file.path.read_text()) == {
        "project": "https://abc.supabase.co",
        "user_id": str(UUID(int=7)),
        "email": "ada@example.org",
        "expires_at": "2026-12-01T12:00:00Z",
        "access_token": ACCESS,
        "refresh_token": REFRESH,
    }


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "no space left"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["write", "rename"])
def test_what_goes_wrong_leaves_the_session_before(
    file: SessionFile,
    monkeypatch: pytest.MonkeyPatch,
    replace_here,
    fault: BaseException,
    step: str,
):
    file.write(SESSION)

    def fail(*_: object) -> None:
        raise fault

    if step == "write":
        replace_here(os, "fsync", fail)
    else:
        replace_here(Path, "replace", fail)
    with pytest.raises(type(fault)):
        file.write(LATER)
    monkeypatch.undo()
    assert file.read() == SESSION
    assert [path.name for path in file.path.parent.iterdir()] == ["auth.json"]


def test_what_a_killed_process_left_is_written_over(file: SessionFile):
    file.path.parent.mkdir()
    left = file.path.with_name(".auth.json.new")
    left.write_text("half a sess")
    left.chmod(0o666)
    file.write(SESSION)
    assert mode_of(file.path) == 0o600
    assert file.read() == SESSION
    left.write_text("half a sess")
    assert file.remove()
    assert list(file.path.parent.iterdir()) == []


def test_without_a_file_there_is_no_session(file: SessionFile):
    assert file.read() is None
    assert file.remove() is False


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "no JSON object", id="empty"),
        pytest.param('{"project": "htt', "no JSON object", id="half"),
        pytest.param("[1]", "no JSON object", id="a list"),
        pytest.param("\x00\xff", "no JSON object", id="no text"),
        pytest.param('{"project": 1}', "no fit project, user_id, email", id="other fields"),
        pytest.param(
            json.dumps({**SESSION.revealed(), "expires_at": "2026-12-01T12:00:00"}),
            "no fit expires_at",
            id="a time without a zone",
        ),
        pytest.param(
            '{"tokens": "keyring"}', "keyring does not give its tokens", id="tokens are gone"
        ),
    ],
)
def test_a_file_that_holds_no_session_says_so(file: SessionFile, text: str, why: str):
    file.path.parent.mkdir()
    file.path.write_text(text)
    with pytest.raises(UnreadableSessionError, match=why) as told:
        file.read()
    assert "auth login" in str(told.value)
    assert str(file.path) in str(told.value)
    file.write(SESSION)
    assert file.read() == SESSION


def hold(path: Path, is_held: Any) -> None:
    with SessionFile(path).locked():
        is_held.set()
        time.sleep(0.3)
        SessionFile(path).write(LATER)


def test_processes_change_it_one_after_the_other(file: SessionFile):
    file.write(SESSION)
    context = multiprocessing.get_context("spawn")
    is_held = context.Event()
    other = context.Process(target=hold, args=(file.path, is_held))
    other.start()
    assert is_held.wait(30)
    with file.locked():
        assert file.read() == LATER
    other.join()


def test_a_session_is_over_a_moment_before_it_ends():
    now = datetime.now(timezone.utc)
    soon = SESSION.model_copy(update={"expires_at": now + MARGIN / 2})
    later = SESSION.model_copy(update={"expires_at": now + 2 * MARGIN})
    elsewhere = timezone(timedelta(hours=9))
    assert soon.is_over
    assert not later.is_over
    shown_otherwise = later.expires_at.astimezone(elsewhere)
    assert not later.model_copy(update={"expires_at": shown_otherwise}).is_over


def test_tokens_are_shown_nowhere():
    made_here = Session.model_validate(SESSION.revealed())  # what others protect is not known here
    assert ACCESS not in repr(made_here)
    assert redact(f"sent {ACCESS} and {REFRESH}") == f"sent {HIDDEN} and {HIDDEN}"


class SystemKeyring(KeyringBackend):
    """The place in which a system keeps passwords."""

    priority = 5  # type: ignore[assignment]
    is_locked = False

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError

    def _open(self) -> None:
        if self.is_locked:
            raise KeyringLocked


@pytest.fixture
def system() -> Iterator[SystemKeyring]:
    before, system = keyring.get_keyring(), SystemKeyring()
    keyring.set_keyring(system)
    yield system
    keyring.set_keyring(before)


def test_tokens_lie_with_the_passwords_of_the_system(file: SessionFile, system: SystemKeyring):
    file.write(SESSION)
    assert file.read() == SESSION
    assert file.is_in_keyring
    text = file.path.read_text()
    assert ACCESS not in text
    assert REFRESH not in text
    file.write(LATER)
    assert file.read() == LATER
    file.remove()
    assert system.kept == {}


def test_two_homes_have_two_sessions(file: SessionFile, tmp_path: Path, system: SystemKeyring):
    other = SessionFile(tmp_path / "other" / "auth.json")
    file.write(SESSION)
    other.write(LATER)
    other.remove()
    assert file.read() == SESSION


def test_a_keyring_that_is_locked_leaves_the_file(file: SessionFile, system: SystemKeyring):
    system.is_locked = True
    file.write(SESSION)
    assert file.read() == SESSION
    assert not file.is_in_keyring
    system.is_locked = False
    file.write(SESSION)
    system.is_locked = True
    with pytest.raises(UnreadableSessionError, match="keyring"):
        file.read()
    assert file.remove()
