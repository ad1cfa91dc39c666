"""A process by its number and its start, so that a number used again is not taken for it."""

import os

import psutil

DAEMON_FILE = "daemon_began"  # in Dagster's home: touched whenever its daemon is started


def this_process() -> str:
    """Name the process that runs this."""
    process = psutil.Process(os.getpid())
    return f"{process.pid} {process.create_time():.2f}"


def is_alive(process: str) -> bool:
    """Tell whether a process of this machine still runs."""
    pid, _, created = process.partition(" ")
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" == created
    except (psutil.NoSuchProcess, ValueError):
        return False
