"""Opening a model that costs money: its price, its account and the limits that it has."""

from collections.abc import Callable
from dataclasses import dataclass

from blake3 import blake3

from video_assets.services.batched_call import BatchedModel, Box
from video_assets.services.naming import is_here
from video_assets.services.paid_call import Billing, PaidModel
from video_assets.services.prices import FREE, Price
from video_assets.settings import RateLimit, load_settings

DIGEST_LENGTH = 32
NO_LIMIT = RateLimit(requests_per_minute=None)


@dataclass(frozen=True)
class Payment:
    """Who pays for what is asked about a clip, and the sign of life while that waits."""

    billing: Billing
    beat: Callable[[], None]


def open_model(
    provider: str,
    model: str,
    address: str,
    key: str,
    *,
    price: Price,
    billing: Billing,
    beat: Callable[[], None],
    usual: RateLimit | None = None,
    box: Box | None = None,
) -> PaidModel:
    """Make a model ready to be asked with one key.

    address  of the service
    usual    limits where the settings name none; None: those of a costly model
    box      where it is handed batches; None: it is asked directly
    """
    if usual is None:
        usual = RateLimit() if price.as_of else NO_LIMIT  # what is free has nobody else to mind
    limit = load_settings().rate_limits.get(provider, usual)
    account = blake3(f"{provider}\n{address}\n{key}".encode()).hexdigest()[:DIGEST_LENGTH]
    # One that charges passes on what it is asked, wherever it stands itself.
    to_here = is_here(address) and price == FREE
    if box is None:
        return PaidModel(provider, model, account, price, limit, billing, beat, to_here)
    how = (price.in_batch(), limit, billing, beat, to_here)
    return BatchedModel(provider, model, account, *how, box=box, address=address)
