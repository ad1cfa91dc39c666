"""Gemini's Batch API: requests that are answered within a day, at half the price."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from video_assets.services import gemini
from video_assets.services.batched_call import EndedError
from video_assets.services.gemini import Manner
from video_assets.services.gemini_errors import explain
from video_assets.services.paid_call import Reply
from video_assets.services.service_errors import BrokenError, NotTakenError

AT_ONCE = 100  # of a list
_ANSWERED = ("JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED")
_ENDED = {
    "JOB_STATE_FAILED": "its batch failed",
    "JOB_STATE_CANCELLED": "its batch was cancelled",
    "JOB_STATE_EXPIRED": "its batch expired after 48 hours",
}
_OF_THE_INPUT = (3, 400)  # INVALID_ARGUMENT, as a number of gRPC and of HTTP


@dataclass(frozen=True)
class GeminiBox:
    """The batches of one key."""

    client: Any
    manner: Manner

    def find(self, name: str, since: datetime, known: frozenset[str]) -> str | None:
        """Give the batch that was handed in under a name."""
        with _told():
            for batch in self.client.batches.list(config={"page_size": AT_ONCE}):
                if batch.display_name == name:
                    return batch.name
        return None

    def is_over(self, batch: str) -> bool:
        """Tell whether a batch has ended."""
        return self._state(self._get(batch)) in (*_ANSWERED, *_ENDED)

    def answer(self, batch: str) -> Reply:
        """Read the answer of a batch that is over."""
        found = self._get(batch)
        if (state := self._state(found)) in _ENDED:
            raise EndedError(_ENDED[state])
        answers = (found.dest and found.dest.inlined_responses) or ()
        if not answers:
            raise EndedError("its batch is empty", is_billed=True)
        if answers[0].error is None:
            return self._read(answers[0].response)
        said = f"{answers[0].error.code}: {answers[0].error.message}"
        if answers[0].error.code not in _OF_THE_INPUT:
            raise EndedError(f"its batch failed ({said})")
        raise NotTakenError(said)

    def withdraw(self, batch: str) -> None:
        """Cancel a batch."""
        cancel(self.client, batch)

    def discard(self, batch: str) -> None:
        """Delete a batch, with its answer."""
        with _told():
            self.client.batches.delete(name=batch)

    def _get(self, batch: str) -> Any:
        with _told():
            return self.client.batches.get(name=batch)

    def _state(self, batch: Any) -> str:
        return str(getattr(batch.state, "value", batch.state))

    def _read(self, response: Any) -> Reply:
        try:
            return gemini.read([response], self.manner, lambda _: None)
        except BrokenError as error:
            raise EndedError(str(error), is_billed=True) from None


def cancel(client: Any, batch: str) -> None:
    """Cancel a batch. Raises ServiceError and EndedError."""
    with _told():
        client.batches.cancel(name=batch)


@contextmanager
def _told() -> Iterator[None]:
    """Raise EndedError for a batch that is not there any more, and ServiceError otherwise."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - explain raises what is none of the client's
        if getattr(error, "code", None) == 404:
            said = "it does not know its batch any more"
            raise EndedError(said, is_billed=True) from None
        raise explain(error) from None
