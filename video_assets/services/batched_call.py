"""Calls that are handed in as batches: each is charged less, and answered within a day.

Such a call stays open across processes. It is reserved, handed in under a name of its own, and its
clip is left for later; whoever comes back looks whether the answer is there. A process that is
killed before it has noted what the service calls the batch leaves the name by which that is found.
Each batch holds one request: services take many small ones as well as one large one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from video_assets.media.errors import PostponedError, RefusedByServiceError, UnreachableError
from video_assets.services.outgoing import refuse_local_only
from video_assets.services.paid_call import Made, PaidModel, Reply
from video_assets.services.prices import Usage
from video_assets.services.service_errors import BlockedError, NotTakenError, ServiceError

# Between two looks as long as it has waited so far, so that a batch is late by no more than its
# own time: most end within an hour, and none after two days.
FIRST_LOOK_S, LONGEST_LOOK_S = 60.0, 3600.0
HANDING_S = 600.0  # longer than a request to hand it in takes: what is not there then never was


class AwaitedError(PostponedError):
    """The answer is on its way."""


class EndedError(Exception):
    """A batch is over and holds no answer: it expired, was cancelled or failed.

    is_billed  whether it may have cost something: the service does not know it any more
    """

    def __init__(self, message: str, *, is_billed: bool = False) -> None:
        super().__init__(message)
        self.is_billed = is_billed


class Box(Protocol):
    """Where a service keeps batches."""

    def find(self, name: str, since: datetime, known: frozenset[str]) -> str | None:
        """Give the batch that was handed in under a name since then, if there is one.

        known  batches that belong to other calls

        Raises AwaitedError if that cannot be told yet, and ServiceError.
        """
        ...

    def is_over(self, batch: str) -> bool:
        """Tell whether a batch has ended. Raises ServiceError and EndedError."""
        ...

    def answer(self, batch: str) -> Reply:
        """Read the answer of a batch that is over. Raises ServiceError and EndedError."""
        ...

    def withdraw(self, batch: str) -> None:
        """Have a batch ended: nobody wants its answer. Raises ServiceError and EndedError."""
        ...

    def discard(self, batch: str) -> None:
        """Have a batch deleted that is over. Raises ServiceError and EndedError."""
        ...


class Parcel:
    """What a request refers to at the service, and has to be there until the batch is over."""

    def prepare(self) -> None:
        """Put it there. Raises ServiceError."""

    def hold(self) -> None:
        """Keep it there after this process."""

    def release(self) -> None:
        """Need it no more after this process."""

    def drop(self) -> None:
        """Remove it now: it is as old as the batch, and may go by itself soon."""


@dataclass(frozen=True, kw_only=True)
class BatchedModel(PaidModel):
    """One model of one service that is handed batches. price: of what is handed in so."""

    box: Box
    address: str

    def ask_later(
        self,
        request: str,
        most: Usage,
        post: Callable[[str], str],
        parcel: Parcel | None = None,
        fits: Callable[[NotTakenError], bool] = lambda _: False,
    ) -> Reply:
        """Give the answer to a request that was handed in, or hand it in.

        post  hands it in under a name, and gives what the service calls the batch; raises
              ServiceError
        fits  tells of one that was not taken whether `post` puts it in another form now

        Raises AwaitedError while there is no answer, and what `ask` raises.
        """
        refuse_local_only(self.billing, to_here=self.is_here)
        if (earlier := self._earlier(request)) is not None:
            return earlier
        parcel = parcel or Parcel()
        calls = self.billing.batches.waiting()
        out = next((each for each in calls if each.request == request), None)
        if out is not None and (reply := self._look(out, parcel, fits)) is not None:
            return reply
        self._persist(lambda: self._hand_in(request, most, post, parcel))
        raise self._awaited()

    @contextmanager
    def one_clip(self) -> Iterator[None]:
        """Read nothing of the clip while a batch for it is out, and withdraw what nobody asks now.

        Raises AwaitedError.
        """
        batches = self.billing.batches
        for each in batches.waiting():
            if each.made == batches.made and each.batch is not None:
                with suppress(EndedError):
                    self._await(each.batch, each.age_s)
        try:
            yield
        except AwaitedError:
            self._withdraw_others()
            raise
        self._withdraw_others()

    @property
    def _address(self) -> str:
        return self.address

    def _await(self, batch: str, age_s: float) -> None:
        """Raise AwaitedError while a batch is out."""
        if not self._reach(lambda: self.box.is_over(batch), age_s):
            raise self._awaited(age_s)

    def _reach(self, question: Callable[[], Made], age_s: float) -> Made:
        """Ask about what is out; while the service cannot be reached it is out all the same."""
        try:
            return self._persist(question)
        except UnreachableError as error:
            raise AwaitedError(str(error), _next_look(age_s)) from None

    def _hand_in(
        self, request: str, most: Usage, post: Callable[[str], str], parcel: Parcel
    ) -> None:
        self._try_to_reserve(request, most, is_trial=True)  # what a cap forbids is not uploaded
        parcel.prepare()
        call = self._reserve(request, most)
        parcel.hold()
        try:
            batch = post(_name(call))
        except ServiceError as error:
            if error.is_billed:  # it may have arrived: whoever comes back looks for it
                raise self._awaited() from None
            parcel.release()
            self._settle_failed(call, error, most, 0.0)
            raise
        self.billing.batches.note(call, batch)

    def _look(
        self, out: Any, parcel: Parcel, fits: Callable[[NotTakenError], bool]
    ) -> Reply | None:
        """Give the answer to what was handed in; None: it has none, and is handed in once more."""
        self.billing.batches.adopt(out.call)
        try:
            batch = out.batch or self._find(out)
            self._await(batch, out.age_s)
            reply = self._reach(lambda: self._answer(out, batch, fits), out.age_s)
        except EndedError as error:
            parcel.drop()
            self._settle_ended(out, error)
            if out.failures:
                said = f"{self.provider}: {error}, as the one before; run again later"
                raise UnreachableError(said) from None
            return None
        except RefusedByServiceError:
            parcel.release()
            raise
        parcel.release()
        return reply

    def _find(self, out: Any) -> str:
        """Find what was handed in by a process that ended before it heard of the batch."""
        batches = self.billing.batches
        known = batches.known(self.account, out.sent_at)
        batch = self._reach(lambda: self.box.find(_name(out.call), out.sent_at, known), out.age_s)
        if batch is None and out.age_s < HANDING_S:
            raise self._awaited(out.age_s)
        if batch is None:
            raise EndedError("the batch never arrived")
        batches.note(out.call, batch)
        return batch

    def _answer(self, out: Any, batch: str, fits: Callable[[NotTakenError], bool]) -> Reply:
        try:
            reply = self.box.answer(batch)
        except (BlockedError, NotTakenError) as error:
            if isinstance(error, NotTakenError) and fits(error):
                raise EndedError(f"it does not take the schema of the answer ({error})") from None
            self._settle_failed(out.call, error, Usage(), out.age_s)
            self._discard(batch)
            raise
        reply = self._settle_answered(out.call, reply, out.age_s)
        self._discard(batch)
        return reply

    def _discard(self, batch: str) -> None:
        with suppress(ServiceError, EndedError):  # then the service deletes it some weeks later
            self.box.discard(batch)

    def _settle_ended(self, out: Any, error: EndedError) -> None:
        usd = out.reserved_usd if error.is_billed else Decimal(0)
        self.billing.settle(out.call, "failed", usd=usd, latency_s=out.age_s, error=str(error))

    def _withdraw_others(self) -> None:
        """End what was handed in for this clip when it was to be made otherwise."""
        batches = self.billing.batches
        for each in batches.waiting():
            if each.made != batches.made:
                if each.batch is not None:
                    with suppress(ServiceError, EndedError):
                        self.box.withdraw(each.batch)
                batches.lose(each.call)

    def _awaited(self, age_s: float = 0.0) -> AwaitedError:
        # Without the name of the batch: the same words for all clips that wait, told once.
        return AwaitedError(
            f"{self.provider} answers in batches, within a day; `ingest` fetches what is there, "
            "and so do `dev` and `worker`",
            _next_look(age_s),
        )


def _next_look(age_s: float) -> datetime:
    pause_s = min(LONGEST_LOOK_S, max(FIRST_LOOK_S, age_s))
    return datetime.now(timezone.utc) + timedelta(seconds=pause_s)


def _name(call: UUID) -> str:
    return f"va-{call}"
