"""Opening a model that costs money: its price, its account and the limits that it has."""

from collections.abc import Callable

from blake3 import blake3

from video_assets.services.paid_call import Billing, PaidModel
from video_assets.services.prices import Price
from video_assets.settings import RateLimit, load_settings

DIGEST_LENGTH = 32
NO_LIMIT = RateLimit(requests_per_minute=None)


def open_model(
    provider: str,
    model: str,
    address: str,
    key: str,
    *,
    price: Price,
    billing: Billing,
    beat: Callable[[], None],
) -> PaidModel:
    """Make a model ready to be asked with one key.

    address  of the service
    """
    usual = RateLimit() if price.as_of else NO_LIMIT  # what is free has nobody else to mind
    limit = load_settings().rate_limits.get(provider, usual)
    account = blake3(f"{provider}\n{address}\n{key}".encode()).hexdigest()[:DIGEST_LENGTH]
    return PaidModel(provider, model, account, price, limit, billing, beat)
