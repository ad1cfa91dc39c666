"""Opens the catalogue that the settings name, ready to use."""

import psycopg

from video_assets.settings import Settings
from video_assets.storage import server_file
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
        with psycopg.connect(
            settings.db_url, autocommit=True, prepare_threshold=None
        ) as connection:
            _prepare(connection, settings)
        return Postgres(settings.db_url)
    server = EmbeddedServer(settings.home)
    with server.open() as connection:
        _prepare(connection, settings)
    return Postgres(server.url())


def open_existing(settings: Settings) -> Postgres | None:
    """The catalogue to look into, or None where none was ever made; makes none."""
    if settings.is_embedded and server_file.read(EmbeddedServer(settings.home).folder) is None:
        return None
    return open_catalogue(settings)


def open_running(settings: Settings) -> Postgres | None:
    """The catalogue as it is, or None where none was ever made; starts and migrates nothing."""
    if settings.db_url is not None:
        return Postgres(settings.db_url)
    server = EmbeddedServer(settings.home)
    return None if server_file.read(server.folder) is None else Postgres(server.url())


def _prepare(connection: psycopg.Connection[tuple], settings: Settings) -> None:
    waiting = pending(connection, embedded=settings.is_embedded)
    if waiting and not settings.is_embedded:
        names = ", ".join(each.file.name for each in waiting)
        raise MigrationError(f"the database lacks {names}; run `video-assets db migrate`")
    if waiting:
        migrate(EmbeddedServer(settings.home).admin_url(), embedded=True)
    try:
        connection.execute(
            "SELECT private.use_checksum_algorithm(%s)", (settings.checksum_algorithm,)
        )
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        told = f"{error.diag.message_primary}; {error.diag.message_hint}"
        raise CatalogueError(told) from None
