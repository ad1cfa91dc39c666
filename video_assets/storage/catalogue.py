"""Opens the catalogue that the settings name, ready to use."""

import psycopg

from video_assets.settings import Settings
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.migrations import MigrationError, migrate, pending
from video_assets.storage.postgres import Postgres


class CatalogueError(RuntimeError):
    """The catalogue is there, but not for these settings."""


def open_catalogue(settings: Settings) -> Postgres:
    """The catalogue: the embedded server started and migrated when needed, or the one by URL.

    A database by URL is never migrated in passing, because other machines may be using it.
    """
    if settings.db_url is not None:
        _prepare(settings.db_url, settings, embedded=False)
        return Postgres(settings.db_url)
    server = EmbeddedServer(settings.home)
    server.start()
    _prepare(server.admin_url(), settings, embedded=True)
    return Postgres(server.url())


def _prepare(url: str, settings: Settings, *, embedded: bool) -> None:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        waiting = pending(connection, embedded=embedded)
        if waiting and not embedded:
            names = ", ".join(each.file.name for each in waiting)
            raise MigrationError(f"the database lacks {names}; run `video-assets db migrate`")
        if waiting:
            migrate(url, embedded=True)
        try:
            connection.execute(
                "SELECT private.use_checksum_algorithm(%s)", (settings.checksum_algorithm,)
            )
        except psycopg.errors.ObjectNotInPrerequisiteState as error:
            told = f"{error.diag.message_primary}; {error.diag.message_hint}"
            raise CatalogueError(told) from None
