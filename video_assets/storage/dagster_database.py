"""Where Dagster keeps its own storage: in the server of the home, unless another one is named."""

import os
from urllib.parse import urlsplit

from video_assets.settings import DAGSTER_URL, Settings
from video_assets.storage import server_file
from video_assets.storage.embedded import DAGSTER, EmbeddedServer, for_dagster


def own_server(settings: Settings) -> EmbeddedServer | None:
    """The server of this home, if Dagster's storage lies in it; it need not run.

    A process tells its children by the same variable in which people name another database. That
    they were told of our own is known by its password, whatever its port was then.
    """
    server = EmbeddedServer(settings.home)
    named = os.environ.get(DAGSTER_URL)
    is_own = settings.is_embedded or not named or _is_of(server, named)
    return server if is_own else None


def address(settings: Settings) -> str:
    """Its address for SQLAlchemy; raises EmbeddedServerError where a home has no server yet."""
    server = own_server(settings)
    return for_dagster(os.environ[DAGSTER_URL]) if server is None else server.dagster_url()


def start(settings: Settings) -> bool:
    """Make sure that our own server runs, if Dagster needs it; True if this call started it."""
    server = own_server(settings)
    return server is not None and server.start()


def _is_of(server: EmbeddedServer, url: str) -> bool:
    file, named = server_file.read(server.folder), urlsplit(url)
    return file is not None and (named.password, named.path) == (file.password, f"/{DAGSTER}")
