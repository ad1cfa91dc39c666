"""The leash of `video-assets dev`: runs a program, and ends it with all it started when let go.

A process of its own between `dev` and Dagster. `dev` holds its standard input open; when that
closes, because `dev` ended or was killed, everything on the leash ends too.
"""

import contextlib
import subprocess
import sys
import threading
from pathlib import Path

import psutil

STOP_DATABASE = "--stop-database"
LOOK_S = 0.5
GRACE_S = 15.0  # for Dagster to end its services and its runs by itself


def main(arguments: list[str]) -> int:
    """Run `[--stop-database HOME] -- PROGRAM…` until it ends or the leash is let go."""
    cut = arguments.index("--")
    options, command = arguments[:cut], arguments[cut + 1 :]
    let_go = threading.Event()
    threading.Thread(target=_read_to_end, args=(let_go,), daemon=True).start()
    process = psutil.Popen(command, stdin=subprocess.DEVNULL)
    family: set[psutil.Process] = set()
    while process.poll() is None and not let_go.wait(LOOK_S):
        family |= _descendants(process)
    family |= _descendants(process)
    code = _end(process, family)
    if options and options[0] == STOP_DATABASE:
        from video_assets.storage.embedded import EmbeddedServer

        EmbeddedServer(Path(options[1])).stop()
    return code


def _read_to_end(let_go: threading.Event) -> None:
    sys.stdin.buffer.read()
    let_go.set()


def _descendants(process: psutil.Popen) -> set[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return set(process.children(recursive=True))
    return set()


def _end(process: psutil.Popen, family: set[psutil.Process]) -> int:
    """Ask the program to end, then end whatever of its family is left."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(GRACE_S)
    if process.poll() is None:
        family |= _descendants(process)
        process.kill()
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout=GRACE_S)
    code = process.wait()
    return code if isinstance(code, int) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
