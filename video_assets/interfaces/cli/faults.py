"""What a command's end means: exit codes, and one clear line for what a person can mend."""

from collections.abc import Iterator
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

FAILED, USAGE, MACHINE, ACCOUNT, STOPPED = 1, 2, 3, 4, 130

EPILOGUE = """Exit codes: 0 all went well; 1 some files or clips failed, and each is named; \
2 nothing to do it with: a path, preset, option or setting is wrong; 3 the machine is at fault: \
database or network unreachable, disk full, a bug; 4 sign in first (`auth login`), or the account \
is refused; 130 stopped by Ctrl-C."""

# Of libraries that a command may not have loaded: (package, class).
_DATABASE_GONE = {
    ("psycopg", "OperationalError"),
    ("psycopg2", "OperationalError"),
    ("psycopg2", "InterfaceError"),
    ("sqlalchemy", "OperationalError"),
}


class ToldGroup(TyperGroup):
    """Commands whose expected errors end in one line on stderr and the right exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            tell("stopped")
            raise typer.Exit(STOPPED) from None
        except Exception as error:
            told = explain(error)
            if told is None:
                raise
            code, text = told
            tell(text)
            raise typer.Exit(code) from None


def tell(text: str) -> None:
    """Say something on stderr."""
    console = Console(stderr=True)
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def explain(error: BaseException) -> tuple[int, str] | None:
    """Give the exit code and the words for an error that a person can mend; None for a bug."""
    from video_assets.accounts.account_errors import (
        AccountError,
        NoCatalogueError,
        ProjectKeyError,
        UnreachableProjectError,
    )
    from video_assets.media.ignoring import IgnoreRulesError
    from video_assets.presets.strict import PresetError
    from video_assets.settings import SettingsError
    from video_assets.storage.catalogue import CatalogueError
    from video_assets.storage.migrations import MigrationError
    from video_assets.storage.objects import StoreError
    from video_assets.storage.owners import OwnerError
    from video_assets.storage.poolers import PoolerError
    from video_assets.storage.postgres import DatabaseUnreachableError
    from video_assets.storage.rest import WayInError
    from video_assets.storage.server_file import EmbeddedServerError

    if isinstance(error, ProjectKeyError):
        return USAGE, str(error)
    if isinstance(error, AccountError):
        return ACCOUNT, str(error)
    if isinstance(error, UnreachableProjectError | NoCatalogueError):
        return MACHINE, str(error)
    mistakes = PresetError | SettingsError | CatalogueError | IgnoreRulesError
    if isinstance(error, mistakes | OwnerError | PoolerError | WayInError):
        return USAGE, str(error).strip()
    if isinstance(
        error, EmbeddedServerError | MigrationError | DatabaseUnreachableError | StoreError
    ):
        return MACHINE, str(error).strip()
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return MACHINE, str(error)
    if _is(error, {("psycopg", "InsufficientPrivilege")}):
        return USAGE, f"the catalogue does not let you do this: {_first_line(error)}"
    gone = next((cause for cause in _causes(error) if _is_database_gone(cause)), None)
    if gone is not None:
        return MACHINE, (
            f"the database does not answer any more ({_first_line(gone)}); what was finished is "
            "saved, and the same command goes on from there"
        )
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_database_gone(error: BaseException) -> bool:
    return _is(error, _DATABASE_GONE)


def _is(error: BaseException, classes: set[tuple[str, str]]) -> bool:
    return any(
        (kind.__module__.partition(".")[0], kind.__name__) in classes
        for kind in type(error).__mro__
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
