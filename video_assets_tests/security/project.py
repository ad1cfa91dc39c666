"""A Supabase project in which a victim has secrets and Eve a token, with a client for each."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
import psycopg
from postgrest import SyncPostgrestClient

from video_assets.storage.postgres import Postgres
from video_assets_tests.lite.server import Lite
from video_assets_tests.security.attempts import Who
from video_assets_tests.security.owners import Owner, fill, make_owner

WORD = "zanzibar"


@dataclass(frozen=True)
class Project:
    """The project, who is in it, and how each of them asks."""

    lite: Lite
    victim: Owner
    eve: Owner
    clients: Mapping[Who, SyncPostgrestClient]
    tokens: Mapping[Who, str] = field(repr=False)

    def close(self) -> None:
        """Close the connections of all."""
        for each in self.clients.values():
            each.aclose()


def populate(lite: Lite) -> Project:
    """Sign everybody up, and let the victim and Eve have a row in every table."""
    victim, eve, admin = (sign_up(lite, name) for name in (WORD, "eve", "admin"))
    catalogue = Postgres(lite.admin_url)
    with catalogue.transaction() as connection:
        connection.execute("SELECT private.use_checksum_algorithm('blake3')")
    made = make_owner(catalogue, lite.admin_url, WORD, "c" * 64, account=victim.id)
    other = make_owner(catalogue, lite.admin_url, "eve", account=eve.id)
    fill(lite.admin_url, made)
    catalogue.close()
    with psycopg.connect(lite.admin_url) as connection:
        connection.execute(
            "UPDATE user_profiles SET profile_type = 'admin' WHERE id = %s", (admin.id,)
        )
    key = lite.publishable_key
    return Project(
        lite,
        made,
        other,
        {
            "anon": client(lite, key),
            "eve": client(lite, key, eve.token),
            "owner": client(lite, key, victim.token),
            "admin": client(lite, key, admin.token),
            "worker": client(lite, lite.secret_key),
        },
        {"eve": eve.token, "owner": victim.token},
    )


def client(lite: Lite, key: str, token: str | None = None) -> SyncPostgrestClient:
    """Make a client that sends a key, and perhaps a token."""
    headers = {"apikey": key} | ({"Authorization": f"Bearer {token}"} if token else {})
    return SyncPostgrestClient(f"{lite.url}/rest/v1", headers=headers, retry_enabled=False)


@dataclass(frozen=True)
class Account:
    """Somebody with a token."""

    id: uuid.UUID
    email: str
    token: str


def sign_up(lite: Lite, name: str) -> Account:
    """Sign somebody up, and in."""
    email = f"{name}@example.org"
    answer = httpx.post(
        f"{lite.url}/auth/v1/signup",
        headers={"apikey": lite.publishable_key},
        json={"email": email, "password": "Passw0rd!"},
        timeout=30,
    ).json()
    return Account(uuid.UUID(answer["user"]["id"]), email, answer["access_token"])
