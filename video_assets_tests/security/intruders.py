"""Whoever may try: roles with what their tokens say, and attempts of which nothing stays."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from video_assets_tests.security.owners import Owner

# A token is signed, so its `sub` is whoever calls. The victim is claimed in every other place.
EVE = {
    "as herself": '{"sub": "%(eve)s", "role": "authenticated"}',
    "as a worker": '{"sub": "%(eve)s", "role": "service_role"}',
    "as an admin": '{"sub": "%(eve)s", "app_metadata": {"profile_type": "admin"}}',
    "with an address": '{"sub": "%(eve)s", "email": "%(name)s@example.org"}',
    "with another id": '{"sub": "%(eve)s", "user_id": "%(victim)s", "id": "%(victim)s"}',
    "with two subs": '{"sub": "%(victim)s", "sub": "%(eve)s"}',
}
NOBODY = {
    "without claims": None,
    "with empty claims": "",
    "without a sub": '{"role": "authenticated"}',
    "with no sub": '{"sub": null}',
    "with an empty sub": '{"sub": ""}',
    "with a number": '{"sub": 7}',
    "with a list": '{"sub": ["%(victim)s"]}',
    "with an object": '{"sub": {"id": "%(victim)s"}}',
    "with a sentence": '{"sub": "%(victim)s OR true"}',
    "with a capital": '{"SUB": "%(victim)s"}',
    "with a wildcard": '{"sub": "%%"}',
    "with half a document": '{"sub": "%(victim)s"',
    "with a text": '"%(victim)s"',
    "with a list of claims": '["sub", "%(victim)s"]',
    "with null": "null",
    "of no account": '{"sub": "00000000-0000-4000-8000-00000000dead", "role": "service_role"}',
}
ANON = {
    "anon": None,
    "anon as the victim": '{"sub": "%(victim)s", "role": "authenticated"}',
    "anon as a worker": '{"role": "service_role"}',
}
INTRUDERS = {**EVE, **NOBODY, **ANON}


@dataclass(frozen=True)
class Outcome:
    """What an attempt showed, or how it was refused."""

    rows: list[str]
    error: psycopg.Error | None = None

    @property
    def code(self) -> str | None:
        """The kind of refusal."""
        return self.error.sqlstate if self.error else None


@dataclass(frozen=True)
class Trial:
    """A connection as superuser, in which intruders try and nothing stays."""

    connection: psycopg.Connection[Any]
    victim: Owner
    eve: Owner

    OURS = "nspname !~ '^(pg_|information_schema$|extensions$)'"

    @contextmanager
    def intruding(self, who: str) -> Iterator[None]:
        """Be an intruder for a block, whose changes are taken back."""
        claims = INTRUDERS[who]
        told = {"victim": self.victim.id, "eve": self.eve.id, "name": self.victim.name}
        with self.connection.transaction(force_rollback=True):
            self.connection.execute(
                "SELECT set_config('role', %s, true)", ("anon" if who in ANON else "authenticated",)
            )
            if claims is not None:
                self.connection.execute(
                    "SELECT set_config('request.jwt.claims', %s, true)", (claims % told,)
                )
            yield

    def names(self, query: str, values: Any = None) -> list[str]:
        """The first column of an answer, by whoever asks now."""
        return [row[0] for row in self.connection.execute(query.encode(), values).fetchall()]

    def relations(self, kinds: str) -> list[str]:
        """Every table, view and so on by its name, in all schemas but those of Postgres."""
        return self.names(
            f"""SELECT format('%%I.%%I', nspname, relname)
                  FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
                 WHERE relkind = ANY (%s) AND {self.OURS} ORDER BY 1""",  # noqa: S608  ours
            (kinds.split(","),),
        )

    def nobody(self) -> Owner:
        """Who would have what the victim has under other names, and does not exist."""
        victim = self.victim
        return Owner(uuid.uuid4(), uuid.uuid4(), victim.name[::-1], f"d{victim.checksum[1:]}")

    def attempt(self, statement: str, values: Any = None) -> Outcome:
        """Try one statement; whatever it breaks is as before."""
        try:
            with self.connection.transaction():
                cursor = self.connection.execute(statement.encode(), values)
                rows = [str(row) for row in cursor] if cursor.description else []
                return Outcome(rows)
        except psycopg.Error as error:
            return Outcome([], error=error)

    def shows(self, text: str) -> bool:
        """Whether a text holds anything of the victim's."""
        victim = self.victim
        return any(str(each) in text for each in (victim.name, victim.clip, victim.checksum))

    def rows_of_others(self, table: str) -> list[str]:
        """Every row that is not Eve's alone, as superuser."""
        self.connection.execute("RESET ROLE")
        rows = self.connection.execute(
            f"""SELECT x::text FROM {table} AS x
                 WHERE strpos(x::text, %s) = 0 OR strpos(x::text, %s) > 0
                 ORDER BY 1""".encode(),  # noqa: S608  a table of ours
            (str(self.eve.id), str(self.victim.clip)),
        )
        return [text for (text,) in rows]
