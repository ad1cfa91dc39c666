"""A server on loopback that speaks OpenAI's chat protocol, as Ollama, vLLM and LM Studio do.

It knows some models, takes some forms of structured output, counts tokens, and answers as the test
says.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECE = 40  # characters of an answer that come in one event
PICTURE_TOKENS = 100
ALLOWED = {"model", "messages", "stream", "stream_options", "response_format"} | {
    "max_tokens",
    "max_completion_tokens",
}


@dataclass
class Call:
    """One request, and the tokens it was charged for; none if it failed."""

    headers: dict[str, str]
    body: dict[str, Any]
    usage: dict[str, Any] = field(default_factory=dict)

    @property
    def form(self) -> str:
        """The structured output that it asks for."""
        return self.body.get("response_format", {}).get("type", "text")


Act = Callable[["Exchange"], None]


@dataclass
class ChatService:
    """Where it is, what it has and takes, what it does in turn, and what it was asked."""

    url: str
    models: tuple[str, ...] = ("llava:v1.6", "qwen2.5vl:7b")
    forms: tuple[str, ...] = ("json_schema", "json_object", "text")
    tells_usage: bool = True
    acts: list[Act] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    @property
    def charged(self) -> list[dict[str, Any]]:
        """The tokens of each call that it charges for."""
        return [call.usage for call in self.calls if call.usage]


@dataclass
class Exchange:
    """One request and the means to answer it."""

    handler: BaseHTTPRequestHandler
    service: ChatService
    call: Call

    def fail(self, status: int, message: str, **headers: str) -> None:
        """Answer with an error."""
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        reply(self.handler, status, {"error": error}, headers)

    def begin(self) -> None:
        """Begin an answer that is streamed."""
        self.handler.send_response(200)
        self.handler.send_header("content-type", "text/event-stream")
        self.handler.send_header("transfer-encoding", "chunked")
        self.handler.end_headers()
        self.chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}}])

    def text(self, text: str, pause_s: float = 0.0) -> None:
        """Send a text in pieces."""
        for begin in range(0, len(text), PIECE):
            delta = {"content": text[begin : begin + PIECE]}
            self.chunk([{"index": 0, "delta": delta, "finish_reason": None}])
            time.sleep(pause_s)

    def end(self, reason: str, output_tokens: int) -> None:
        """End an answer, and say what it is charged for."""
        self.chunk([{"index": 0, "delta": {}, "finish_reason": reason}])
        given = prompt_tokens(self.call.body)
        self.call.usage = {
            "prompt_tokens": given,
            "completion_tokens": output_tokens,
            "total_tokens": given + output_tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
        }
        if self.service.tells_usage:
            self.chunk([], usage=self.call.usage)
        self.send("data: [DONE]\n\n")
        self.send("")

    def chunk(self, choices: list[Any], **more: Any) -> None:
        """Send one event."""
        about = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0}
        document = about | {"model": self.call.body["model"], "choices": choices} | more
        self.send(f"data: {json.dumps(document)}\n\n")

    def send(self, text: str) -> None:
        """Send some bytes as one chunk of the answer; none ends it."""
        data = text.encode()
        self.handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def cut(self) -> None:
        """Break the connection off."""
        self.handler.close_connection = True
        self.handler.connection.close()


def says(text: str, reason: str = "stop", pause_s: float = 0.0) -> Act:
    """Answer with a text."""

    def act(exchange: Exchange) -> None:
        exchange.begin()
        exchange.text(text, pause_s)
        exchange.end(reason, len(text) // 4)

    return act


def refuses(said: str) -> Act:
    """Decline as OpenAI's models do."""

    def act(exchange: Exchange) -> None:
        exchange.begin()
        exchange.chunk([{"index": 0, "delta": {"refusal": said}, "finish_reason": None}])
        exchange.end("stop", 5)

    return act


def fails(status: int, message: str = "no", **headers: str) -> Act:
    """Answer with an error."""
    return lambda exchange: exchange.fail(status, message, **headers)


def breaks_off(text: str) -> Act:
    """Send the beginning of an answer, and break off."""

    def act(exchange: Exchange) -> None:
        exchange.begin()
        exchange.text(text)
        exchange.cut()

    return act


def ends_early(text: str) -> Act:
    """Send the beginning of an answer, and end it as if it were whole."""

    def act(exchange: Exchange) -> None:
        exchange.begin()
        exchange.text(text)
        exchange.send("")

    return act


def errs_in_the_middle(exchange: Exchange) -> None:
    """Begin an answer, and report an error of the server's own."""
    exchange.begin()
    exchange.send(f"data: {json.dumps({'error': {'message': 'out of memory'}})}\n\n")
    exchange.send("")


def is_silent(seconds: float) -> Act:
    """Take the request, and say nothing for a while."""

    def act(exchange: Exchange) -> None:
        time.sleep(seconds)
        exchange.cut()

    return act


@contextmanager
def serve_chat(host: str = "127.0.0.1") -> Iterator[ChatService]:
    """Run the server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            data = [{"id": name, "object": "model", "owned_by": "us"} for name in service.models]
            reply(self, 200, {"object": "list", "data": data}, {})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            exchange = Exchange(self, service, Call(headers, body))
            service.calls.append(exchange.call)
            if self.path != "/v1/chat/completions" or body["model"] not in service.models:
                exchange.fail(404, f"model '{body['model']}' not found")
            elif fault := fault_of(exchange.call, service.forms):
                exchange.fail(400, fault)
            else:
                act = service.acts.pop(0) if len(service.acts) > 1 else service.acts[0]
                act(exchange)

        def log_message(self, format, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            pass  # whoever asks may go away

    server = Server((host, 0), Handler)
    service = ChatService(f"http://{host}:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def reply(
    handler: BaseHTTPRequestHandler, status: int, document: Any, headers: dict[str, str]
) -> None:
    """Answer with a whole document."""
    data = json.dumps(document).encode()
    handler.send_response(status)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(data)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(data)


def fault_of(call: Call, forms: tuple[str, ...]) -> str | None:
    """Say what the server does not take of a request."""
    body = call.body
    if unknown := set(body) - ALLOWED:
        return f"{unknown}: extra inputs are not permitted"
    if call.form not in forms:
        return f"'response_format.type' must be {' or '.join(forms)}"
    if call.form == "json_schema":
        about = body["response_format"]["json_schema"]
        if about["strict"] is not True or about["name"] != "clip_analysis":
            return "strict and name are missing"
        return strict_fault(about["schema"])
    return None


def strict_fault(schema: Any) -> str | None:
    """Say what strict mode does not take of a schema."""
    if isinstance(schema, list):
        return next(filter(None, map(strict_fault, schema)), None)
    if not isinstance(schema, dict):
        return None
    if "$ref" in schema and len(schema) > 1:
        return "$ref cannot have keywords beside it"
    if schema.get("type") == "object" and (
        schema.get("additionalProperties") is not False
        or list(schema["properties"]) != schema.get("required")
    ):
        return "every property must be required, and no other allowed"
    return next(filter(None, map(strict_fault, schema.values())), None)


def prompt_tokens(body: dict[str, Any]) -> int:
    """Count a request's tokens: a word is one, and all pictures are of one price."""
    tokens = 0
    for message in body["messages"]:
        content: Any = message["content"]
        parts: list[Any] = (
            [{"type": "text", "text": content}] if isinstance(content, str) else content
        )
        for part in parts:
            if part["type"] == "text":
                tokens += len(part["text"].split())
            else:
                assert part["image_url"]["url"].startswith("data:image/jpeg;base64,/9j/")
                tokens += PICTURE_TOKENS
    return tokens
