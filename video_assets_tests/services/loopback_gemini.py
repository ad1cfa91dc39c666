"""Gemini on loopback: the documented wire format of its Files API and of streamGenerateContent.

It checks what it is sent as Google's server would, and a test says what it answers to questions and
what becomes of uploads. Everything that it was asked, and what it would charge, is kept.
"""

import base64
import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from video_assets_tests.services.loopback_gemini_batches import GeminiBatches

KEY = "not-a-real-gemini-key-0123456789"
MODEL = "gemini-2.5-flash"
VERSION = "v1beta"
USAGE = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 200,
    "candidatesTokenCount": 300,
    "thoughtsTokenCount": 50,
    "totalTokenCount": 1350,
    "promptTokensDetails": [
        {"modality": "VIDEO", "tokenCount": 700},
        {"modality": "AUDIO", "tokenCount": 250},
        {"modality": "TEXT", "tokenCount": 50},
    ],
    "cacheTokensDetails": [
        {"modality": "AUDIO", "tokenCount": 50},
        {"modality": "VIDEO", "tokenCount": 150},
    ],
}


@dataclass
class Reaction:
    """What is done about one question.

    pieces     of the text, each an event of its own
    finish     why it ends; None: the connection is closed in the middle
    status     other than 200: an error with `error` as its document
    wait_s     before the first event and between two
    blocked    why the question is blocked
    thought    what it thinks before it answers
    """

    pieces: tuple[str, ...] = ()
    finish: str | None = "STOP"
    status: int = 200
    error: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    blocked: str | None = None
    thought: str | None = None
    usage: dict[str, Any] | None = field(default_factory=lambda: dict(USAGE))


def says(document: Any, pieces: int = 3, **more: Any) -> Reaction:
    """Answer with a document, or a text, in some pieces."""
    text = document if isinstance(document, str) else json.dumps(document)
    size = max(1, -(-len(text) // pieces))
    parts = tuple(text[start : start + size] for start in range(0, len(text), size))
    return Reaction(parts, **more)


def refuses(status: int, message: str, name: str = "", **more: Any) -> Reaction:
    """Answer with an error as Google's servers write it."""
    details = more.pop("details", [])
    error = {"code": status, "message": message, "status": name, "details": details}
    return Reaction(status=status, error={"error": error}, **more)


@dataclass
class Question:
    """One question as it came."""

    model: str
    body: dict[str, Any]

    @property
    def parts(self) -> list[dict[str, Any]]:
        """What it is made of."""
        return self.body["contents"][0]["parts"]

    @property
    def texts(self) -> list[str]:
        """What is written in it."""
        return [part["text"] for part in self.parts if "text" in part]

    @property
    def config(self) -> dict[str, Any]:
        """How it is to be answered."""
        return self.body["generationConfig"]


@dataclass
class Gemini:
    """Where it is, what it does in turn (the last for ever), and what it was asked."""

    url: str
    reactions: list[Reaction | Callable[[Question], Reaction]] = field(default_factory=list)
    looks: int = 1  # at an upload, before it is ready
    becomes: str = "ACTIVE"
    questions: list[Question] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    broken_off: int = 0  # answers whose reader went away
    faults: list[str] = field(default_factory=list)  # of the requests, as Google would find them
    batches: GeminiBatches = field(default_factory=GeminiBatches)

    def react(self, question: Question) -> Reaction:
        """Take the next reaction."""
        self.questions.append(question)
        found = self.reactions.pop(0) if len(self.reactions) > 1 else self.reactions[0]
        return found(question) if callable(found) else found

    def put(self, name: str, data: bytes, state: str) -> dict[str, Any]:
        """Keep a file."""
        self.contents[name] = data
        digest = base64.b64encode(hashlib.sha256(data).hexdigest().encode()).decode()
        self.files[name] = {
            "name": f"files/{name}",
            "mimeType": "video/mp4",
            "sizeBytes": str(len(data)),
            "state": state,
            "sha256Hash": digest,
            "uri": f"https://generativelanguage.googleapis.com/{VERSION}/files/{name}",
        }
        return self.files[name]


class _Handler(BaseHTTPRequestHandler):
    service: Gemini
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self._begin()
        if path.startswith(f"/{VERSION}/batches"):
            return self._send(*self.service.batches.look(path.removeprefix(f"/{VERSION}/")))
        name = path.removeprefix(f"/{VERSION}/files/")
        file = self.service.files.get(name)
        if file is None:
            return self._no_file(name)
        self.service.looks -= 1
        if file["state"] == "PROCESSING" and self.service.looks < 0:
            file["state"] = self.service.becomes
            if self.service.becomes == "FAILED":
                file["error"] = {"code": 3, "message": "no video stream"}
        return self._send(200, file)

    def do_DELETE(self):
        path = self._begin()
        if path.startswith(f"/{VERSION}/batches"):
            name = path.removeprefix(f"/{VERSION}/")
            return self._send(*self.service.batches.end(name, is_deleted=True))
        name = path.removeprefix(f"/{VERSION}/files/")
        if self.service.files.pop(name, None) is None:
            return self._no_file(name)
        self.service.deleted.append(name)
        return self._send(200, {})

    def do_POST(self):
        path = self._begin()
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if path.startswith(f"/{VERSION}/batches"):
            name = path.removeprefix(f"/{VERSION}/").removesuffix(":cancel")
            return self._send(*self.service.batches.end(name, is_deleted=False))
        if path == f"/upload/{VERSION}/files":
            return self._start_upload(json.loads(body))
        if path == "/resumable":
            return self._finish_upload(body)
        model, _, method = path.removeprefix(f"/{VERSION}/models/").partition(":")
        if method == "batchGenerateContent":

            def answer(request: dict[str, Any]) -> dict[str, Any]:
                question = Question(model, request)
                self.service.faults += list(faults_of(question, self.service))
                return whole(self.service.react(question))

            return self._send(*self.service.batches.create(model, json.loads(body), answer))
        if method != "streamGenerateContent" or urlsplit(self.path).query != "alt=sse":
            self.service.faults.append(f"no such method: {self.path}")
        question = Question(model, json.loads(body))
        self.service.faults += list(faults_of(question, self.service))
        return self._answer(self.service.react(question))

    def _begin(self) -> str:
        path = urlsplit(self.path).path
        self.service.requests.append((self.command, path))
        self.service.headers.append(dict(self.headers))
        if self.headers["x-goog-api-key"] != KEY and path != "/resumable":
            self.service.faults.append("no key")
        return path

    def _start_upload(self, body: dict[str, Any]):
        told = self.headers
        expected = {
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Type": "video/mp4",
        }
        self.service.faults += [
            f"{name} is {told[name]}" for name, value in expected.items() if told[name] != value
        ]
        size = int(told["X-Goog-Upload-Header-Content-Length"])
        name = body["file"]["name"].removeprefix("files/")
        if len(name) > 40 or not name.replace("-", "").isalnum() or name != name.lower():
            self.service.faults.append(f"no name of a file: {name}")
        url = f"{self.service.url}/resumable?name={name}&size={size}"
        return self._send(200, {}, {"X-Goog-Upload-URL": url, "X-Goog-Upload-Status": "active"})

    def _finish_upload(self, body: bytes):
        query = parse_qs(urlsplit(self.path).query)
        name, size = query["name"][0], int(query["size"][0])
        data = self.service.contents.get(name, b"") if self._offset() else b""
        if self._offset() != len(data):
            self.service.faults.append(f"a piece at {self._offset()} after {len(data)} bytes")
        data += body
        self.service.contents[name] = data
        if self.headers["X-Goog-Upload-Command"] != "upload, finalize":
            return self._send(200, {}, {"X-Goog-Upload-Status": "active"})
        if len(data) != size:
            self.service.faults.append(f"{len(data)} bytes instead of {size}")
        self.service.uploads.append(name)
        state = "PROCESSING" if self.service.looks else "ACTIVE"
        file = self.service.put(name, data, state)
        return self._send(200, {"file": file}, {"X-Goog-Upload-Status": "final"})

    def _offset(self) -> int:
        return int(self.headers["X-Goog-Upload-Offset"])

    def _answer(self, reaction: Reaction):
        if reaction.status != 200:
            time.sleep(reaction.wait_s)
            return self._send(reaction.status, reaction.error, reaction.headers)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self._stream(reaction)
        except OSError:
            self.service.broken_off += 1
            self.close_connection = True
        return None

    def _stream(self, reaction: Reaction) -> None:
        if reaction.blocked:
            feedback = {"blockReason": reaction.blocked}
            self._event({"promptFeedback": feedback, "usageMetadata": reaction.usage})
        if reaction.thought:
            part = {"text": reaction.thought, "thought": True}
            self._event({"candidates": [{"content": {"parts": [part], "role": "model"}}]})
        for number, piece in enumerate(reaction.pieces, start=1):
            self._wait(reaction.wait_s)
            candidate: dict[str, Any] = {"content": {"parts": [{"text": piece}], "role": "model"}}
            if number == len(reaction.pieces) and reaction.finish:
                candidate["finishReason"] = reaction.finish
            self._event({"candidates": [candidate], "usageMetadata": reaction.usage})
        if reaction.finish and not reaction.pieces and not reaction.blocked:
            candidate = {"finishReason": reaction.finish}
            self._event({"candidates": [candidate], "usageMetadata": reaction.usage})
        if reaction.finish is None:
            self.close_connection = True  # without the chunk that ends a body
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _wait(self, seconds: float) -> None:
        """Wait, and notice if nobody reads any more."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.wfile.write(b"2\r\n\r\n\r\n")  # an empty line of the stream, as keep-alives are
            self.wfile.flush()
            time.sleep(0.02)

    def _event(self, document: dict[str, Any]) -> None:
        told = {key: value for key, value in document.items() if value is not None}
        data = f"data: {json.dumps({**told, 'modelVersion': MODEL})}\r\n\r\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _no_file(self, name: str):
        message = f"You do not have permission to access the File {name} or it may not exist."
        return self._send(403, refuses(403, message, "PERMISSION_DENIED").error)

    def _send(self, status: int, document: Any, headers: dict[str, str] | None = None):
        data = json.dumps(document).encode()
        with contextlib.suppress(OSError):  # whoever asked has gone
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format, *args):
        pass


def whole(reaction: Reaction) -> dict[str, Any]:
    """Put a reaction into one piece, as a batch has it."""
    if reaction.status != 200:
        return {"error": reaction.error["error"]}
    if reaction.blocked:
        feedback = {"blockReason": reaction.blocked}
        return {"response": {"promptFeedback": feedback, "usageMetadata": reaction.usage}}
    parts = [{"text": piece} for piece in reaction.pieces]
    candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": reaction.finish}
    response = {"candidates": [candidate], "usageMetadata": reaction.usage, "modelVersion": MODEL}
    return {"response": response}


FIELDS = {"contents", "systemInstruction", "generationConfig"}
CONFIG = {"responseMimeType", "responseJsonSchema", "maxOutputTokens"} | {
    "thinkingConfig",
    "mediaResolution",
}
# What Google's documentation says that it takes of JSON Schema.
SCHEMA = {"$defs", "$ref", "type", "description", "enum", "items", "anyOf", "properties"} | {
    "additionalProperties",
    "required",
}


def faults_of(question: Question, service: Gemini) -> Iterator[str]:
    """Find what Google's server would not take of a question."""
    body = question.body
    if unknown := (set(body) - FIELDS) | (set(body["generationConfig"]) - CONFIG):
        yield f"unknown fields: {sorted(unknown)}"
    for part in question.parts:
        kinds = {"text", "inlineData", "fileData"} & set(part)
        if len(kinds) != 1:
            yield f"a part of {sorted(kinds)}"
        if "fileData" in part:
            told = part["fileData"]  # the client writes some names as protocol buffers do
            name = (told.get("fileUri") or told["file_uri"]).rpartition("/")[2]
            if service.files.get(name, {}).get("state") != "ACTIVE":
                yield f"the file {name} is not ready"
    yield from _schema_faults(body["generationConfig"].get("responseJsonSchema"))


def _schema_faults(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    if unknown := set(schema) - SCHEMA:
        yield f"unknown words of a schema: {sorted(unknown)}"
    for name in ("$defs", "properties"):
        for each in schema.get(name, {}).values():
            yield from _schema_faults(each)
    for each in (schema.get("items"), *schema.get("anyOf", ())):
        yield from _schema_faults(each)


@contextmanager
def serve() -> Iterator[Gemini]:
    """Run it while the block runs."""
    service = Gemini("")
    handler = type("Handler", (_Handler,), {"service": service})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
