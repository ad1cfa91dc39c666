"""Claude's Message Batches: requests that are answered within a day, at half the price."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from video_assets.services.batched_call import HANDING_S, AwaitedError, EndedError
from video_assets.services.client_errors import Errors
from video_assets.services.paid_call import Reply
from video_assets.services.service_errors import BrokenError, NotTakenError

CLOCKS_S = 600.0  # by which its clock and ours may differ
AT_ONCE = 100  # of a list
_OF_THE_INPUT = "invalid_request_error"
_ENDED = {"expired": "its batch expired after 24 hours", "canceled": "its batch was cancelled"}


@dataclass(frozen=True)
class ClaudeBox:
    """The batches of one key.

    read  reads the message of an answer; raises ServiceError
    """

    client: Any
    library: Any
    secret: str
    read: Callable[[Any], Reply]

    def post(self, name: str, body: dict[str, Any]) -> str:
        """Hand in one request, and give the batch. Raises ServiceError."""
        with Errors(self.library, self.secret).told():
            request = {"custom_id": name, "params": body}
            return self.client.messages.batches.create(requests=[request]).id

    def find(self, name: str, since: datetime, known: frozenset[str]) -> str | None:
        """Give the batch that holds a name; what a batch holds is only told once it has ended."""
        is_out = False
        for batch in self._handed_in(since, known):
            if batch.processing_status != "ended":
                is_out = True
            elif self._holds(batch.id, name):
                return batch.id
        if is_out:
            raise AwaitedError(
                "anthropic has a batch that may be of this clip, and tells of it once it has ended",
                datetime.now(timezone.utc) + timedelta(seconds=HANDING_S),
            )
        return None

    def is_over(self, batch: str) -> bool:
        """Tell whether a batch has ended."""
        with self._told():
            found = self.client.messages.batches.retrieve(batch)
        if found.archived_at is not None:
            raise EndedError("the answer of its batch is not kept any more", is_billed=True)
        return found.processing_status == "ended"

    def answer(self, batch: str) -> Reply:
        """Read the answer of a batch that is over."""
        results = self._results(batch)
        if not results:
            raise EndedError("its batch is empty", is_billed=True)
        result = results[0].result
        if result.type == "succeeded":
            return self._read(result.message)
        if result.type in _ENDED:
            raise EndedError(_ENDED[result.type])
        said = f"{result.error.error.type}: {result.error.error.message}"
        if result.error.error.type != _OF_THE_INPUT:
            raise EndedError(f"its batch failed ({said})")
        raise NotTakenError(said)

    def withdraw(self, batch: str) -> None:
        """Cancel a batch."""
        cancel(self.client, self.library, self.secret, batch)

    def discard(self, batch: str) -> None:
        """Delete a batch, which would be kept for 29 days."""
        with self._told():
            self.client.messages.batches.delete(batch)

    def _handed_in(self, since: datetime, known: frozenset[str]) -> list[Any]:
        """List the batches of that time that nobody knows; it lists the newest first."""
        begin = since - timedelta(seconds=CLOCKS_S)
        end = since + timedelta(seconds=CLOCKS_S + HANDING_S)
        found: list[Any] = []
        with self._told():
            for batch in self.client.messages.batches.list(limit=AT_ONCE):
                if batch.created_at < begin:
                    break
                if batch.created_at <= end and batch.id not in known:
                    found.append(batch)
        return found

    def _read(self, message: Any) -> Reply:
        try:
            return self.read(message)
        except BrokenError as error:
            raise EndedError(str(error), is_billed=True) from None

    def _holds(self, batch: str, name: str) -> bool:
        with suppress(EndedError):
            return any(each.custom_id == name for each in self._results(batch))
        return False

    def _results(self, batch: str) -> list[Any]:
        with self._told():
            return list(self.client.messages.batches.results(batch))

    def _told(self) -> AbstractContextManager[None]:
        return _told(self.library, self.secret)


def cancel(client: Any, library: Any, secret: str, batch: str) -> None:
    """Cancel a batch; what of it is being answered is answered, and charged.

    Raises ServiceError and EndedError.
    """
    with _told(library, secret):
        client.messages.batches.cancel(batch)


@contextmanager
def _told(library: Any, secret: str) -> Iterator[None]:
    """Raise EndedError for a batch that is not there any more, and ServiceError otherwise."""
    with Errors(library, secret).told():
        try:
            yield
        except library.NotFoundError:
            said = "it does not know its batch any more"
            raise EndedError(said, is_billed=True) from None
