"""What `video-assets doctor` looks at of the embedded Postgres; starts none."""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from video_assets.interfaces.cli.finding import Finding
from video_assets.settings import Settings

if TYPE_CHECKING:
    from video_assets.storage.embedded import EmbeddedServer


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at the catalogue in it."""
    from video_assets.storage.embedded import EmbeddedServer

    server = EmbeddedServer(settings.home)
    if (yield from examine_server(server, "Database")):
        yield _schema(server)


def examine_server(
    server: "EmbeddedServer", name: str, place: str = ""
) -> Generator[Finding, None, bool]:
    """Look at its programs and whether it answers, and give that.

    name   what lies in it
    place  said before that it answers, or why not
    """
    from video_assets.storage.binaries import install_folder, program
    from video_assets.storage.server_file import EmbeddedServerError

    try:
        postgres = program(install_folder(), "postgres")
    except OSError as error:
        yield Finding("Postgres", "missing", str(error), "nothing can be kept")
        return False
    yield Finding("Postgres programs", "good" if postgres.exists() else "missing", str(postgres))
    try:
        status = server.status()
    except EmbeddedServerError as error:
        yield _fault(name, error)
        return False
    if status.running:
        said = f"answers on {status.host}:{status.port}"
    else:
        made = "is stopped" if status.port else "was never made"
        said = f"{made}; it starts when it is needed"
    yield Finding(name, "good", f"{place}{said}")
    return status.running


def _schema(server: "EmbeddedServer") -> Finding:
    import psycopg

    from video_assets.storage.migrations import pending

    try:
        with psycopg.connect(server.admin_url(), autocommit=True, connect_timeout=10) as connection:
            waiting = pending(connection, embedded=True)
    except psycopg.Error as error:
        return _fault("Schema", error)
    if waiting:
        names = ", ".join(each.file.name for each in waiting)
        return Finding("Schema", "note", names, "applied when next used")
    return Finding("Schema", "good", "up to date")


def _fault(name: str, error: Exception) -> Finding:
    return Finding(name, "missing", str(error).strip().partition("\n")[0], "nothing can be kept")
