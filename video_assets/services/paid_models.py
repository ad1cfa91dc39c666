"""Opening a model that costs money, or one of a server of one's own that does not."""

from collections.abc import Callable

from blake3 import blake3

from video_assets.services.paid_call import Billing, PaidModel
from video_assets.services.prices import price_of
from video_assets.settings import RateLimit, load_settings

ACCOUNT_LENGTH = 32
NO_LIMIT = RateLimit(requests_per_minute=None)


def open_model(
    provider: str,
    model: str,
    *,
    key: str | None,
    billing: Billing,
    beat: Callable[[], None],
    base_url: str | None = None,
) -> PaidModel:
    """Give one model of one service, as one key may use it.

    provider  gemini, anthropic, openai, or the host of another service
    key       None: it takes none
    base_url  of a service that speaks OpenAI's protocol; one on this machine is free

    Raises ToolMissingError for a model of which no price is known.
    """
    price = price_of(provider, model, base_url)
    usual = RateLimit() if price.as_of else NO_LIMIT  # what is free has nobody else to mind
    limit = load_settings().rate_limits.get(provider, usual)
    account = blake3("\0".join((provider, base_url or "", key or "")).encode()).hexdigest()
    return PaidModel(provider, model, account[:ACCOUNT_LENGTH], price, limit, billing, beat)
