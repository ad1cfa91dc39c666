"""Claude's Message Batches API on loopback: takes batches, and answers them after some looks."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

Result = Mapping[str, Any]
Outcome = Callable[[dict[str, Any], set[str]], Result]
ROOT = "/v1/messages/batches"


@dataclass
class Batch:
    """One batch, and how often it was looked at."""

    id: str
    requests: list[dict[str, Any]]
    created_at: datetime
    results: list[Result]
    is_canceled: bool = False
    looks: int = 0


@dataclass
class ClaudeBatches:
    """What was handed in, what comes of it in turn (the last for ever), and what was asked.

    looks   at a batch before it has ended
    slow_s  between the moment at which a batch is taken and the answer that says so
    refuses  status and kind of errors with which batches are refused, one after the other
    """

    url: str = ""
    looks: int = 1
    slow_s: float = 0.0
    outcomes: list[Outcome] = field(default_factory=list)
    refuses: list[tuple[int, str]] = field(default_factory=list)
    made: list[Batch] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    cached: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    @property
    def charged(self) -> list[dict[str, int]]:
        """The tokens of every request that it charges for."""
        return [
            result["message"]["usage"]
            for batch in self.made
            for result in batch.results
            if result["type"] == "succeeded" and not batch.is_canceled
        ]

    def serve(self, method: str, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        """Answer one request."""
        self.asked.append(f"{method} {path.removeprefix(ROOT)}")
        rest = path.removeprefix(ROOT).strip("/").split("/")
        if rest == [""]:
            return self._create(json.loads(body)) if method == "POST" else self._list()
        batch = next((each for each in self.made if each.id == rest[0]), None)
        if batch is None or batch.id in self.deleted:
            return _error(404, "not_found_error", f"batch {rest[0]} not found")
        if method == "DELETE":
            return self._delete(batch)
        if rest[1:] == ["cancel"]:
            batch.is_canceled = True
        if rest[1:] == ["results"]:
            lines = (json.dumps(each) + "\n" for each in self._results(batch))
            return 200, "".join(lines).encode()
        batch.looks += 1
        return 200, json.dumps(self._shown(batch)).encode()

    def _create(self, document: dict[str, Any]) -> tuple[int, bytes]:
        if self.refuses:
            status, kind = self.refuses.pop(0)
            return _error(status, kind, "no")
        (request,) = document["requests"]
        if set(request) != {"custom_id", "params"} or not 1 <= len(request["custom_id"]) <= 64:
            self.faults.append(f"no request: {sorted(request)}")
        if "stream" in request["params"]:
            self.faults.append("stream is not taken in a batch")
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        batch = Batch(
            id=f"msgbatch_{len(self.made) + 1:024d}",
            requests=[request],
            created_at=datetime.now(timezone.utc),
            results=[outcome(request["params"], self.cached)],
        )
        self.made.append(batch)
        time.sleep(self.slow_s)
        return 200, json.dumps(self._shown(batch)).encode()

    def _delete(self, batch: Batch) -> tuple[int, bytes]:
        if not self._is_over(batch):
            return _error(400, "invalid_request_error", "cancel it first")
        self.deleted.append(batch.id)
        return 200, json.dumps({"id": batch.id, "type": "message_batch_deleted"}).encode()

    def _list(self) -> tuple[int, bytes]:
        there = [each for each in reversed(self.made) if each.id not in self.deleted]
        page = {
            "data": [self._shown(each) for each in there],
            "has_more": False,
            "first_id": there[0].id if there else None,
            "last_id": there[-1].id if there else None,
        }
        return 200, json.dumps(page).encode()

    def _is_over(self, batch: Batch) -> bool:
        return batch.is_canceled or batch.looks > self.looks

    def _results(self, batch: Batch) -> Iterator[Result]:
        for request, result in zip(batch.requests, batch.results, strict=True):
            shown = {"type": "canceled"} if batch.is_canceled else result
            yield {"custom_id": request["custom_id"], "result": shown}

    def _shown(self, batch: Batch) -> dict[str, Any]:
        is_over = self._is_over(batch)
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        for each in self._results(batch):
            counts[each["result"]["type"] if is_over else "processing"] += 1
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if is_over else "in_progress",
            "request_counts": counts,
            "created_at": batch.created_at.isoformat(),
            "expires_at": (batch.created_at + timedelta(hours=24)).isoformat(),
            "ended_at": batch.created_at.isoformat() if is_over else None,
            "cancel_initiated_at": None,
            "archived_at": None,
            "results_url": f"{self.url}{ROOT}/{batch.id}/results" if is_over else None,
        }


def answers(
    text: str, usage_of: Callable[..., dict[str, int]], reason: str = "end_turn"
) -> Outcome:
    """Answer a request with a text."""

    def outcome(params: dict[str, Any], cached: set[str]) -> Result:
        usage = usage_of(params, cached) | {"output_tokens": len(text) // 4}
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": params["model"],
            "content": [{"type": "text", "text": text}],
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": usage,
        }
        return {"type": "succeeded", "message": message}

    return outcome


def errs(kind: str, message: str = "no") -> Outcome:
    """Answer a request with an error."""
    error = {"type": "error", "error": {"type": kind, "message": message}, "request_id": None}
    return lambda params, cached: {"type": "errored", "error": error}


def expires(params: dict[str, Any], cached: set[str]) -> Result:
    """Leave a request unanswered."""
    return {"type": "expired"}


def _error(status: int, kind: str, message: str) -> tuple[int, bytes]:
    error = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return status, json.dumps(error).encode()
