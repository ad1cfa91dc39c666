"""What an intruder may attempt: derived from what a database has, so that nothing new is left out.

An attempt is one request, as an API takes it: rows of a table are read, added, put, changed or
removed where columns have certain values, and functions are called. Each comes with the same
request of what nobody has, which has to be answered alike, and with one that has to succeed for
whoever it belongs to, so that none fails for being written wrongly.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import psycopg
from psycopg.rows import namedtuple_row

from video_assets_tests.security.owners import Owner

Verb = Literal["read", "add", "put", "change", "remove", "call"]
Who = Literal["anon", "eve", "owner", "admin", "worker", "operator"]
Row = dict[str, Any]

OURS = ("public", "private", "readings")
OF_SUPABASE = ("auth", "storage", "extensions", "supabase_migrations")
NEEDED: Mapping[Verb, set[str]] = {
    "read": {"SELECT"},
    "add": {"INSERT"},
    "put": {"INSERT", "UPDATE"},
    "change": {"UPDATE"},
    "remove": {"DELETE"},
}
RELATIONS = """
    SELECT n.nspname AS schema, c.relname AS name,
           c.relkind = 'v' AS is_view,
           c.relkind <> 'v' OR pg_relation_is_updatable(c.oid, false) > 0 AS is_writable,
           ARRAY(SELECT a.attname FROM pg_attribute AS a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                    AND a.attgenerated = '' AND a.attidentity <> 'a'
                    AND (c.relkind <> 'v' OR pg_relation_is_updatable(c.oid, false) = 0
                         OR pg_column_is_updatable(c.oid, a.attnum, false))
                  ORDER BY a.attnum) AS columns,
           ARRAY(SELECT a.attname FROM pg_index AS i
                   JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
                  WHERE i.indrelid = c.oid AND i.indisprimary) AS key,
           ARRAY(SELECT a.attname FROM pg_attribute AS a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                    AND has_column_privilege('authenticated', c.oid, a.attnum, 'INSERT')
                ) AS may_add,
           ARRAY(SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p
                  WHERE has_table_privilege('service_role', c.oid, p)) AS worker_may
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^(pg_|information_schema$)'
       AND NOT EXISTS (SELECT FROM pg_depend AS d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e')
     ORDER BY 1, 2
"""
FUNCTIONS = """
    SELECT n.nspname AS schema, p.proname AS name, p.pronargs AS count,
           p.pronargs - p.pronargdefaults AS needed, p.proargnames AS names,
           ARRAY(SELECT t::regtype::text FROM unnest(p.proargtypes) AS t) AS types,
           has_function_privilege('authenticated', p.oid, 'EXECUTE') AS is_for_users
      FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
     WHERE n.nspname !~ '^(pg_|information_schema$)' AND n.nspname <> ALL (%s) AND p.prokind = 'f'
       AND p.prorettype <> 'trigger'::regtype
       AND p.provolatile <> 'i'  -- which reads nothing but its arguments
     ORDER BY 1, 2, 6
"""


@dataclass(frozen=True)
class Request:
    """One request of an API: on what, of which rows, with which values or arguments.

    arguments  (name, type, value) of a function, in its order
    """

    verb: Verb
    schema: str
    name: str
    where: Row = field(default_factory=dict)
    values: Row = field(default_factory=dict)
    arguments: tuple[tuple[str, str, Any], ...] = ()

    @property
    def on(self) -> str:
        """What it is about."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Attempt:
    """A request of what belongs to somebody else.

    alike  the same of what nobody has; None: nothing is guessed by it
    by     one of whom may do what `right` asks for
    is_refused  whether it must not be done even to rows of Eve's own
    """

    what: str
    request: Request
    alike: Request | None
    right: Request
    by: tuple[Who, ...] = ("operator",)
    is_refused: bool = False

    def __str__(self) -> str:
        """What is attempted on what."""
        return f"{self.what} {self.request.on}"


class Attempts:
    """Everything to be attempted of a victim's by Eve."""

    def __init__(self, connection: psycopg.Connection[Any], victim: Owner, eve: Owner) -> None:
        """Look at a database as its superuser; a step of the victim's clip runs meanwhile."""
        connection.execute(
            "SELECT pg_advisory_lock(hashtextextended('probe ' || %s, 0))", (victim.checksum,)
        )
        self._connection = connection
        self.victim = victim
        self.eve = eve
        other = f"d{victim.checksum[1:]}"
        self.nobody = Owner(uuid.uuid4(), uuid.uuid4(), victim.name[::-1], other)

    def __iter__(self) -> Iterator[Attempt]:
        """Give every attempt on tables, views and functions."""
        with self._connection.cursor(row_factory=namedtuple_row) as cursor:
            relations: list[Any] = cursor.execute(RELATIONS.encode()).fetchall()
            functions: list[Any] = cursor.execute(FUNCTIONS.encode(), [[*OF_SUPABASE]]).fetchall()
        for relation in relations:
            for each in self._on_relation(relation):
                yield replace(each, by=_who_may(relation, each.right.verb))
        for function in functions:
            yield self._call(function)
            if any(kind.startswith("text") for kind in function.types):
                yield self._call(function, by_id=True)
        yield from self._rise()

    def _rise(self) -> Iterator[Attempt]:
        """Make Eve an admin, and read as one."""
        where = {"id": str(self.eve.id)}
        risen = Request("change", "public", "user_profiles", where, {"profile_type": "admin"})
        yield Attempt("become an admin by", risen, None, risen, is_refused=True)
        put = replace(risen, verb="put", values={**where, "profile_type": "admin"})
        yield Attempt("put me as an admin into", put, None, put, is_refused=True)
        for name in ("admin_list_profiles", "admin_list_clips", "admin_stats"):
            asked = Request("call", "public", name)
            yield Attempt("read as an admin by", asked, None, asked, ("admin",), is_refused=True)

    def rows(self, schema: str, name: str, whose: Owner | None = None) -> list[Row]:
        """Give the rows of a table, or those of them that tell of an owner."""
        query = f'SELECT to_jsonb(t)::text FROM "{schema}"."{name}" AS t'  # noqa: S608  ours
        found = [text for (text,) in self._connection.execute(query.encode()).fetchall()]
        return [json.loads(text) for text in found if whose is None or tells_of(whose, text)]

    def _on_relation(self, relation: Any) -> Iterator[Attempt]:
        about = (relation.schema, relation.name)
        everything = Request("read", *about)
        yield Attempt("read", everything, None, everything)
        rows = self.rows(*about, self.victim) or self.rows(*about)
        if not rows:
            assert relation.schema not in OURS, f"{about} is empty: write a row in `fill`"
            return
        row = {name: rows[0][name] for name in relation.columns}
        where = {name: rows[0][name] for name in relation.key or relation.columns[:1]}
        found = Request("read", *about, where)
        yield Attempt("find", found, replace(found, where=self._of_nobody(where)), found)
        if not relation.is_view:
            yield from self._add(replace(found, verb="add", values=row), relation.may_add)
        if relation.is_writable:
            yield from self._change(replace(found, verb="change", values=row))

    def _add(self, added: Request, may_add: list[str]) -> Iterator[Attempt]:
        """Add a row like the victim's: as it is, as Eve's own, and of what users may add."""
        put, row = replace(added, verb="put"), added.values
        other, mine = self._of_nobody(row), row | self._mine(row)
        yield Attempt("add", added, replace(added, values=other), added)
        yield Attempt("put", put, replace(put, values=other), put)
        if mine != row:
            yield Attempt("attach to", replace(added, values=mine), None, added)
            yield Attempt("put as mine into", replace(put, values=mine), None, put)
        if may_add and added.schema in OURS:
            some = replace(added, values={name: row[name] for name in may_add})
            alike = replace(some, values=self._of_nobody(some.values))
            yield Attempt("add what may be added to", some, alike, added)

    def _change(self, changed: Request) -> Iterator[Attempt]:
        """Change each column of the victim's row, remove it, and hang Eve's rows on their clip."""
        row, where = changed.values, changed.where
        not_there = self._of_nobody(where)
        gone = replace(changed, verb="remove", values={})
        yield Attempt("remove", gone, replace(gone, where=not_there), gone)
        yield Attempt("change all of", changed, replace(changed, where=not_there), changed)
        for name, value in row.items():
            same = replace(changed, values={name: value})
            yield Attempt(f"change {name} of", same, replace(same, where=not_there), same)
        for name in {"user_id", "clip_id", "video_id"} & set(row):
            taken = {name: str(self.eve.id if name == "user_id" else self.victim.clip)}
            whose = where if name == "user_id" else {"user_id": str(self.eve.id)}
            over = replace(changed, where=whose, values=taken)
            right = replace(changed, values={name: row[name]})
            yield Attempt(f"take over {name} of", over, None, right)

    def _mine(self, row: Row) -> Row:
        """What makes a row Eve's own, which goes on naming the victim's clip."""
        mine = {"user_id": str(self.eve.id)} if "user_id" in row else {}
        return mine | ({"id": str(uuid.uuid4())} if mine and "id" in row else {})

    def _of_nobody(self, row: Row) -> Row:
        """The same row, of what there is not."""
        text = json.dumps(row)
        for name in ("id", "clip", "name", "checksum"):
            text = text.replace(str(getattr(self.victim, name)), str(getattr(self.nobody, name)))
        other: Row = json.loads(text)
        is_own = isinstance(row.get("id"), str) and other["id"] == row["id"]
        return other | ({"id": str(uuid.uuid4())} if is_own else {})

    def _call(self, function: Any, *, by_id: bool = False) -> Attempt:
        by: tuple[Who, ...] = ("worker", "operator")
        if function.is_for_users:
            by = ("admin",) if "admin_" in function.name else ("owner",)
        asked, alike = (
            Request("call", function.schema, function.name, arguments=_arguments(function, of))
            for of in map(_called_by_id if by_id else _as_is, (self.victim, self.nobody))
        )
        return Attempt("call by id" if by_id else "call", asked, alike, asked, by)


def _as_is(owner: Owner) -> Owner:
    return owner


def _called_by_id(owner: Owner) -> Owner:
    return replace(owner, name=str(owner.id))


def _arguments(function: Any, of: Owner) -> tuple[tuple[str, str, Any], ...]:
    names = (function.names or [])[: function.count] or [""] * function.count
    told = [
        (name, kind, argument(name, kind, of))
        for name, kind in zip(names, function.types, strict=True)
    ]
    optional = [each for each in told[function.needed :] if each[0]]
    return (*told[: function.needed], *(each for each in optional if each[1] in TELLING))


def _who_may(relation: Any, verb: Verb) -> tuple[Who, ...]:
    may = NEEDED[verb] <= set(relation.worker_may)
    return ("worker",) if may else ("operator",)


def argument(name: str, kind: str, of: Owner) -> Any:
    """Find a value for an argument of a function that tells of somebody."""
    if name == "questions":
        asked = {"query": "browse_results", "parameters": {"checksum": of.checksum}}
        return json.dumps([asked])
    if kind.startswith("bytea"):
        return [f"\\x{of.name.encode().hex()}"]
    if kind.startswith("uuid"):
        value: Any = str(of.clip if "clip" in name or kind == "uuid[]" else of.id)
    elif kind.startswith("text"):
        value = of.checksum if "checksum" in name else of.name
    else:
        value = PLAIN.get(kind)
    return [value] if kind.endswith("[]") and value is not None else value


TELLING = ("text", "uuid", "text[]", "uuid[]")
PLAIN: Mapping[str, Any] = {
    "jsonb": "[]",
    "integer": 1,
    "bigint": 1,
    "numeric": 1,
    "double precision": 1.0,
    "boolean": False,
    "extensions.vector": str([1.0] * 1024),
    "vector": str([1.0] * 1024),
}


def tells_of(owner: Owner, text: str) -> bool:
    """Whether a text holds anything that only an owner knows."""
    return any(str(each) in text for each in (owner.name, owner.clip, owner.checksum, owner.id))
