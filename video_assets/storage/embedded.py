"""The embedded Postgres: started when needed, shared by all processes, stopped only when told."""

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import aiosql
import psycopg
from filelock import FileLock, Timeout
from psycopg import sql
from pydantic import BaseModel, ConfigDict, ValidationError

from video_assets.storage import binaries, postmaster, unprivileged
from video_assets.storage.postmaster import HOST, Control

CATALOGUE = "video_assets"
DAGSTER = "dagster"
START_WAIT_S = 120.0  # recovery after a crash reads back up to 1 GB of log
LOG_BYTES = 10_000_000
TAIL_LINES = 8

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


class EmbeddedServerError(RuntimeError):
    """The embedded Postgres cannot be had, and why."""


class ServerFile(BaseModel):
    """What is decided once for a data folder, kept beside it and readable by its user alone."""

    model_config = ConfigDict(frozen=True)

    port: int
    password: str
    authenticator_password: str
    data: Path  # absolute where it could not lie beside this file


@dataclass(frozen=True)
class ServerStatus:
    """What `video-assets db status` shows."""

    running: bool
    host: str
    port: int | None
    pid: int | None
    data: str
    log: str
    postgres: int = binaries.MAJOR

    def as_dict(self) -> dict[str, object]:
        """The same for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class EmbeddedServer:
    """The one server of a home.

    Health is an answered query from our own data folder, never a process id: ids are reused,
    and a killed server leaves its file behind.
    """

    home: Path

    @property
    def folder(self) -> Path:
        """Where the server file lies, and the data too if the server's account can reach it."""
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        """The data folder, as decided when it was made."""
        file = self._read()
        return self._data_of(file) if file else self._choose_data()

    def start(self) -> bool:
        """Make sure that a healthy server with both databases runs; True if this call started it.

        Raises EmbeddedServerError, which names the log.
        """
        file = self._read()
        if file and self._health(file) == "ready":
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock():
            file = self._read()
            if file and self._health(file) == "ready":
                return False
            file = file or self._write(self._new_file())
            self._refuse_other_major(self._data_of(file))
            control = self._control(file)
            if not control.data.exists():
                self._initdb(control, file)
            file, started = self._launch(control, file)
            self._make_databases(file)
            return started

    def stop(self) -> bool:
        """Stop the server for everybody; False if none ran."""
        file = self._read()
        if file is None:
            return False
        with self._lock():
            control = self._control(file)
            if postmaster.find_postmaster(control.data) is None:
                return False
            output = self.folder / "pg_ctl.log"
            control.stop(output)
            if postmaster.find_postmaster(control.data) is not None:
                raise EmbeddedServerError(f"the server does not stop\n{_tail(output)}")
            return True

    def status(self) -> ServerStatus:
        """Whether it runs, found by connecting."""
        file = self._read()
        data = self.data
        found = postmaster.find_postmaster(data)
        running = file is not None and self._health(file) != "down"
        return ServerStatus(
            running=running,
            host=HOST,
            port=file.port if file else None,
            pid=found.pid if found and running else None,
            data=str(data),
            log=str(data / "server.log"),
        )

    def url(self, database: str = CATALOGUE) -> str:
        """A URL for programs: the catalogue as authenticator, Dagster's storage as its owner."""
        if database == DAGSTER:
            return self.admin_url(database)
        file = self._known()
        return _url("authenticator", file.authenticator_password, file.port, database)

    def admin_url(self, database: str = CATALOGUE) -> str:
        """A URL as superuser, which no row level security stops."""
        file = self._known()
        return _url("postgres", file.password, file.port, database)

    def dagster_url(self) -> str:
        """Dagster's storage for SQLAlchemy, which takes a bare postgresql:// for psycopg 3."""
        return self.admin_url(DAGSTER).replace("postgresql://", "postgresql+psycopg2://", 1)

    def psql(self) -> Path:
        """The psql that belongs to the server."""
        return binaries.program(binaries.install_folder(), "psql")

    @contextmanager
    def _lock(self) -> Iterator[None]:
        lock = FileLock(self.folder / "start.lock", timeout=2 * START_WAIT_S)
        try:
            lock.acquire()
        except Timeout:
            raise EmbeddedServerError(
                f"another process has held {lock.lock_file} for {2 * START_WAIT_S:.0f} s; "
                "see what it is doing, end it, and try again"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _file(self) -> Path:
        return self.folder / "server.json"

    def _read(self) -> ServerFile | None:
        try:
            return ServerFile.model_validate_json(self._file().read_bytes())
        except FileNotFoundError:
            return None
        except (ValidationError, PermissionError) as error:
            raise EmbeddedServerError(f"{self._file()} cannot be read: {error}") from None

    def _known(self) -> ServerFile:
        file = self._read()
        if file is None:
            raise EmbeddedServerError(
                f"{self.home} has no server yet; `video-assets db start` makes one"
            )
        return file

    def _write(self, file: ServerFile) -> ServerFile:
        descriptor, name = tempfile.mkstemp(dir=self.folder, prefix="server.json.")  # mode 0600
        with os.fdopen(descriptor, "w") as out:
            out.write(file.model_dump_json())
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(self._file())
        return file

    def _new_file(self) -> ServerFile:
        data = self._choose_data()
        if data.exists():
            raise EmbeddedServerError(
                f"{data} is a data folder, but {self._file()} with its password is gone; "
                "put that file back from a backup, or move the folder away to begin anew"
            )
        inside = data.is_relative_to(self.folder)
        return ServerFile(
            port=postmaster.free_port(),
            password=secrets.token_urlsafe(32),
            authenticator_password=secrets.token_urlsafe(32),
            data=data.relative_to(self.folder) if inside else data,
        )

    def _data_of(self, file: ServerFile) -> Path:
        return self.folder / file.data

    def _choose_data(self) -> Path:
        name = f"pg{binaries.MAJOR}"
        account = unprivileged.server_account(self.folder / name)
        if account is None or not self.folder.exists():
            return self.folder / name
        if unprivileged.can_enter(account, self.folder):
            return self.folder / name
        return unprivileged.fallback_folder(self.home) / name

    def _control(self, file: ServerFile) -> Control:
        data = self._data_of(file)
        install = binaries.install_folder()
        account = unprivileged.server_account(data)
        if account is not None:
            if not unprivileged.can_run(account, binaries.program(install, "postgres")):
                install = binaries.copy_for_everyone(install, unprivileged.shared_base())
            data.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            if not unprivileged.can_enter(account, data.parent):
                raise EmbeddedServerError(
                    f"Postgres does not run as root, and the account it runs under (uid "
                    f"{account.uid}) cannot enter {data.parent}; "
                    "set VIDEO_ASSETS_HOME to a folder that everybody can enter"
                )
        return Control(install, data, account)

    def _refuse_other_major(self, data: Path) -> None:
        version = data / "PG_VERSION"
        if version.exists():
            if (found := version.read_text().strip()) != str(binaries.MAJOR):
                raise EmbeddedServerError(_other_major(data, found))
        elif not data.exists():
            for other in sorted(data.parent.glob("pg[0-9]*/PG_VERSION")):
                raise EmbeddedServerError(_other_major(other.parent, other.read_text().strip()))

    def _initdb(self, control: Control, file: ServerFile) -> None:
        """Make the data folder under another name, so that a killed initdb leaves none."""
        prefix = f"{control.data.name}.new-"
        for left_over in control.data.parent.glob(f"{prefix}*"):
            shutil.rmtree(left_over, ignore_errors=True)
        output = self.folder / "initdb.log"
        with tempfile.TemporaryDirectory(dir=control.data.parent, prefix=prefix) as name:
            work = Path(name)
            password = work / "password"
            password.touch(mode=0o600)
            password.write_text(file.password)
            if control.account is not None:
                control.account.owns(work)
                control.account.owns(password)
            made = work / "data"
            failed = control.run(["initdb", "-D", made, f"--pwfile={password}", *INITDB], output)
            if failed:
                raise EmbeddedServerError(
                    f"no data folder could be made in {work.parent}; {output} ends with\n"
                    f"{_tail(output)}"
                )
            made.rename(control.data)

    def _launch(self, control: Control, file: ServerFile) -> tuple[ServerFile, bool]:
        """Wait until healthy: a server still starting, or the rest of a killed one, passes."""
        started = False
        deadline = time.monotonic() + START_WAIT_S
        _cut(control.log)
        while time.monotonic() < deadline:
            if found := postmaster.find_postmaster(control.data):
                if found.port != file.port:
                    file = self._write(file.model_copy(update={"port": found.port}))
                if self._health(file) != "down":
                    return file, started
                time.sleep(0.05)
                continue
            postmaster.clear_stale_pid_file(control.data)
            if not postmaster.is_port_free(file.port):
                file = self._write(file.model_copy(update={"port": postmaster.free_port()}))
            started = self._start_once(control, file)
        raise EmbeddedServerError(
            f"the server on {control.data} did not answer within {START_WAIT_S:.0f} s; "
            f"{control.log} ends with\n{_tail(control.log)}"
        )

    def _start_once(self, control: Control, file: ServerFile) -> bool:
        before = control.log.stat().st_size if control.log.exists() else 0
        output = self.folder / "pg_ctl.log"
        if control.start(file.port, output) == 0:
            return True
        if postmaster.find_postmaster(control.data):
            return True  # alive, only slow
        said = _text(control.log, before) if control.log.exists() else _text(output)
        if not any(sign in said for sign in (*postmaster.PASSING, *postmaster.PORT_TAKEN)):
            log = control.log if said and control.log.exists() else output
            raise EmbeddedServerError(
                f"the server on {control.data} does not start; {log} ends with\n{_tail(log)}"
            )
        time.sleep(0.2)
        return False

    def _health(self, file: ServerFile) -> Literal["down", "bare", "ready"]:
        """Whether our own server answers, and whether it has both databases."""
        try:
            with self._connect(file) as connection:
                found = _queries.health(connection)
        except psycopg.OperationalError:
            return "down"
        if os.path.realpath(found[0]) != os.path.realpath(self._data_of(file)):
            return "down"  # a copied home: the same password, but another's server
        return "ready" if found[1] == 2 else "bare"

    def _make_databases(self, file: ServerFile) -> None:
        with self._connect(file) as connection:
            _queries.make_authenticator(connection)
            connection.execute(
                sql.SQL("ALTER ROLE authenticator LOGIN PASSWORD {}").format(
                    file.authenticator_password
                )
            )
            there = {row[0] for row in _queries.databases(connection)}
            for name in (DAGSTER, CATALOGUE):
                if name not in there:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _connect(self, file: ServerFile) -> psycopg.Connection[tuple]:
        # require_auth: whoever else sits on our port must not be told the password.
        return psycopg.connect(
            _url("postgres", file.password, file.port, "postgres"),
            autocommit=True,
            connect_timeout=5,
            require_auth="scram-sha-256",
        )


# A cheap hash is as safe as a dear one for 32 random bytes, and every connection is spared 3 ms.
INITDB = (
    *("-U", "postgres", "--auth=scram-sha-256", "-c", "scram_iterations=1"),
    # The same on every system and for ever: no dependence on the locales of the C library.
    *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    "--text-search-config=english",
)


def _url(role: str, password: str, port: int, database: str) -> str:
    return f"postgresql://{role}:{password}@{HOST}:{port}/{database}"


def _text(file: Path, start: int = 0) -> str:
    with file.open("rb") as log:
        log.seek(start)
        return log.read().decode(errors="replace")


def _tail(file: Path) -> str:
    lines = _text(file, max(0, file.stat().st_size - 10_000)).splitlines()
    return "\n".join(lines[-TAIL_LINES:])


def _cut(log: Path) -> None:
    """Empty a log that has grown large; the server appends, so it goes on from the top."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        os.truncate(log, 0)


def _other_major(data: Path, found: str) -> str:
    folder, wanted = data.parent, binaries.MAJOR
    told = f"{data} was made by Postgres {found}, and this release runs Postgres {wanted}"
    if not found.isdigit() or int(found) not in binaries.FOLDERS:
        return (
            f"{told}; start the release that made it, dump it there with pg_dumpall, restore here"
        )
    old = binaries.install_folder(int(found)) / "bin"
    connect = f"-h {HOST} -p 55432 -U postgres"
    return f"""{told}. To take it over, as the owner of that folder, with the password of \
{folder / "server.json"} in PGPASSWORD:
  {old}/pg_ctl -D {data} -w -o "-h {HOST} -p 55432 -k ''" -l {folder}/dump.log start
  {old}/pg_dumpall {connect} > {folder}/dump.sql
  {old}/pg_ctl -D {data} stop
  mv {data} {folder}/old-{data.name}
  video-assets db start
  video-assets db psql -f {folder}/dump.sql"""
