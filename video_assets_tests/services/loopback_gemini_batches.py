"""Gemini's Batch API on loopback: takes batches of requests, and answers them after some looks."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Batch:
    """One batch: its name, the name it was given, its request, and what comes of it."""

    name: str
    display_name: str
    model: str
    request: dict[str, Any]
    inner: dict[str, Any]
    ending: str
    looks: int = 0
    is_over: bool = False


@dataclass
class GeminiBatches:
    """What was handed in, and what becomes of it.

    looks    at a batch before it has ended
    endings  states in which batches end in turn (the last for ever)
    slow_s   between the moment at which a batch is taken and the answer that says so
    refuses  errors with which batches are refused, one after the other
    """

    looks: int = 1
    endings: list[str] = field(default_factory=lambda: ["BATCH_STATE_SUCCEEDED"])
    slow_s: float = 0.0
    refuses: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    made: list[Batch] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def create(
        self, model: str, document: dict[str, Any], answer: Callable[[dict[str, Any]], Any]
    ) -> tuple[int, Any]:
        """Take a batch. answer: to the request in it, as an inlined response."""
        if self.refuses:
            return self.refuses.pop(0)
        batch = document["batch"]
        self.faults += [f"no batch: {sorted(batch)}"] * (
            set(batch) != {"displayName", "inputConfig"}
        )
        (item,) = batch["inputConfig"]["requests"]["requests"]
        ending = self.endings.pop(0) if len(self.endings) > 1 else self.endings[0]
        made = Batch(
            name=f"batches/{len(self.made) + 1:020d}",
            display_name=batch["displayName"],
            model=model,
            request=item["request"],
            inner=answer(item["request"]) if ending == "BATCH_STATE_SUCCEEDED" else {},
            ending=ending,
        )
        self.made.append(made)
        time.sleep(self.slow_s)
        return 200, self._shown(made)

    def look(self, name: str) -> tuple[int, Any]:
        """Show a batch, or all of them."""
        if name == "batches":
            return 200, {"operations": [self._shown(each) for each in self._there()]}
        batch = next((each for each in self._there() if each.name == name), None)
        if batch is None:
            return 404, _not_found(name)
        batch.looks += 1
        batch.is_over = batch.is_over or batch.looks > self.looks
        return 200, self._shown(batch)

    def end(self, name: str, *, is_deleted: bool) -> tuple[int, Any]:
        """Cancel a batch, or delete it."""
        batch = next((each for each in self._there() if each.name == name), None)
        if batch is None:
            return 404, _not_found(name)
        if is_deleted:
            self.gone.append(name)
        else:
            batch.is_over, batch.ending = True, "BATCH_STATE_CANCELLED"
            self.cancelled.append(name)
        return 200, {}

    def _there(self) -> Iterator[Batch]:
        return (each for each in self.made if each.name not in self.gone)

    def _shown(self, batch: Batch) -> dict[str, Any]:
        state = batch.ending if batch.is_over else "BATCH_STATE_RUNNING"
        about: dict[str, Any] = {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
            "model": f"models/{batch.model}",
            "displayName": batch.display_name,
            "state": state,
            "createTime": "2026-11-30T06:00:00.000000000Z",
            "updateTime": "2026-11-30T06:00:00.000000000Z",
            "batchStats": {"requestCount": "1"},
            "name": batch.name,
        }
        shown: dict[str, Any] = {"name": batch.name, "metadata": about}
        if state == "BATCH_STATE_SUCCEEDED":
            about["output"] = {"inlinedResponses": {"inlinedResponses": [batch.inner]}}
            shown |= {"done": True, "response": about["output"]}
        elif batch.is_over:
            shown |= {"done": True, "error": {"code": 13, "message": state}}
        return shown


def _not_found(name: str) -> dict[str, Any]:
    message = f"Requested entity was not found: {name}"
    return {"error": {"code": 404, "message": message, "status": "NOT_FOUND"}}
