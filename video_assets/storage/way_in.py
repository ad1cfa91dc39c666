"""The way in to a catalogue: what programs need of it, whether by SQL or through an API.

A worker has the password of the database and speaks SQL (postgres.py). A person has no more than a
token, and asks a project's API by the names of queries (rest.py). Both give the same answers.
"""

from contextlib import AbstractContextManager
from typing import Any, Protocol
from uuid import UUID


class WayIn(Protocol):
    """A catalogue, as those read it who see no more than what is theirs."""

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        ...

    def transaction(self, owner: UUID | None = None) -> AbstractContextManager[Any]:
        """Lend a connection for named queries (named_queries.py), as that owner.

        Without an owner it is lent to a worker, who sees everything; through an API there is none.
        """
        ...

    def close(self) -> None:
        """Close what is open."""
        ...
