"""Servers that tests and benchmarks start, and have to leave no trace of."""

import shutil

from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.unprivileged import BASE


def remove_server(server: EmbeddedServer) -> None:
    """Stop a server and remove all of its data, wherever it lies."""
    data = server.data
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)
    if data.is_relative_to(BASE):  # the home was closed to the server's account
        shutil.rmtree(data.parents[1], ignore_errors=True)
