"""One paid call: reserved, sent, tried again where that may help, settled, and never paid twice."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Protocol, TypeVar
from uuid import UUID

import stamina

from video_assets.media.errors import PostponedError, RefusedByServiceError, UnreachableError
from video_assets.services.outgoing import refuse_local_only
from video_assets.services.prices import Price, Usage
from video_assets.services.service_errors import (
    AccountError,
    BlockedError,
    BrokenError,
    BusyError,
    CutShortError,
    NotTakenError,
    ServiceError,
)
from video_assets.settings import RateLimit

ATTEMPTS = 4
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0  # a service that asks for more is left alone, and its clips wait
BEAT_S = 1.0  # between two signs of life while the limits of the account are full

Outcome = Literal["answered", "invalid", "refused", "rate_limited", "failed", "cancelled"]
Made = TypeVar("Made")


class Billing(Protocol):
    """Whoever pays: storage.ai_calls.Billing."""

    @property
    def is_local_only(self) -> bool: ...  # noqa: D102
    @property
    def batches(self) -> Any: ...  # noqa: D102
    def earlier(self, request: str) -> Any: ...  # noqa: D102
    def reserve(  # noqa: D102
        self,
        *,
        provider: str,
        model: str,
        account: str,
        request: str,
        usd: Decimal,
        tokens: int,
        prices_as_of: date | None,
        is_price_known: bool,
        requests_a_minute: int | None,
        tokens_a_minute: int | None,
        is_trial: bool = False,
        address: str | None = None,
    ) -> UUID | float: ...
    def settle(  # noqa: D102
        self,
        call: UUID,
        outcome: Outcome,
        *,
        usd: Decimal,
        input_tokens: int = 0,
        cached_tokens: int = 0,
        output_tokens: int = 0,
        latency_s: float | None = None,
        error: str | None = None,
        answer: Any = None,
    ) -> None: ...
    def mark_invalid(self, call: UUID, error: str) -> None: ...  # noqa: D102
    def note_trouble(  # noqa: D102
        self,
        account: str,
        provider: str,
        reason: str,
        *,
        patience: int = ...,
        pause_s: float | None = None,
    ) -> datetime | None: ...
    def forget_trouble(self, account: str) -> None: ...  # noqa: D102
    def show_partial(self, model: str, document: dict[str, Any]) -> None: ...  # noqa: D102
    def hide_partial(self) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class Reply:
    """What a service answered, and for how many tokens it charges."""

    answer: Any
    usage: Usage
    seconds: float = 0.0
    usd: Decimal = Decimal(0)
    call: UUID | None = None


@dataclass(frozen=True)
class PaidModel:
    """One model of one service, as one key may use it.

    account  digest of provider, address and key: what shares a rate limit
    beat     called while it waits, so that nobody takes the worker for hung
    is_here  whether it is on this machine, so that nothing leaves it
    """

    provider: str
    model: str
    account: str
    price: Price
    limit: RateLimit
    billing: Billing
    beat: Callable[[], None]
    is_here: bool = False

    def ask(
        self,
        request: str,
        most: Usage,
        send: Callable[[], Reply],
        prepare: Callable[[], None] | None = None,
    ) -> Reply:
        """Send one request, or give what was answered to it before.

        request  digest of all that is asked
        most     tokens that it takes and gives at most
        send     makes one attempt; raises ServiceError
        prepare  does beforehand what takes long and costs nothing, such as an upload; raises
                 ServiceError

        Raises PostponedError when a cap, the service's state or the clip's folder forbids to ask
        now, UnreachableError when the service stays busy or broken, and RefusedByServiceError when
        it declines.
        """
        refuse_local_only(self.billing, to_here=self.is_here)
        if (earlier := self._earlier(request)) is not None:
            return earlier
        return self._persist(lambda: self._attempt(request, most, send, prepare))

    def one_clip(self) -> AbstractContextManager[None]:
        """Enclose all that is asked about the clip."""
        return nullcontext()

    @property
    def _address(self) -> str | None:
        """Where calls are handed in as batches; None: they are asked directly."""
        return None

    def _persist(self, attempt: Callable[[], Made]) -> Made:
        """Try again where that may help; raises what `ask` does."""
        try:
            for each in stamina.retry_context(
                on=_pause_before_retry,
                attempts=ATTEMPTS,
                timeout=None,
                wait_initial=FIRST_WAIT_S,
                wait_max=LONGEST_WAIT_S,
            ):
                with each:
                    return attempt()
        except (BlockedError, NotTakenError) as error:
            raise RefusedByServiceError(self._refusal(error)) from None
        except ServiceError as error:
            self._give_up(error)
        raise AssertionError("unreachable")

    def _earlier(self, request: str) -> Reply | None:
        found = self.billing.earlier(request)
        if found is None:
            return None
        if found.outcome == "refused":
            raise RefusedByServiceError(found.error)
        tokens = Usage(found.input_tokens, found.cached_tokens, output_tokens=found.output_tokens)
        return Reply(found.answer, tokens, usd=found.usd, call=found.call)

    def _attempt(
        self,
        request: str,
        most: Usage,
        send: Callable[[], Reply],
        prepare: Callable[[], None] | None,
    ) -> Reply:
        if prepare is not None:
            # What a cap forbids need not be uploaded; and a call that waits for its upload would
            # not be sent in the minute in which it counts.
            self._try_to_reserve(request, most, is_trial=True)
            prepare()
        call = self._reserve(request, most)
        began = time.monotonic()
        try:
            reply = send()
        except BaseException as error:
            self._settle_failed(call, error, most, time.monotonic() - began)
            raise
        return self._settle_answered(call, reply, time.monotonic() - began)

    def _settle_answered(self, call: UUID, reply: Reply, seconds: float) -> Reply:
        usd, tokens = self.price.of(reply.usage), _tokens(reply.usage)
        self.billing.settle(
            call, "answered", usd=usd, latency_s=seconds, answer=reply.answer, **tokens
        )
        self.billing.forget_trouble(self.account)
        return Reply(reply.answer, reply.usage, seconds, usd, call)

    def _reserve(self, request: str, most: Usage) -> UUID:
        """Wait until the limits of the account allow one more call."""
        while True:
            found = self._try_to_reserve(request, most)
            if isinstance(found, UUID):
                return found
            until = time.monotonic() + found
            while (left := until - time.monotonic()) > 0:
                self.beat()
                time.sleep(min(left, BEAT_S))

    def _try_to_reserve(self, request: str, most: Usage, *, is_trial: bool = False) -> UUID | float:
        return self.billing.reserve(
            provider=self.provider,
            model=self.model,
            account=self.account,
            request=request,
            usd=self.price.of(most),
            tokens=most.input_tokens + most.output_tokens,
            prices_as_of=self.price.as_of,
            is_price_known=self.price.is_known,
            requests_a_minute=self.limit.requests_per_minute,
            tokens_a_minute=self.limit.tokens_per_minute,
            is_trial=is_trial,
            address=self._address,
        )

    def _settle_failed(self, call: UUID, error: BaseException, most: Usage, seconds: float) -> None:
        used, said = Usage(), str(error) or type(error).__name__
        outcome: Outcome = "failed"
        if isinstance(error, BlockedError):
            used, outcome = _charged(error), "refused"
        elif isinstance(error, NotTakenError):
            outcome = "refused"
        elif isinstance(error, BusyError):
            outcome = "rate_limited"
        elif not isinstance(error, ServiceError) or error.is_billed:
            used = most  # it was sent, and nobody knows what of it is charged
            outcome = "failed" if isinstance(error, Exception) else "cancelled"
        if isinstance(error, BlockedError | NotTakenError):
            said = self._refusal(error)
        usd, tokens = self.price.of(used), _tokens(used)
        self.billing.settle(call, outcome, usd=usd, latency_s=seconds, error=said, **tokens)

    def _refusal(self, error: BlockedError | NotTakenError) -> str:
        if isinstance(error, CutShortError):
            return f"{self.provider}: {error}"
        said = "declines" if isinstance(error, BlockedError) else "does not take this"
        return f"{self.provider} {said}: {error}"

    def _give_up(self, error: ServiceError) -> None:
        """Leave the clip for later, and after some such failures the service too."""
        how: dict[str, Any] = {}
        if isinstance(error, AccountError):
            how = {"patience": 1}
        elif isinstance(error, BusyError) and (error.retry_after_s or 0) > LONGEST_WAIT_S:
            how = {"pause_s": error.retry_after_s}
        reason = f"{self.provider} is left alone for a while: {error}"
        until = self.billing.note_trouble(self.account, self.provider, reason, **how)
        if until is not None:
            raise PostponedError(reason, until) from None
        raise UnreachableError(f"{self.provider}: {error}; run again later") from None


def _pause_before_retry(error: Exception) -> bool | float:
    """Tell whether another attempt may help, and after how long if the service says so."""
    if isinstance(error, BusyError) and error.retry_after_s is not None:
        return error.retry_after_s if error.retry_after_s <= LONGEST_WAIT_S else False
    return isinstance(error, BusyError | BrokenError)


def _charged(error: BlockedError) -> Usage:
    return Usage(
        error.input_tokens,
        error.cached_tokens,
        error.written_tokens,
        error.audio_tokens,
        error.output_tokens,
    )


def _tokens(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
    }
