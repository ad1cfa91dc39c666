"""The two doors through which requests come: SQL under a role, and HTTP with a key or a token."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import psycopg
from postgrest import SyncPostgrestClient
from postgrest.exceptions import APIError
from psycopg import sql

from video_assets_tests.security.attempts import Request, Who
from video_assets_tests.security.owners import Owner
from video_assets_tests.security.statements import name_of, statement

# What users may change of their own rows, and what would make more of them their own.
WORTH_A_REQUEST = {"display_name", "content_category", "content_summary", "content_tags"} | {
    "rolled_back_at",
    "profile_type",
    "user_id",
    "clip_id",
    "video_id",
}
NOT_THERE = {"42883", "PGRST202"}
ROLES = {"anon": "anon", "worker": "service_role"}


@dataclass(frozen=True)
class Answer:
    """What a request showed, how many rows it reached, or how it was refused.

    changed  whether another row of its table than Eve's own is otherwise than before
    """

    rows: tuple[str, ...] = ()
    count: int = 0
    code: str | None = None
    said: tuple[Any, ...] = ()
    changed: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether a function was there and began to look at its arguments."""
        is_denied = self.code == "42501" and str(self.said[0]).startswith("permission denied")
        return not (is_denied or self.code in NOT_THERE)


class Door(Protocol):
    """Takes requests."""

    def attempt(self, who: Who, request: Request) -> Answer:
        """Ask what is not to be had."""
        ...

    def allow(self, who: Who, request: Request) -> Answer | None:
        """Ask what is to succeed; None where that cannot be asked."""
        ...


class SqlDoor:
    """Asks a database under a role, and takes everything back."""

    def __init__(self, connection: psycopg.Connection[Any], victim: Owner, eve: Owner) -> None:
        """Take a connection as superuser."""
        self._connection = connection
        self._subs = {"eve": eve.id, "owner": victim.id, "admin": victim.id}
        self._others = _Others(connection, victim, eve)

    def attempt(self, who: Who, request: Request) -> Answer:
        """Ask what is not to be had."""
        self._others.remember(request)
        with self._being(who):
            answer = self._run(request)
            if answer.code is None:
                self._connection.execute("RESET ROLE")
                return replace(answer, changed=self._others.have_changed(request))
            return answer

    def allow(self, who: Who, request: Request) -> Answer:
        """Ask what is to succeed; a row that is added is taken away before."""
        with self._connection.transaction(force_rollback=True):
            if request.verb == "add":
                self._connection.execute("SET LOCAL session_replication_role = replica")
                self._run(replace(request, verb="remove"))
                self._connection.execute("SET LOCAL session_replication_role = origin")
            with self._being(who):
                return self._run(request)

    @contextmanager
    def _being(self, who: Who) -> Iterator[None]:
        with self._connection.transaction(force_rollback=True):
            if who == "admin":
                appoint = "UPDATE user_profiles SET profile_type = 'admin' WHERE id = %s"
                self._connection.execute(appoint, (self._subs[who],))
            if who != "operator":
                role = ROLES.get(who, "authenticated")
                claims = {"role": role, "sub": str(self._subs.get(who, ""))}
                self._connection.execute(
                    """SELECT set_config('role', %s, true),
                              set_config('request.jwt.claims', %s, true)""",
                    (role, json.dumps({k: v for k, v in claims.items() if v})),
                )
            yield

    def _run(self, request: Request) -> Answer:
        try:
            with self._connection.transaction():
                cursor = self._connection.execute(*statement(request))
                rows = tuple(str(row) for row in cursor) if cursor.description else ()
                return Answer(rows, max(cursor.rowcount, 0))
        except psycopg.Error as error:
            diag = error.diag
            said = (diag.message_primary, diag.message_detail, diag.message_hint)
            return Answer(code=diag.sqlstate or repr(error), said=said)


class HttpDoor:
    """Asks over HTTP with the client library, with keys and tokens as people and workers have."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        victim: Owner,
        eve: Owner,
        clients: Mapping[Who, SyncPostgrestClient],
    ) -> None:
        """Take a client for each identity, and a connection to see what they have done."""
        self._clients = clients
        self._others = _Others(connection, victim, eve)

    def attempt(self, who: Who, request: Request) -> Answer:
        """Ask what is not to be had."""
        self._others.remember(request)
        answer = self._send(who, request)
        if answer.code is None:
            return replace(answer, changed=self._others.have_changed(request))
        return answer

    def can_say(self, request: Request) -> bool:
        """Whether a request has a form in HTTP, where it is worth its time.

        Arguments have to have names. Schemas that are not open are so for every request, and
        columns that nobody may change are tried together.
        """
        if request.verb == "call":
            is_open = request.schema == "public" or is_reading(request)
            return is_open and all(name for name, _, _ in request.arguments)
        is_one_column = request.verb == "change" and len(request.values) == 1
        if is_one_column and not WORTH_A_REQUEST.issuperset(request.values):
            return False
        return request.schema == "public" or not request.where

    def allow(self, who: Who, request: Request) -> Answer | None:
        """Ask what is to succeed; a row that is there is put there again.

        None where nobody can over HTTP, because the schema is not open to it.
        """
        is_open = request.schema == "public" or is_reading(request)
        if not is_open or who not in self._clients:
            return None
        return self._send(who, replace(request, verb="put") if request.verb == "add" else request)

    def _send(self, who: Who, request: Request) -> Answer:
        try:
            found = self._query(who, request).execute().data
        except APIError as error:
            return Answer(code=error.code, said=(error.message, error.details, error.hint))
        rows = found if isinstance(found, list) else [] if found is None else [found]
        return Answer(tuple(json.dumps(row) for row in rows), len(rows))

    def _query(self, who: Who, request: Request) -> Any:
        if is_reading(request):
            return self._clients[who].rpc("ask", {"questions": json.dumps([_question(request)])})
        client = self._clients[who].schema(request.schema)
        if request.verb == "call":
            named = {name: value for name, _, value in request.arguments}
            return client.rpc(request.name, named)
        table = client.from_(request.name)
        if request.verb == "add":
            return table.insert(request.values)
        if request.verb == "put":
            return table.upsert(request.values)
        query: Any = {
            "read": lambda: table.select("*"),
            "change": lambda: table.update(request.values),
            "remove": lambda: table.delete(),
        }[request.verb]()
        for name, value in request.where.items():
            query = query.is_(name, "null") if value is None else query.eq(name, _text(value))
        return query


class _Others:
    """The rows of tables that are not Eve's alone."""

    def __init__(self, connection: psycopg.Connection[Any], victim: Owner, eve: Owner) -> None:
        self._connection = connection
        self._told = (str(eve.id), str(victim.clip))

        self._before: dict[str, list[str]] = {}

    def remember(self, request: Request) -> None:
        """Look at the rows of a table once, before the first attempt on it."""
        for table in _changed_by(request):
            if table.on not in self._before:
                self._before[table.on] = self._look(table)

    def have_changed(self, request: Request) -> bool:
        """Whether they are otherwise than they were."""
        return any(self._look(table) != self._before[table.on] for table in _changed_by(request))

    def _look(self, request: Request) -> list[str]:
        # How long ago something was is another answer each time.
        query = sql.SQL(
            """SELECT y.row
                 FROM {} AS x, LATERAL (SELECT to_jsonb(x) - 'seconds_since_update') AS y (row)
                WHERE strpos(y.row::text, %s) = 0 OR strpos(y.row::text, %s) > 0"""
        ).format(name_of(request))
        with self._connection.transaction():
            return sorted(str(row) for row in self._connection.execute(query, self._told))


def _changed_by(request: Request) -> list[Request]:
    """The tables that a request may change; a function may change what people may."""
    if request.verb == "read":
        return []
    if request.verb != "call":
        return [request]
    tables = ("clips", "promotions", "human_edits")
    return [Request("read", "public", name) for name in tables]


def is_reading(request: Request) -> bool:
    """Whether it is one of the queries that are asked by name, through one function."""
    return request.schema == "readings" and request.verb == "call"


def _question(request: Request) -> dict[str, Any]:
    told = {name: value for name, _, value in request.arguments}
    return {"query": request.name, "parameters": {k: _as_sql(v) for k, v in told.items()}}


def _as_sql(value: Any) -> str | None:
    """Write a value as Postgres reads it."""
    if isinstance(value, list):
        return "{" + ",".join(json.dumps(each) for each in value) + "}"
    return None if value is None else str(value)


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool | list | dict) else str(value)
