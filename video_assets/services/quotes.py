"""What a paid step will cost before it runs: each analyzer's own estimate for one clip."""

from dataclasses import dataclass

from video_assets.services.prices import Usage


@dataclass(frozen=True)
class QuoteFacts:
    """What is known of a clip before anything was measured of it."""

    duration_s: float
    has_sound: bool


@dataclass(frozen=True)
class Quote:
    """What one clip is likely to take of a service.

    provider, model, base_url  as price_of takes them
    usage                      of all calls for the clip together
    sends                      kinds of data that leave this machine, such as "the proxy's picture"
    assumes                    how the usage was estimated, such as "300 tokens a second of video"
    calls                      requests for the clip
    in_batch                   whether they are handed in as batches
    """

    provider: str
    model: str
    usage: Usage
    base_url: str | None
    sends: tuple[str, ...]
    assumes: str = ""
    calls: int = 1
    in_batch: bool = False
