"""Claude's Messages API on loopback, as its documentation and its client describe it.

It refuses what the service would refuse, keeps a prompt cache, counts tokens, and answers as the
test says.
"""

import base64
import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np

from video_assets_tests.services.loopback_claude_batches import ROOT, ClaudeBatches

MOST_UNIONS, MOST_OPTIONAL = 16, 24
ALLOWED = {"model", "max_tokens", "messages", "system", "output_config", "stream"}
PIECE = 40  # characters of an answer that come in one event


@dataclass
class Call:
    """One request, and the tokens it was charged for; none if it failed."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    usage: dict[str, int] = field(default_factory=dict)


Act = Callable[["Exchange"], None]


@dataclass
class ClaudeService:
    """Where it is, what it does in turn (the last for ever), and what it was asked."""

    url: str
    acts: list[Act] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    cached: set[str] = field(default_factory=set)
    batches: ClaudeBatches = field(default_factory=ClaudeBatches)

    @property
    def charged(self) -> list[dict[str, int]]:
        """The tokens of each call that it charges for."""
        return [call.usage for call in self.calls if call.usage]


@dataclass
class Exchange:
    """One request and the means to answer it."""

    handler: BaseHTTPRequestHandler
    service: ClaudeService
    call: Call

    def fail(self, status: int, kind: str, message: str = "no", **headers: str) -> None:
        """Answer with an error."""
        error = {"type": "error", "error": {"type": kind, "message": message}}
        data = json.dumps(error | {"request_id": "req_1"}).encode()
        self.handler.send_response(status)
        self.handler.send_header("content-type", "application/json")
        self.handler.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()
        self.handler.wfile.write(data)

    def begin(self) -> None:
        """Begin an answer that is streamed."""
        self.call.usage = usage_of(self.call.body, self.service.cached)
        self.handler.send_response(200)
        self.handler.send_header("content-type", "text/event-stream; charset=utf-8")
        self.handler.send_header("transfer-encoding", "chunked")
        self.handler.end_headers()
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": self.call.body["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": self.call.usage | {"output_tokens": 1},
        }
        self.event("message_start", message=message)
        self.event("ping")

    def event(self, kind: str, **about: Any) -> None:
        """Send one event."""
        self._chunk(f"event: {kind}\ndata: {json.dumps({'type': kind, **about})}\n\n".encode())

    def block(self, index: int, kind: str, text: str) -> None:
        """Send one block of content in pieces."""
        start = {"type": kind, kind: ""} | ({"signature": ""} if kind == "thinking" else {})
        self.event("content_block_start", index=index, content_block=start)
        for begin in range(0, len(text), PIECE):
            delta = {"type": f"{kind}_delta", kind: text[begin : begin + PIECE]}
            self.event("content_block_delta", index=index, delta=delta)
        self.event("content_block_stop", index=index)

    def end(self, stop_reason: str, output_tokens: int, stop_details: Any = None) -> None:
        """End an answer, and say what it is charged for."""
        self.call.usage["output_tokens"] = output_tokens
        delta = {"stop_reason": stop_reason, "stop_sequence": None, "stop_details": stop_details}
        self.event("message_delta", delta=delta, usage={"output_tokens": output_tokens})
        self.event("message_stop")
        self._chunk(b"")

    def cut(self) -> None:
        """Break the connection off."""
        self.handler.close_connection = True
        self.handler.connection.close()

    def _chunk(self, data: bytes) -> None:
        self.handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def says(text: str, thought: str = "", stop_reason: str = "end_turn") -> Act:
    """Answer with a text, after some thinking."""

    def act(exchange: Exchange) -> None:
        exchange.begin()
        if thought:
            exchange.block(0, "thinking", thought)
        exchange.block(int(bool(thought)), "text", text)
        exchange.end(stop_reason, (len(text) + len(thought)) // 4)

    return act


def says_slowly(text: str, pause_s: float) -> Act:
    """Answer with a text whose pieces come one after the other."""

    def act(exchange: Exchange) -> None:
        exchange.begin()
        exchange.event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        for begin in range(0, len(text), PIECE):
            delta = {"type": "text_delta", "text": text[begin : begin + PIECE]}
            exchange.event("content_block_delta", index=0, delta=delta)
            time.sleep(pause_s)
        exchange.event("content_block_stop", index=0)
        exchange.end("end_turn", len(text) // 4)

    return act


def refuses(category: str | None, explanation: str | None) -> Act:
    """Decline by the API's own stop reason."""

    def act(exchange: Exchange) -> None:
        exchange.begin()
        details = {"type": "refusal", "category": category, "explanation": explanation}
        exchange.end("refusal", 3, details)

    return act


def fails(status: int, kind: str, message: str = "no", **headers: str) -> Act:
    """Answer with an error."""
    return lambda exchange: exchange.fail(status, kind, message, **headers)


def breaks_off(text: str) -> Act:
    """Send the beginning of an answer, and break off."""

    def act(exchange: Exchange) -> None:
        exchange.begin()
        exchange.event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        for begin in range(0, len(text), PIECE):
            delta = {"type": "text_delta", "text": text[begin : begin + PIECE]}
            exchange.event("content_block_delta", index=0, delta=delta)
        exchange.cut()

    return act


def ends_early(exchange: Exchange) -> None:
    """Begin an answer, and end it as if it were whole."""
    exchange.begin()
    exchange.block(0, "text", '{"summary": {}}')
    exchange._chunk(b"")


def errs_in_the_middle(exchange: Exchange) -> None:
    """Begin an answer, and report an error of the service's own."""
    exchange.begin()
    exchange.event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    exchange._chunk(b"")


def is_silent(seconds: float) -> Act:
    """Take the request, and say nothing for a while."""

    def act(exchange: Exchange) -> None:
        time.sleep(seconds)
        exchange.cut()

    return act


@contextmanager
def serve_claude() -> Iterator[ClaudeService]:
    """Run the service."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self._batches(b"")

        def do_DELETE(self):
            self._batches(b"")

        def do_POST(self):
            data = self.rfile.read(int(self.headers["content-length"] or 0))
            if self.path.startswith(ROOT):
                self._batches(data)
                return
            body = json.loads(data)
            headers = {name.lower(): value for name, value in self.headers.items()}
            exchange = Exchange(self, service, Call(self.path, headers, body))
            service.calls.append(exchange.call)
            if fault := fault_of(exchange.call):
                exchange.fail(400, "invalid_request_error", fault)
                return
            act = service.acts.pop(0) if len(service.acts) > 1 else service.acts[0]
            act(exchange)

        def _batches(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            status, data = service.batches.serve(self.command, path, query, body)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            pass  # whoever asks may go away

    server = Server(("127.0.0.1", 0), Handler)
    service = ClaudeService(f"http://127.0.0.1:{server.server_port}")
    service.batches.url = service.url
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fault_of(call: Call) -> str | None:
    """Say what the service would not take of a request."""
    body = call.body
    if call.path != "/v1/messages" or "anthropic-version" not in call.headers:
        return "no such request"
    if unknown := set(body) - ALLOWED:
        return f"{unknown}: extra inputs are not permitted"
    if not body.get("stream") or not isinstance(body.get("max_tokens"), int):
        return "max_tokens: field required"
    schema = body.get("output_config", {}).get("format", {}).get("schema")
    if schema is not None and (unions := count(schema, "anyOf")) > MOST_UNIONS:
        return f"schema has {unions} parameters with union types, limit: {MOST_UNIONS}"
    if schema is not None and (fault := object_fault(schema)):
        return f"output_config.format.schema: {fault}"
    return None


def object_fault(schema: Any) -> str | None:
    """Say which object of a schema is open, or what is not supported in it."""
    if isinstance(schema, list):
        return next(filter(None, map(object_fault, schema)), None)
    if not isinstance(schema, dict):
        return None
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return "additionalProperties must be false"
        if len(schema["properties"]) - len(schema.get("required", ())) > MOST_OPTIONAL:
            return "too many optional parameters"
    if {"minimum", "maximum", "minLength", "maxItems", "pattern"} & set(schema):
        return "constraints are not supported"
    return next(filter(None, map(object_fault, schema.values())), None)


def count(schema: Any, name: str) -> int:
    """Count how often a word stands in a schema."""
    if isinstance(schema, list):
        return sum(count(each, name) for each in schema)
    if not isinstance(schema, dict):
        return 0
    return int(name in schema) + sum(count(each, name) for each in schema.values())


def usage_of(body: dict[str, Any], cached: set[str]) -> dict[str, int]:
    """Count a request's tokens: a word is one, a picture as many as its patches."""
    fixed = json.dumps([body["system"], body.get("output_config")])
    plain = sum(
        len(block["text"].split()) if block["type"] == "text" else patches(block["source"])
        for message in body["messages"]
        for block in message["content"]
    )
    is_kept = any("cache_control" in block for block in body["system"])
    is_known = fixed in cached
    if is_kept:
        cached.add(fixed)
    tokens = len(fixed.split())
    return {
        "input_tokens": plain + (0 if is_kept else tokens),
        "cache_creation_input_tokens": tokens if is_kept and not is_known else 0,
        "cache_read_input_tokens": tokens if is_kept and is_known else 0,
    }


def patches(source: dict[str, str]) -> int:
    """Count the patches of a picture."""
    assert (source["type"], source["media_type"]) == ("base64", "image/jpeg")
    data = np.frombuffer(base64.b64decode(source["data"]), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture is not None
    height, width = picture.shape[:2]
    return math.ceil(width / 28) * math.ceil(height / 28)
