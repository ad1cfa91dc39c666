"""Results that the database does not take, told from a database that is gone."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg


class RefusedError(ValueError):
    """The database does not take a result: no number, half a character, an impossible value."""


class NoRoomError(RefusedError):
    """Vectors of a third model: one is searched, and another is about to take its place."""


@contextmanager
def refusing() -> Iterator[None]:
    """Raise RefusedError for what cannot be stored, and NoRoomError for one model too many."""
    try:
        yield
    except (
        psycopg.DataError,
        psycopg.IntegrityError,
        psycopg.errors.ProgramLimitExceeded,
    ) as error:
        # The first line alone: what follows it quotes the row, with the paths of its owners.
        said = error.diag.message_primary or type(error).__name__
        raise RefusedError(f"the database does not take the result: {said}") from error
    except psycopg.errors.RaiseException as error:  # by private.space_of
        raise NoRoomError(error.diag.message_primary) from error
