"""People with accounts of a project, each with a home and perhaps a machine that processes."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from video_assets.accounts.identity import kept_session
from video_assets.interfaces.cli.main import app
from video_assets_tests.commands import at_home, command, environment, run_here

PASSWORD = "Sonnenblume-7"  # noqa: S105  of accounts that live as long as a test


@dataclass(frozen=True)
class Person:
    """Somebody who knows a project by its address and the key that everybody may have.

    home       where their session is
    variables  what is set where they sit
    """

    email: str
    home: Path
    variables: Mapping[str, str] = field(repr=False)

    @contextmanager
    def here(self) -> Iterator[None]:
        """Let this process be theirs."""
        with pytest.MonkeyPatch.context() as patch, at_home(self.home):
            for name, value in self.variables.items():
                patch.setenv(name, value)
            yield

    def says(self, *arguments: str | Path, code: int = 0) -> str:
        """Run a command that only looks, and give what it prints; an error where it fails."""
        with self.here():
            result = run_here(*arguments, code=code)
        self.confess(result.output)
        return result.stderr if code else result.stdout

    def told(self, *arguments: str | Path) -> Any:
        """Run a command that answers in JSON."""
        return json.loads(self.says(*arguments, "--json"))

    def auth(self, *arguments: str) -> str:
        """Run a command of `auth` that wants a password."""
        given = (*arguments, "--email", self.email, "--password-stdin")
        with self.here():
            result = CliRunner().invoke(app, ["auth", *given], input=PASSWORD)
        assert result.exit_code == 0, result.output
        self.confess(result.output)
        return result.stdout

    def process(self, *arguments: str | Path) -> Any:
        """Run a command that processes, in a process of its own, and give its answer in JSON."""
        done = subprocess.run(
            command(*arguments, "--json"),
            env={**environment(self.home), **self.variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        self.confess(done.stdout + done.stderr)
        return json.loads(done.stdout)

    def confess(self, said: str) -> None:
        """Nothing that is said holds anything that lets somebody in."""
        assert not [secret for secret in self.secrets if secret in said]

    @property
    def secrets(self) -> list[str]:
        """What must be written nowhere but in the session's own file."""
        session = kept_session(self.home).read()
        tokens = (session.access_token, session.refresh_token) if session else ()
        kept = [token.get_secret_value() for token in tokens if token]
        given = [value for name, value in self.variables.items() if _is_secret(name)]
        return [PASSWORD, *kept, *given]


def _is_secret(name: str) -> bool:
    return name.endswith(("SECRET_KEY", "DB_URL", "DAGSTER_URL"))
