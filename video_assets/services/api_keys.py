"""Which key a service is called with: nobody gets the key of another."""

from dataclasses import dataclass

from video_assets.services.naming import host_of
from video_assets.settings import load_settings

_OF_EMBEDDERS = {
    "api.deepinfra.com": ("DEEPINFRA_API_KEY", "deepinfra_api_key"),
    "api.openai.com": ("OPENAI_API_KEY", "openai_api_key"),
}
_ANY_EMBEDDER = ("VIDEO_ASSETS_EMBEDDING_API_KEY", "embedding_api_key")


@dataclass(frozen=True)
class ApiKey:
    """A key, and where it is looked for.

    variable   of the environment that may hold it
    is_needed  the service takes nothing without one
    """

    variable: str
    value: str | None
    is_needed: bool

    @property
    def shown(self) -> str | None:
        """The variable of a key that is needed or set."""
        return self.variable if self.is_needed or self.value else None


def embedding_key(base_url: str) -> ApiKey:
    """Find the key of a service that makes embeddings."""
    host, known = host_of(base_url), load_settings()
    variable, name = _OF_EMBEDDERS.get(host, _ANY_EMBEDDER)
    secret = getattr(known, name) or known.embedding_api_key
    value = secret.get_secret_value() if secret else None
    return ApiKey(variable, value, is_needed=host in _OF_EMBEDDERS)


def chat_key(base_url: str) -> ApiKey:
    """Find the key of a server whose models are asked about clips."""
    settings, is_openai = load_settings(), host_of(base_url) == "api.openai.com"
    secret = settings.openai_api_key if is_openai else settings.local_ai_api_key
    variable = "OPENAI_API_KEY" if is_openai else "VIDEO_ASSETS_LOCAL_AI_API_KEY"
    value = secret.get_secret_value() if secret else None
    return ApiKey(variable, value, is_needed=is_openai)


def speech_key(base_url: str) -> ApiKey:
    """Find the key of a service that writes down what is said."""
    secret = load_settings().speech_api_key
    value = secret.get_secret_value() if secret else None
    needs = host_of(base_url) == "api.openai.com"
    return ApiKey("VIDEO_ASSETS_SPEECH_API_KEY", value, is_needed=needs)
