"""Somebody else listening on our port must not be told a password."""

import socket
import struct
import threading
from pathlib import Path

from video_assets.storage import server_file
from video_assets.storage.embedded import EmbeddedServer
from video_assets.storage.postmaster import HOST
from video_assets.storage.server_file import ServerFile

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
GIVE_ME_YOUR_PASSWORD = b"R" + struct.pack("!II", 8, 3)
TOLD = "word"


def squat(listener: socket.socket, heard: list[bytes]) -> None:
    """Speak as a server that wants the password in clear."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(5)
        for _ in range(5):  # it would be told again and again
            message = connection.recv(8192)
            if not message:
                return
            heard.append(message)
            (code,) = struct.unpack("!I", message[4:8])
            wants_encryption = len(message) == 8 and code in (SSL_REQUEST, GSS_REQUEST)
            connection.sendall(b"N" if wants_encryption else GIVE_ME_YOUR_PASSWORD)


def test_a_squatter_on_our_port_learns_nothing(tmp_path: Path):
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        server = EmbeddedServer(tmp_path)
        server.folder.mkdir()
        server_file.write(
            server.folder,
            ServerFile(
                port=listener.getsockname()[1],
                password=f"{TOLD}-of-postgres",
                authenticator_password=f"{TOLD}-of-authenticator",
                data=Path("pg18"),
            ),
        )
        heard: list[bytes] = []
        thread = threading.Thread(target=squat, args=(listener, heard))
        thread.start()
        assert not server.status().running
        thread.join(10)
    assert any(b"postgres" in message for message in heard)  # it was asked, by name
    assert not any(TOLD.encode() in message for message in heard)
