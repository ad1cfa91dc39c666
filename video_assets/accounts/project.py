"""A Supabase project, and clients for it: one for each identity, none of which changes its own.

A client that signs in becomes whoever signed in, for all that use it. So nobody ever signs in on
the client of another, and least of all on one with the secret key.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import SecretStr

from video_assets.settings import Settings, SettingsError

if TYPE_CHECKING:
    from httpx import Client as Connections
    from supabase import Client

CONNECT_S, ANSWER_S = 10, 60


@dataclass(frozen=True)
class Project:
    """Where a project is, and the key that everybody may have."""

    url: str
    publishable_key: SecretStr = field(repr=False)

    @contextmanager
    def stranger(self) -> "Iterator[Client]":
        """A new client of nobody, to sign in or up with and then throw away."""
        with connections() as open_ones:
            yield _client(self.url, self.publishable_key, open_ones)

    def client_of(self, access_token: SecretStr, open_ones: "Connections") -> "Client":
        """A new client of whoever has the token: tables, functions, files, account."""
        return _client(self.url, self.publishable_key, open_ones, access_token)


def project_of(settings: Settings) -> Project:
    """The project that the settings name.

    Raises SettingsError if they name none, or not its key.
    """
    if settings.supabase_url is None:
        raise SettingsError("no Supabase project is named: set SUPABASE_URL to its address")
    if settings.supabase_publishable_key is None:
        raise SettingsError(
            f"SUPABASE_URL names {settings.supabase_url}, whose publishable key is missing: set "
            "SUPABASE_PUBLISHABLE_KEY (in the project's settings, API keys)"
        )
    return Project(settings.supabase_url, settings.supabase_publishable_key)


def connections() -> "Connections":
    """New connections for clients of one identity; whoever makes them closes them."""
    from httpx import Client, Timeout

    # Redirects are not followed: they would carry the key to another host.
    return Client(http2=True, timeout=Timeout(ANSWER_S, connect=CONNECT_S))


def _client(
    url: str, key: SecretStr, open_ones: "Connections", access_token: SecretStr | None = None
) -> "Client":
    from supabase import ClientOptions, create_client  # 0.6 s, for those who ask a project

    options = ClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=open_ones)
    # It tries a dead network for seven seconds; a person knows sooner, and asks again.
    options.postgrest_client_retry = False
    if access_token is not None:
        options.headers["Authorization"] = f"Bearer {access_token.get_secret_value()}"
    return create_client(url, key.get_secret_value(), options)
