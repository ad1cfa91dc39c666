"""The embedded Postgres: started when needed, shared by all processes, stopped only when told."""

import os
import re
import secrets
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

from video_assets.storage import binaries, cluster, postmaster, server_file, unprivileged
from video_assets.storage.postmaster import HOST, Control
from video_assets.storage.server_file import EmbeddedServerError, ServerFile, tail

CATALOGUE = "video_assets"
DAGSTER = "dagster"
START_WAIT_S = 120.0  # recovery after a crash reads back up to 1 GB of log
LOG_BYTES = 10_000_000

_queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


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
        file = server_file.read(self.folder)
        return self._data_of(file) if file else self._choose_data()

    def start(self) -> bool:
        """Make sure that a healthy server with both databases runs; True if this call started it.

        Raises EmbeddedServerError, which names the log.
        """
        file = server_file.read(self.folder)
        if file and self._health(file) == "ready":
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock():
            file = server_file.read(self.folder) or server_file.write(self.folder, self._new_file())
            cluster.refuse_other_major(self._data_of(file))
            control = self._control(file)
            if not control.data.exists():
                cluster.make(control, file.password, self.folder / "initdb.log")
            file, started = self._launch(control, file)
            self._make_databases(file)
            return started

    def open(self) -> psycopg.Connection[tuple]:
        """Connect to the catalogue as superuser; the server is started when needed.

        Where it runs, as nearly always, whoever asks for its health keeps the connection.
        """
        file = server_file.read(self.folder)
        connection = self._open_running(file) if file else None
        if connection is None:
            self.start()
            connection = self._connect(self._known(), CATALOGUE)
        return connection

    def stop(self) -> bool:
        """Stop the server for everybody; False if none ran."""
        file = server_file.read(self.folder)
        if file is None:
            return False
        with self._lock():
            control = self._control(file)
            if postmaster.find_postmaster(control.data) is None:
                return False
            output = self.folder / "pg_ctl.log"
            control.stop(output)
            if postmaster.find_postmaster(control.data) is not None:
                raise EmbeddedServerError(f"the server does not stop\n{tail(output)}")
            return True

    def status(self) -> ServerStatus:
        """Whether it runs, found by connecting."""
        file = server_file.read(self.folder)
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
        return file.url("authenticator", database)

    def admin_url(self, database: str = CATALOGUE) -> str:
        """A URL as superuser, which no row level security stops."""
        file = self._known()
        return file.url("postgres", database)

    def dagster_url(self) -> str:
        """Dagster's storage for SQLAlchemy."""
        return for_dagster(self.admin_url(DAGSTER))

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

    def _known(self) -> ServerFile:
        file = server_file.read(self.folder)
        if file is None:
            raise EmbeddedServerError(
                f"{self.home} has no server yet; `video-assets db start` makes one"
            )
        return file

    def _new_file(self) -> ServerFile:
        data = self._choose_data()
        if data.exists():
            raise EmbeddedServerError(
                f"{data} is a data folder, but {server_file.NAME} with its password is gone; "
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

    def _launch(self, control: Control, file: ServerFile) -> tuple[ServerFile, bool]:
        """Wait until healthy: a server still starting, or the rest of a killed one, passes."""
        started = False
        deadline = time.monotonic() + START_WAIT_S
        _cut(control.log)
        while time.monotonic() < deadline:
            if found := postmaster.find_postmaster(control.data):
                if found.port != file.port:
                    file = self._move_to(found.port, file)
                if self._health(file) != "down":
                    return file, started
                time.sleep(0.05)
                continue
            postmaster.clear_stale_pid_file(control.data)
            if not postmaster.is_port_free(file.port):
                file = self._move_to(postmaster.free_port(), file)
            started = self._start_once(control, file)
        raise EmbeddedServerError(
            f"the server on {control.data} did not answer within {START_WAIT_S:.0f} s; "
            f"{control.log} ends with\n{tail(control.log)}"
        )

    def _move_to(self, port: int, file: ServerFile) -> ServerFile:
        return server_file.write(self.folder, file.model_copy(update={"port": port}))

    def _start_once(self, control: Control, file: ServerFile) -> bool:
        before = control.log.stat().st_size if control.log.exists() else 0
        output = self.folder / "pg_ctl.log"
        if control.start(file.port, output) == 0:
            return True
        if postmaster.find_postmaster(control.data):
            return True  # alive, only slow
        said = server_file.text(control.log, before) if control.log.exists() else ""
        if not any(sign in said for sign in postmaster.PASSING):
            log = control.log if said else output
            raise EmbeddedServerError(
                f"the server on {control.data} does not start; {log} ends with\n{tail(log)}"
            )
        time.sleep(0.2)
        return False

    def _health(self, file: ServerFile) -> Literal["down", "bare", "ready"]:
        """Whether our own server answers, and whether it has both databases."""
        try:
            with self._connect(file) as connection:
                return self._health_by(connection, file)
        except psycopg.OperationalError:
            return "down"

    def _health_by(
        self, connection: psycopg.Connection[tuple], file: ServerFile
    ) -> Literal["down", "bare", "ready"]:
        found = _queries.health(connection)
        if os.path.realpath(found[0]) != os.path.realpath(self._data_of(file)):
            return "down"  # a copied home: the same password, but another's server
        return "ready" if found[1] == 2 else "bare"

    def _open_running(self, file: ServerFile) -> psycopg.Connection[tuple] | None:
        try:
            connection = self._connect(file, CATALOGUE)
        except psycopg.OperationalError:
            return None
        if self._health_by(connection, file) != "ready":
            connection.close()
            return None
        return connection

    def _make_databases(self, file: ServerFile) -> None:
        with self._connect(file) as connection:
            _queries.await_makers(connection)
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

    def _connect(self, file: ServerFile, database: str = "postgres") -> psycopg.Connection[tuple]:
        # require_auth: whoever else sits on our port must not be told the password.
        return psycopg.connect(
            file.url("postgres", database),
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=3,
            require_auth="scram-sha-256",
        )


def for_dagster(url: str) -> str:
    """Write an address for SQLAlchemy, which takes a bare postgresql:// for psycopg 3."""
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", url)


def _cut(log: Path) -> None:
    """Empty a log that has grown large; the server appends, so it goes on from the top."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        os.truncate(log, 0)
