"""What vectors of clips are likely to take of a service, before anything is known of the clips."""

from video_assets.services.embedder import TEXTS, EmbedderSettings
from video_assets.services.outgoing import SAID
from video_assets.services.prices import Usage, provider_of
from video_assets.services.quotes import Quote, QuoteFacts

SPOKEN_TOKENS_A_S = 3  # of somebody who speaks without a pause
KNOWN_TOKENS = 150  # of what is known of a clip beside what is said: place, camera, keywords


def quote_texts(facts: QuoteFacts, settings: EmbedderSettings) -> Quote | None:
    """Say what the two texts of one clip are likely to take."""
    said = SPOKEN_TOKENS_A_S * facts.duration_s if facts.has_sound else 0.0
    tokens = KNOWN_TOKENS + min(said, settings.token_limit)
    return _quote(settings, round(tokens), TEXTS)


def quote_moments(facts: QuoteFacts, settings: EmbedderSettings) -> Quote | None:
    """Say what the passages of one clip are likely to take."""
    if not facts.has_sound:
        return None
    return _quote(settings, round(SPOKEN_TOKENS_A_S * facts.duration_s), (SAID,))


def _quote(settings: EmbedderSettings, tokens: int, sends: tuple[str, ...]) -> Quote | None:
    if settings.engine != "openai_compatible":
        return None
    return Quote(
        provider=provider_of(settings.base_url),
        model=settings.model,
        usage=Usage(tokens),
        base_url=settings.base_url,
        sends=sends,
        assumes=f"somebody speaks all the time, {SPOKEN_TOKENS_A_S} tokens a second",
    )
