"""`video-assets auth` against a Supabase project on loopback, and without one."""

import json
import os
import pty
import re
import stat
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from video_assets.accounts.identity import kept_session
from video_assets.accounts.session import Session
from video_assets.interfaces.cli.faults import ACCOUNT, MACHINE, USAGE
from video_assets.interfaces.cli.main import app
from video_assets_tests.commands import command, environment
from video_assets_tests.lite.project import new_address
from video_assets_tests.lite.server import Project
from video_assets_tests.servers import quiet_port

PASSWORD = "Sonnenblume-7"  # noqa: S105  of accounts that live as long as a test


@pytest.fixture
def home(supabase: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(tmp_path))
    for name, value in project_of(supabase).items():
        monkeypatch.setenv(name, value)
    return tmp_path


def project_of(supabase: Project) -> dict[str, str]:
    return {"SUPABASE_URL": supabase.url, "SUPABASE_ANON_KEY": supabase.publishable_key}


def auth(*arguments: str, code: int = 0, says: str | None = None) -> Result:
    result = CliRunner().invoke(app, ["auth", *arguments], input=says, env={"COLUMNS": "100"})
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    assert PASSWORD not in result.stdout + result.stderr
    return result


@pytest.fixture
def email(home: Path) -> str:
    """Of an account of its own."""
    email = new_address()
    said = auth("signup", "--email", email, "--password-stdin", "--name", "Ada", says=PASSWORD)
    assert "Sign in with `video-assets auth login`" in said.stdout
    return email


def log_in(email: str, password: str = PASSWORD, code: int = 0) -> Result:
    return auth("login", "-e", email, "--password-stdin", says=f"{password}\n", code=code)


def kept(home: Path) -> Session:
    session = kept_session(home).read()
    assert session is not None
    return session


def test_who_signs_in_is_welcomed_and_shown(home: Path, email: str):
    said = log_in(email).stdout
    assert f"Signed in as {email}." in said
    assert re.search("Welcome, .+!", said)
    assert "admin" not in said
    assert stat.S_IMODE((home / "auth.json").stat().st_mode) == 0o600
    shown = auth("status").stdout
    assert "Authentication Status" in shown
    assert re.search(rf"Email +{email}", shown)
    assert re.search(rf"User ID +{str(kept(home).user_id)[:8]}\.\.\. *\n", shown)
    assert re.search(r"Account Type +user", shown)
    assert re.search(rf"Created +{datetime.now(timezone.utc):%Y-%m}-\d\d *\n", shown)
    assert "Video Processing Statistics" in shown
    assert re.search(r"Total Videos +0", shown)
    assert re.search(r"Total Duration +0\.0 hours", shown)
    assert re.search(r"Storage Used +0\.00 GB", shown)
    assert re.search(r"Videos with Transcripts +0", shown)
    document = json.loads(auth("status", "--json").stdout)
    assert (document["email"], document["account_type"]) == (email, "user")
    assert document["tokens_kept_in"] == "file"
    assert document["statistics"]["total_clips"] == 0
    tokens = (kept(home).access_token, kept(home).refresh_token)
    assert all(token and token.get_secret_value() not in str(document) for token in tokens)


def test_an_admin_is_told_so(
    home: Path, email: str, supabase: Project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SUPABASE_DB_URL", supabase.admin_url)

    def admin(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, ["db", "admin", *arguments])
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    assert admin(email.upper()).stdout == f"{email.upper()} is no admin\n"
    assert admin(email, "--grant").stdout == f"{email} is an admin\n"
    monkeypatch.delenv("SUPABASE_DB_URL")
    assert "You are an admin." in log_in(email).stdout
    assert re.search(r"Account Type +admin", auth("status").stdout)
    assert "SUPABASE_DB_URL" in admin(email, "--grant", code=USAGE).stderr
    monkeypatch.setenv("SUPABASE_DB_URL", supabase.admin_url)
    assert json.loads(admin(email, "--revoke", "--json").stdout)["is_admin"] is False
    assert "no account is called" in admin("nobody@example.org", "--grant", code=USAGE).stderr


def test_a_wrong_password_signs_nobody_in(home: Path, email: str):
    said = log_in(email, "Kornblume-8", code=ACCOUNT)
    assert "check your credentials" in said.stderr
    assert not (home / "auth.json").exists()
    assert "not signed in; run `video-assets auth login`" in auth("status", code=ACCOUNT).stderr


def test_an_address_that_is_taken_and_a_weak_password_are_told(home: Path, email: str):
    again = ("signup", "-e", email, "--password-stdin")
    assert "may already be registered" in auth(*again, says=PASSWORD, code=ACCOUNT).stderr
    weak = ("signup", "-e", f"new-{email}", "--password-stdin")
    assert "better password" in auth(*weak, says="123", code=ACCOUNT).stderr


def test_the_password_may_be_a_variable(home: Path, email: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VIDEO_ASSETS_PASSWORD", PASSWORD)
    auth("login", "--email", email)
    assert kept(home).email == email


@pytest.mark.parametrize("name", ["login", "signup"])
def test_a_password_on_the_command_line_is_refused(home: Path, name: str):
    said = auth(name, "-e", "ada@example.org", "--password", "let-me-in", code=USAGE).stderr
    assert "--password-stdin" in said
    assert "let-me-in" not in said


def test_nobody_is_asked_where_nobody_is(home: Path, email: str):
    assert "--password-stdin" in auth("login", "-e", email, code=USAGE).stderr
    assert "--email" in auth("login", code=USAGE).stderr
    log_in(email)
    assert "--yes" in auth("logout", code=USAGE).stderr
    assert kept(home).email == email


def test_another_account_takes_the_place_of_the_first(home: Path, email: str):
    log_in(email)
    first = kept(home)
    log_in(email)
    assert kept(home).access_token != first.access_token
    kept_session(home).write(first)
    assert "your session was ended" in auth("status", code=ACCOUNT).stderr
    assert "not signed in" in auth("status", code=ACCOUNT).stderr


def test_signing_out_ends_the_session_and_removes_it(home: Path, email: str):
    log_in(email)
    session = kept(home)
    assert "Signed out." in auth("logout", "--yes").stdout
    assert not (home / "auth.json").exists()
    assert "Nobody is signed in." in auth("logout", "--yes").stdout
    kept_session(home).write(session)
    assert "your session was ended" in auth("status", code=ACCOUNT).stderr


def test_a_session_that_is_over_is_ended_too(home: Path, email: str, supabase: Project):
    log_in(email)
    session = kept(home)
    long_ago = datetime(2026, 1, 1, tzinfo=timezone.utc)
    kept_session(home).write(session.model_copy(update={"expires_at": long_ago}))
    assert "Signed out." in auth("logout", "--yes").stdout
    kept_session(home).write(session)
    assert "your session was ended" in auth("status", code=ACCOUNT).stderr


def test_signing_out_offline_removes_the_session_and_says_what_goes_on(
    home: Path, email: str, monkeypatch: pytest.MonkeyPatch
):
    log_in(email)
    nowhere = f"http://127.0.0.1:{quiet_port()}"
    kept_session(home).write(kept(home).model_copy(update={"project": nowhere}))
    monkeypatch.setenv("SUPABASE_URL", nowhere)
    assert f"{nowhere} cannot be reached" in auth("status", code=MACHINE).stderr
    said = auth("logout", "--yes", code=MACHINE)
    assert "Signed out." in said.stdout
    assert (
        f"signed out here alone, and the session at the project goes on: {nowhere}" in said.stderr
    )
    assert not (home / "auth.json").exists()


def test_a_file_that_holds_no_session_can_be_signed_out_and_in(home: Path, email: str):
    (home / "auth.json").write_text("half a sess")
    assert "cannot be used" in auth("status", code=ACCOUNT).stderr
    assert "Signed out." in auth("logout", "--yes").stdout
    (home / "auth.json").write_text("half a sess")
    log_in(email)
    assert kept(home).email == email


def test_a_project_without_a_catalogue_says_what_to_do(home: Path, email: str, supabase: Project):
    rename = "ALTER FUNCTION public.{} RENAME TO {}"
    with psycopg.connect(supabase.admin_url, autocommit=True) as connection:
        connection.execute(rename.format("get_user_profile", "was_profile"))
        try:
            said = log_in(email)
            assert "Signed in as" in said.stdout
            assert "video-assets db migrate" in said.stderr
            assert "video-assets db migrate" in auth("status", code=MACHINE).stderr
        finally:
            connection.execute(rename.format("was_profile", "get_user_profile"))


def test_a_token_of_the_variables_is_who_is_signed_in(
    home: Path, email: str, monkeypatch: pytest.MonkeyPatch
):
    log_in(email)
    monkeypatch.setenv("VIDEO_ASSETS_ACCESS_TOKEN", kept(home).access_token.get_secret_value())
    (home / "auth.json").unlink()
    document = json.loads(auth("status", "--json").stdout)
    assert (document["email"], document["tokens_kept_in"]) == (email, "variable")
    for name in ("login", "logout"):
        said = auth(name, "--yes", code=USAGE).stderr
        assert "VIDEO_ASSETS_ACCESS_TOKEN" in said
    monkeypatch.setenv("VIDEO_ASSETS_ACCESS_TOKEN", "no-token")
    assert "no access token of a person" in auth("status", code=USAGE).stderr


def test_a_catalogue_on_this_machine_needs_no_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(tmp_path / "never"))
    for name, code in (("login", USAGE), ("signup", USAGE), ("logout", 0), ("status", 0)):
        said = auth(name, code=code)
        assert "No account is needed" in " ".join((said.stdout + said.stderr).split())
    assert json.loads(auth("status", "--json").stdout) == {
        "signed_in": False,
        "account_needed": False,
    }
    assert list(tmp_path.iterdir()) == []


def test_a_project_without_its_key_says_which_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VIDEO_ASSETS_HOME", str(tmp_path))
    monkeypatch.setenv("SUPABASE_URL", "https://abc.supabase.co")
    assert "SUPABASE_PUBLISHABLE_KEY" in auth("status", code=USAGE).stderr


# In a process of its own: after a fork, threads of others may hold locks that nobody lets go.
TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def at_terminal(home: Path, supabase: Project, *arguments: str, says: list[str]) -> str:
    """Run a command at a terminal; each answer is typed when its question stands there."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, *command("auth", *arguments)],
        env={**environment(home), **project_of(supabase)},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    shown = b""
    with process, os.fdopen(master, "rb+", buffering=0) as terminal:
        while True:
            try:
                read = terminal.read(4096)
            except OSError:  # so Linux says that the other end is closed
                break
            shown += read
            if not read:
                break
            if says and shown.endswith(b": "):
                terminal.write(f"{says.pop(0)}\n".encode())
    assert process.returncode == 0, shown
    return shown.decode()


def test_a_person_is_asked_and_their_password_not_shown(home: Path, supabase: Project):
    email = new_address()
    shown = at_terminal(home, supabase, "signup", says=[email, PASSWORD, PASSWORD])
    assert "The account is made" in shown
    assert PASSWORD not in shown
    shown = at_terminal(home, supabase, "login", says=[email, PASSWORD])
    assert f"Signed in as {email}" in shown
    assert PASSWORD not in shown
    shown = at_terminal(home, supabase, "login", says=["n"])
    assert f"{email} is signed in. Use another account? [y/N]:" in shown
    assert "Nothing was changed." in shown
    shown = at_terminal(home, supabase, "logout", says=["y"])
    assert "Signed out." in shown
    assert not (home / "auth.json").exists()
