"""The catalogue of a Supabase project, through its API and with the token of whoever is signed in.

It answers queries by name, as the function `public.ask` has them (readings.sql). A value goes as
the text that psycopg would send, and a cell comes as the text that Postgres would; psycopg reads
it. So whoever asks cannot tell this way in from a connection to the database.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from psycopg import abc
from psycopg.adapt import AdaptersMap, Dumper, PyFormat, Transformer
from psycopg.pq import Format

from video_assets.storage.named_queries import Answer, Question
from video_assets.storage.postgres import DatabaseUnreachableError

ATTEMPTS, WAIT_S = 3, 0.2
FUNCTION = "ask"

_SQLSTATE_LENGTH = 5


class WayInError(RuntimeError):
    """The project is there, and does not let this person do this."""


class Client(Protocol):
    """What is needed of `supabase.Client`, or of its PostgREST part."""

    def rpc(self, fn: str, params: dict[str, Any]) -> Any:
        """Prepare a call of a function."""
        ...


@dataclass(frozen=True)
class RestCatalogue:
    """A catalogue behind PostgREST, as one person sees it.

    client  gives a client that sends their token along; asked for each request, since it ends
    user    their id
    url     of the project
    asking  surrounds a request, and says in words what stands against it
    """

    client: Callable[[], Client]
    user: UUID
    url: str
    asking: Callable[[], AbstractContextManager[None]] = nullcontext

    @property
    def place(self) -> str:
        """Where it is."""
        return urlsplit(self.url).netloc

    @contextmanager
    def transaction(self, owner: UUID | None = None) -> Iterator["RestConnection"]:
        """Lend a connection; what is asked together is one transaction, and no more than that.

        Raises WayInError for anybody else: a token shows its holder's rows.
        """
        if owner is None:
            raise WayInError(
                "this needs the database itself, as machines that process have it: set "
                "SUPABASE_DB_URL"
            )
        if owner != self.user:
            raise WayInError(f"you are signed in as {self.user}, and see no rows of {owner}")
        yield RestConnection(self)

    def close(self) -> None:
        """Nothing is open between two requests."""


@dataclass(frozen=True)
class RestConnection:
    """Asks questions through PostgREST."""

    catalogue: RestCatalogue

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Ask in one request, and wait for all answers.

        What only reads is asked again if the network fails. What changes something is not, unless
        the request certainly never arrived.
        """
        import httpx  # with the client, which has it, so that others need not
        import stamina
        from postgrest.exceptions import APIError

        again = (httpx.TransportError,)
        if any(question.changes for question in questions):
            again = (httpx.ConnectError, httpx.ConnectTimeout)
        asked = json.dumps(
            [{"query": each.query, "parameters": _texts(each)} for each in questions]
        )

        @stamina.retry(on=again, attempts=ATTEMPTS, wait_initial=WAIT_S, wait_jitter=WAIT_S)
        def answers() -> Any:
            return self.catalogue.client().rpc(FUNCTION, {"questions": asked}).execute().data

        try:
            with self.catalogue.asking():
                told = answers()
        except APIError as error:
            raise _explained(error, self.catalogue.place) from error
        if not isinstance(told, list):  # a page of whoever stands between
            where = self.catalogue.place
            raise DatabaseUnreachableError(f"what answers at {where} is no catalogue: {told!r:.60}")
        return [_answer(each) for each in told]


def _explained(error: Any, place: str) -> Exception:
    """Say what the API's error means; one of a query is what psycopg would raise."""
    code, said = str(error.code), error.message or "no reason was given"
    if len(code) == _SQLSTATE_LENGTH:
        return _error_of(code)(said)
    return DatabaseUnreachableError(
        f"{place} could not answer ({said}); run the same command again in a while"
    )


def _error_of(sqlstate: str) -> type[psycopg.Error]:
    try:
        return psycopg.errors.lookup(sqlstate)
    except KeyError:
        return psycopg.DatabaseError


class _BytesDumper(Dumper):
    """Writes bytes as Postgres does; psycopg's own one writes them for its connection."""

    def dump(self, obj: Any) -> bytes:
        return b"\\x" + bytes(obj).hex().encode()


def _context() -> abc.AdaptContext:
    adapters = AdaptersMap(psycopg.adapters)
    for kind in (bytes, bytearray, memoryview):
        adapters.register_dumper(kind, _BytesDumper)
    return adapters


_CONTEXT = _context()


def _texts(question: Question) -> dict[str, str | None]:
    transformer = Transformer(_CONTEXT)
    return {name: _text(transformer, value) for name, value in question.parameters.items()}


def _text(transformer: abc.Transformer, value: Any) -> str | None:
    if value is None:
        return None
    written = transformer.get_dumper(value, PyFormat.TEXT).dump(value)
    return None if written is None else bytes(written).decode()


def _answer(told: dict[str, Any]) -> Answer:
    if "rows" not in told:
        return Answer({}, [], told["affected"])
    columns: dict[str, int] = dict(told["columns"])
    transformer = Transformer(_CONTEXT)
    transformer.set_loader_types(list(columns.values()), Format.TEXT)
    rows = [
        transformer.load_sequence([None if cell is None else cell.encode() for cell in row])
        for row in told["rows"]
    ]
    return Answer(columns, [dict(zip(columns, row, strict=True)) for row in rows], len(rows))
