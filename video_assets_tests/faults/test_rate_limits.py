"""Two processes share the limits of an account: no minute that the service sees holds more.

The service counts what arrives, so this takes as long as the window is.
"""

import multiprocessing
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

from video_assets.services.paid_call import PaidModel
from video_assets.services.prices import FREE, Usage
from video_assets.settings import RateLimit
from video_assets.storage.ai_calls import Billing, Caps
from video_assets.storage.postgres import Postgres
from video_assets_tests import paying
from video_assets_tests.services.loopback import chat, serve
from video_assets_tests.storage.kept import Kept

MINUTE_S = 60.0
REQUESTS, MORE_REQUESTS = 12, 4
TOKENS, TOKENS_OF_ONE, MORE_TOKENS = 40, 4, 8
MOST = Usage(5, output_tokens=5)  # of which four are used: "two words", and back


@dataclass(frozen=True)
class Share:
    """What one process asks: so many requests of one account, about clips of its own."""

    catalogue: Postgres
    clips: tuple[str, ...]
    url: str
    account: str
    limit: RateLimit


_ready: Any = None  # in a process that asks: the barrier at which all of them begin


def take_barrier(barrier: Any) -> None:
    global _ready
    _ready = barrier


def ask(share: Share) -> None:
    # A reserved call has five seconds to arrive, in which no busy machine has to make a client; nor
    # has the slowest process to load in the half minute in which a limit has to be used.
    paying.open_client(share.url)
    _ready.wait(120)
    for clip in share.clips:
        billing = Billing(share.catalogue, clip, "opinion", None, Caps())
        model = PaidModel(
            *("tests", share.account, share.account, FREE, share.limit, billing),
            beat=lambda: None,
        )
        model.ask(clip, MOST, lambda: paying.send(share.url, "two words", share.account))


def test_no_minute_that_a_service_sees_holds_more_than_its_limits(catalogue, tmp_path):
    kept = Kept(catalogue, tmp_path / "artifacts", tmp_path / "footage")
    arrived: dict[str, list[float]] = {"by requests": [], "by tokens": []}
    one_at_a_time = threading.Lock()

    def count(body: bytes) -> tuple[int, Any]:
        status, document = chat(body)
        with one_at_a_time:
            arrived[document["model"]].append(time.monotonic())
        return status, document

    def clips(number: int) -> tuple[str, ...]:
        return tuple(kept.clip(uuid.uuid4().hex) for _ in range(number))

    limits = {
        "by requests": RateLimit(requests_per_minute=REQUESTS),
        "by tokens": RateLimit(requests_per_minute=None, tokens_per_minute=TOKENS),
    }
    number = {
        "by requests": REQUESTS + MORE_REQUESTS,
        "by tokens": (TOKENS + MORE_TOKENS) // TOKENS_OF_ONE,
    }
    with serve() as service:
        service.answers = [count]
        shares = [
            Share(catalogue, clips(number[account] // 2), service.url, account, limit)
            for account, limit in limits.items()
            for _ in range(2)
        ]
        context = multiprocessing.get_context("spawn")
        given = (context.Barrier(len(shares)),)
        with context.Pool(len(shares), initializer=take_barrier, initargs=given) as pool:
            pool.map(ask, shares, chunksize=1)
    assert {account: len(times) for account, times in arrived.items()} == number
    most = {"by requests": REQUESTS, "by tokens": TOKENS // TOKENS_OF_ONE}
    for account, times in arrived.items():
        for begin in times:
            within = [each for each in times if begin <= each <= begin + MINUTE_S]
            assert len(within) <= most[account], account
        # They are used: a limit that lets nobody through would keep any limit.
        assert len([each for each in times if each < times[0] + 30]) >= most[account] - 2
