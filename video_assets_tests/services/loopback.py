"""A service on loopback that speaks JSON; the test says with what it answers."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Said = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]
Answer = Said | Callable[[bytes], Said]


@dataclass
class Service:
    """Where it is, what it answers in turn (the last for ever), and what it was asked.

    An answer is a status and a document, and maybe headers, or a function of the request's body
    that gives them. A document of bytes is sent as it is; None breaks the connection off.
    """

    url: str
    answers: list[Answer] = field(default_factory=list)
    seen: list[tuple[str, str | None, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serve(host: str = "127.0.0.1") -> Iterator[Service]:
    """Run a service; its requests are kept as path, key and body.

    host  127.0.0.2 is as good as another machine: who asks there does not ask here
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.headers.append(dict(self.headers))
            service.seen.append((self.path, self.headers["Authorization"], body))
            answer = service.answers.pop(0) if len(service.answers) > 1 else service.answers[0]
            status, document, *headers = answer(body) if callable(answer) else answer
            data = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data) + (document is None)))
            for name, value in (headers[0] if headers else {}).items():
                self.send_header(name, value)
            self.end_headers()
            if document is not None:
                self.wfile.write(data)
            else:
                self.close_connection = True

        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    service = Service(f"http://{host}:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def embed(body: bytes) -> tuple[int, Any]:
    """Answer as an embedding service does: each letter of a text is a direction, and counts."""
    asked = json.loads(body)
    vectors = [[float(text.lower().count(letter)) for letter in LETTERS] for text in asked["input"]]
    data = [
        {"object": "embedding", "index": place, "embedding": vector}
        for place, vector in enumerate(vectors)
    ]
    tokens = sum(len(text.split()) for text in asked["input"])
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return 200, {"object": "list", "model": asked["model"], "data": data[::-1], "usage": usage}


LETTERS = "abcdefghijklmnopqrstuvwxyz"


def chat(body: bytes) -> tuple[int, Any]:
    """Answer as a chat service does: a token for each word, and the last message back."""
    asked = json.loads(body)
    said = asked["messages"][-1]["content"]
    given = sum(len(each["content"].split()) for each in asked["messages"])
    usage = {"prompt_tokens": given, "completion_tokens": len(said.split())}
    message = {"role": "assistant", "content": said}
    return 200, {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": asked["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage | {"total_tokens": sum(usage.values())},
    }
