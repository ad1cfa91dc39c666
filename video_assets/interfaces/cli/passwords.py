"""Where a password comes from: a hidden question, stdin or a variable; never the command line."""

import os
import sys

import typer

from video_assets.interfaces.cli.reading import leave

VARIABLE = "VIDEO_ASSETS_PASSWORD"
OTHER_WAYS = f"leave it out to be asked, or use --password-stdin or the variable {VARIABLE}"


def refuse_given(password: str | None) -> None:
    """Refuse a password that stands where all can read it."""
    if password is not None:
        leave(
            "a password on the command line stays in the shell's history, and everybody on this "
            f"machine can read it while the command runs; change that one, and {OTHER_WAYS}"
        )


def read_password(*, from_stdin: bool, twice: bool = False) -> str:
    """Read a password; ends the command where there is none, or two differ."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = os.environ.get(VARIABLE) or _ask(twice=twice)
    return password or leave("the password is empty")


def read_email(email: str | None) -> str:
    """Take an address, or ask for one."""
    if email is None:
        if not sys.stdin.isatty():
            leave("nobody is there to ask for an e-mail address; give --email")
        email = str(typer.prompt("E-mail", err=True))
    email = email.strip()
    if "@" not in email:
        leave(f"{email} is no e-mail address")
    return email


def _ask(*, twice: bool) -> str:
    if not sys.stdin.isatty():
        leave(
            "nobody is there to ask for a password; use --password-stdin or the variable "
            f"{VARIABLE}"
        )
    password = str(typer.prompt("Password", hide_input=True, err=True))
    if twice and typer.prompt("The same again", hide_input=True, err=True) != password:
        leave("the two passwords differ; nothing was done")
    return password
