"""Two ways into one catalogue: with the database's password, and with a person's token alone."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
import psycopg
from supabase import Client, ClientOptions, create_client

from video_assets.storage.postgres import Postgres
from video_assets.storage.rest import RestCatalogue
from video_assets_tests.lite.server import Lite
from video_assets_tests.security.owners import Owner


@dataclass
class AskInSql:
    """Calls a function of the database as somebody who is signed in, where no server is between."""

    admin_url: str
    user: uuid.UUID
    role: str = "authenticated"

    def rpc(self, fn: str, params: dict[str, Any]) -> "AskInSql":
        assert fn == "ask"
        self.questions = params["questions"]
        return self

    def execute(self) -> "AskInSql":
        claims = json.dumps({"sub": str(self.user), "role": self.role})
        with psycopg.connect(self.admin_url) as connection:
            connection.execute(
                """SELECT set_config('role', %s, true),
                          set_config('request.jwt.claims', %s, true)""",
                (self.role, claims),
            )
            row = connection.execute("SELECT public.ask(%s)", (self.questions,)).fetchone()
        assert row is not None
        self.data = row[0]
        return self


def token_of(lite: Lite, user: uuid.UUID, *, lives_s: int = 3600) -> str:
    """A token as a project signs it."""
    now = int(time.time())
    claims = {
        "sub": str(user),
        "role": "authenticated",
        "aud": "authenticated",
        "session_id": str(uuid.uuid4()),
        "iat": now,
        "exp": now + lives_s,
    }
    return jwt.encode(claims, lite.jwt_secret, "HS256")


@contextmanager
def signed_in(lite: Lite, user: uuid.UUID, *, lives_s: int = 3600) -> Iterator[Client]:
    """The client of a person."""
    token = token_of(lite, user, lives_s=lives_s)
    with client_of(lite.url, lite.publishable_key, token) as client:
        yield client


@contextmanager
def client_of(url: str, key: str, token: str) -> Iterator[Client]:
    """The client of whoever has a token."""
    with httpx.Client(timeout=30) as http:
        options = ClientOptions(
            auto_refresh_token=False,
            persist_session=False,
            headers={"Authorization": f"Bearer {token}"},
            httpx_client=http,
        )
        yield create_client(url, key, options)


@dataclass
class Noting:
    """A client that notes which queries were asked."""

    client: Any
    asked: set[str] = field(default_factory=set)

    def rpc(self, fn: str, params: dict[str, Any]) -> Any:
        self.asked.update(each["query"] for each in json.loads(params["questions"]))
        return self.client.rpc(fn, params)


@dataclass(frozen=True)
class Ways:
    """One catalogue, as a worker reads it for somebody, and as they read it themselves."""

    postgres: Postgres
    admin_url: str
    ann: Owner
    ben: Owner
    client: Noting
    answers: dict[str, Any] = field(default_factory=dict)

    @property
    def rest(self) -> RestCatalogue:
        """With Ann's token."""
        return RestCatalogue(lambda: self.client, self.ann.id, "https://project.example.org")
