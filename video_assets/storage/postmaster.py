"""Whether a Postgres serves a data folder, and how to start one; knows no catalogue."""

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from video_assets.storage import binaries
from video_assets.storage.unprivileged import Account

HOST = "127.0.0.1"
# Given at every start, so that a new release also reaches the data folders of older ones.
OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # TCP alone is the same everywhere
    "max_connections": "200",
    "scram_iterations": "1",
    "timezone": "UTC",
    "lc_messages": "C",  # the log is read for PASSING
    "jit": "off",
    "max_wal_size": "4GB",
}
LEAST_MB, MOST_MB, SHARE = 128, 4096, 4
# What the log says when trying again helps: another server of this folder is starting, the
# backends of a killed one still hold its memory, or somebody was faster at the port.
PASSING = (
    "already exists",
    "is still in use",
    "could not bind",
    "could not create any TCP/IP sockets",
)


@dataclass(frozen=True)
class Postmaster:
    """A live server process, by the words of its own pid file."""

    pid: int
    port: int


def find_postmaster(data: Path) -> Postmaster | None:
    """The server of a data folder, if its process lives; says nothing of its health."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        found = Postmaster(int(lines[0]), int(lines[3]))
    except (OSError, ValueError, IndexError):
        return None
    return found if _serves(found.pid, data) else None


def clear_stale_pid_file(data: Path) -> None:
    """Remove the pid file of a dead server.

    Postgres does so itself unless the number now belongs to another process or to a
    zombie. Its shared memory, found by the folder's inode, still keeps two servers apart.
    """
    file = data / "postmaster.pid"
    try:
        pid = int(file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return
    import psutil

    if psutil.pid_exists(pid) and not _serves(pid, data):
        file.unlink(missing_ok=True)


def _serves(pid: int, data: Path) -> bool:
    import psutil  # 25 ms, for those whom no server has answered

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if not process.name().startswith("postgres"):
            return False
        return Path(process.cwd()).samefile(data)  # a server changes into its data folder
    except psutil.NoSuchProcess:
        return False
    except (psutil.AccessDenied, OSError):
        return True


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def is_port_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        if os.name != "nt":  # there it would mean sharing the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Control:
    """Runs the programs of an installation on a data folder, as the server's account."""

    install: Path
    data: Path
    account: Account | None

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.data / "server.log"

    def start(self, port: int, output: Path) -> int:
        """Start the server and wait until it accepts connections; the exit status of pg_ctl."""
        given = OPTIONS | {"port": port, "shared_buffers": f"{_buffers_mb()}MB"}
        options = " ".join(f"-c {name}={value}" for name, value in given.items())
        # Relative to the data folder's parent: pg_ctl builds a shell command of these names.
        log = Path(self.data.name) / self.log.name
        return self.run(
            ["pg_ctl", "start", "-w", "-t", "60", "-D", self.data.name, "-l", log, "-o", options],
            output,
        )

    def stop(self, output: Path) -> int:
        """Stop the server, breaking off what is under way; the exit status of pg_ctl."""
        return self.run(
            ["pg_ctl", "stop", "-w", "-t", "60", "-m", "fast", "-D", self.data.name], output
        )

    def run(self, command: list[str | Path], output: Path) -> int:
        """Run one program beside the data folder, its words going into a file.

        Not into a pipe: the server inherits it, and whoever reads it would wait for ever.
        A session of its own keeps a Ctrl-C in the terminal from the server.
        """
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        who = {}
        if self.account is not None:
            who = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        with output.open("wb") as words:
            return subprocess.run(
                [binaries.program(self.install, str(command[0])), *command[1:]],
                cwd=self.data.parent,
                env=environment | {"LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                check=False,
                **who,
            ).returncode


def _buffers_mb() -> int:
    """Give a quarter of the memory to pages that were read; it is taken as it is used.

    A search by meaning reads thousands of pages of an index; each that has to be copied from the
    system's cache costs as much as the rest of the work on it.
    """
    import psutil  # 10 ms, for whoever starts a server

    return min(MOST_MB, max(LEAST_MB, psutil.virtual_memory().total // 2**20 // SHARE))
