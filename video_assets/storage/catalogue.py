"""Opens the catalogue that the settings name, ready to use."""

import psycopg
from psycopg.rows import tuple_row

from video_assets.settings import Settings
from video_assets.storage import connecting, poolers, server_file
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.migrations import (
    MigrationError,
    all_migrations,
    is_touched,
    migrate,
    pending,
)
from video_assets.storage.postgres import MAX_CONNECTIONS, WAIT_S, Postgres

REMOTE_CONNECTIONS = 4  # of each process: no command was seen to use more at once


class CatalogueError(RuntimeError):
    """The catalogue is there, but not for these settings."""


def open_catalogue(settings: Settings) -> Postgres:
    """The catalogue: the embedded server started and migrated when needed, or the one by URL.

    A database by URL is never migrated in passing, because other machines may be using it.

    Raises CatalogueError for a project whose database the settings do not name: what is meant for
    it must not go into the embedded one.
    """
    require_database(settings)
    if settings.db_url is not None:
        with connecting.connect(settings.db_url, tuple_row, wait_s=WAIT_S) as connection:
            _prepare(connection, settings)
        return by_url(settings.db_url, settings)
    server = EmbeddedServer(settings.home)
    with server.open() as connection:
        _prepare(connection, settings)
    return _embedded(server, settings)


def open_existing(settings: Settings) -> Postgres | None:
    """The catalogue to look into, or None where none was ever made; makes none."""
    require_database(settings)
    if settings.db_url is not None:
        return open_catalogue(settings)
    server = EmbeddedServer(settings.home)
    if server_file.read(server.folder) is None:
        return None
    with server.open() as connection:
        if not is_touched(connection):
            return None  # only Dagster's storage lies here
        _prepare(connection, settings)
    return _embedded(server, settings)


def open_running(settings: Settings) -> Postgres | None:
    """The catalogue as it is, or None where none was ever made; starts and migrates nothing."""
    require_database(settings)
    if settings.db_url is not None:
        return by_url(settings.db_url, settings)
    server = EmbeddedServer(settings.home)
    return None if server_file.read(server.folder) is None else _embedded(server, settings)


def require_database(settings: Settings) -> None:
    """Refuse a project whose database the settings do not name.

    Raises CatalogueError.
    """
    if settings.is_by_api:
        raise CatalogueError(
            f"this needs the database of {settings.supabase_url}, as machines that process clips "
            "have it: set SUPABASE_DB_URL; with a sign-in alone one may look, search and edit"
        )


def by_url(url: str, settings: Settings) -> Postgres:
    """A catalogue by URL, which may be a pooler's; asks nobody."""
    session_url = settings.session_db_url or poolers.session_url(url)
    return Postgres(url, session_url, settings.db_connections or REMOTE_CONNECTIONS)


def _embedded(server: EmbeddedServer, settings: Settings) -> Postgres:
    return Postgres(server.url(), max_connections=settings.db_connections or MAX_CONNECTIONS)


def _prepare(connection: psycopg.Connection[tuple], settings: Settings) -> None:
    waiting = pending(connection, embedded=settings.is_embedded)
    if waiting and not settings.is_embedded:
        is_empty = waiting == all_migrations(embedded=False)
        names = ", ".join(each.file.name for each in waiting)
        told = "has no catalogue yet" if is_empty else f"lacks {names}"
        raise MigrationError(f"the database {told}; run `video-assets db migrate`")
    if waiting:
        migrate(EmbeddedServer(settings.home).admin_url(), embedded=True)
    try:
        connection.execute(
            "SELECT private.use_checksum_algorithm(%s)", (settings.checksum_algorithm,)
        )
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        told = f"{error.diag.message_primary}; {error.diag.message_hint}"
        raise CatalogueError(told) from None
