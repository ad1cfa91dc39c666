"""A server of tus 1.0 on loopback: the core protocol and its extension `creation`, as Supabase has
it, with an address for each upload and parts of one size."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PART_BYTES = 6 << 20
PATH = "/storage/v1/upload/resumable"


@dataclass
class Tus:
    """Where it is, what has arrived, and what is to go wrong.

    breaks   parts, counted from 1, of which the line breaks off half way
    deaf     parts that arrive, and whose answer is lost
    refused  the status of every part, if all are refused
    location where uploads are said to go on, if not here
    """

    url: str
    arrived: dict[str, bytearray] = field(default_factory=dict)
    about: dict[str, dict[str, str]] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    parts: list[tuple[int, int]] = field(default_factory=list)
    keys: set[tuple[str | None, str | None]] = field(default_factory=set)
    breaks: set[int] = field(default_factory=set)
    deaf: set[int] = field(default_factory=set)
    refused: int | None = None
    location: str | None = None

    @property
    def whole(self) -> dict[str, bytes]:
        """What was uploaded to the end, by its key."""
        return {
            self.about[name]["objectName"]: bytes(data)
            for name, data in self.arrived.items()
            if len(data) == self.lengths[name]
        }


@contextmanager
def serve_tus() -> Iterator[Tus]:
    """Run it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            assert self.path == PATH
            self._note_keys()
            name = f"{PATH}/{len(tus.arrived)}"
            pairs = (each.split(" ") for each in self.headers["Upload-Metadata"].split(","))
            tus.about[name] = {key: base64.b64decode(value).decode() for key, value in pairs}
            tus.lengths[name] = int(self.headers["Upload-Length"])
            tus.arrived[name] = bytearray()
            self._answer(201, Location=tus.location or name)

        def do_HEAD(self):
            self._note_keys()
            if self.path in tus.arrived:
                self._answer(200, **{"Upload-Offset": str(len(tus.arrived[self.path]))})
            else:
                self._answer(404)

        def do_PATCH(self):
            self._note_keys()
            offset, length = int(self.headers["Upload-Offset"]), int(self.headers["Content-Length"])
            data, number = tus.arrived[self.path], len(tus.parts) + 1
            is_last = offset + length == tus.lengths[self.path]
            tus.parts.append((offset, length))
            if number in tus.breaks:
                data += self.rfile.read(length // 2)
                return self._hang_up()
            body = self.rfile.read(length)
            if tus.refused:
                return self._answer(tus.refused)
            if offset != len(data) or (length != PART_BYTES and not is_last):
                return self._answer(409)
            data += body
            if number in tus.deaf:
                return self._hang_up()
            return self._answer(204, **{"Upload-Offset": str(len(data))})

        def _note_keys(self):
            assert self.headers["Tus-Resumable"] == "1.0.0"
            tus.keys.add((self.headers["apikey"], self.headers["Authorization"]))

        def _hang_up(self):
            self.close_connection = True
            self.connection.shutdown(2)

        def _answer(self, status: int, **headers: str):
            self.send_response(status)
            for name, value in {"Tus-Resumable": "1.0.0", "Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    tus = Tus(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield tus
    finally:
        server.shutdown()
        server.server_close()
