"""What is decided once for an embedded server, kept in a file that its user alone can read."""

import os
import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from video_assets.storage.postmaster import HOST

NAME = "server.json"
TAIL_LINES = 8


class EmbeddedServerError(RuntimeError):
    """The embedded Postgres cannot be had, and why."""


class ServerFile(BaseModel):
    """Where the server listens, where its data lie, and what its two login roles say."""

    model_config = ConfigDict(frozen=True)

    port: int
    password: str
    authenticator_password: str
    data: Path  # absolute where it could not lie beside this file

    def url(self, role: str, database: str) -> str:
        """The address of a database for one of the two roles."""
        password = self.password if role == "postgres" else self.authenticator_password
        return f"postgresql://{role}:{password}@{HOST}:{self.port}/{database}"


def read(folder: Path) -> ServerFile | None:
    """The file of a server's folder, if a server was ever made there."""
    file = folder / NAME
    try:
        return ServerFile.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except PermissionError:
        raise EmbeddedServerError(
            f"{file} belongs to another user; set VIDEO_ASSETS_HOME to a home of your own"
        ) from None
    except ValidationError as error:
        raise EmbeddedServerError(
            f"{file} is damaged ({error.error_count()} faults); put it back from a backup"
        ) from None


def write(folder: Path, content: ServerFile) -> ServerFile:
    """Replace the file in one step."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f"{NAME}.")  # mode 0600
    with os.fdopen(descriptor, "w") as out:
        out.write(content.model_dump_json())
        out.flush()
        os.fsync(out.fileno())
    Path(name).replace(folder / NAME)
    return content


def text(file: Path, start: int = 0) -> str:
    """What a log says from some byte on."""
    with file.open("rb") as log:
        log.seek(start)
        return log.read().decode(errors="replace")


def tail(file: Path) -> str:
    """The last lines of a log."""
    lines = text(file, max(0, file.stat().st_size - 10_000)).splitlines()
    return "\n".join(lines[-TAIL_LINES:])
