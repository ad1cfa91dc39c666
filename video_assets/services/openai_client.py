"""Services that speak OpenAI's protocol: a client that is kept, and what their refusals mean."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import openai

from video_assets.media.errors import MediaError, ToolMissingError, UnreachableError
from video_assets.services.local_models import keep
from video_assets.services.naming import is_here

RETRIES = 3
T = TypeVar("T")
_PASSING = {408, 409, 425, 429}  # and all from 500 on
_OF_THE_INPUT = {400, 413, 415, 422}


@dataclass(frozen=True)
class Service:
    """Where a service is, and how errors name what belongs to it.

    name    of the service, such as "speech service"
    given   what it is given, such as "sound"
    secret  the variable that holds its key
    """

    name: str
    given: str
    secret: str

    def open(self, base_url: str, key: str | None, timeout_s: float) -> openai.OpenAI:
        """Make a client, or give the one that this worker holds."""
        return keep(
            self.name,
            (base_url, timeout_s, key),
            lambda: openai.OpenAI(
                api_key=key or "none",
                base_url=base_url,
                timeout=timeout_s,
                max_retries=RETRIES,
                http_client=client_for(base_url),
            ),
        )

    def ask(self, request: Callable[[], T]) -> T:
        """Send a request.

        Raises UnreachableError for what passes, ToolMissingError for what the preset or the key
        must change, and MediaError if the service will not have what it was given.
        """
        try:
            return request()
        except openai.APIStatusError as error:
            raise self._refused(error.status_code) from None
        except openai.APIConnectionError as error:  # a timeout is one of them
            raise UnreachableError(
                f"the {self.name} cannot be reached ({type(error).__name__}); "
                "start it or check base_url and the network, then run again"
            ) from None

    def _refused(self, status: int) -> MediaError:
        if status in _PASSING or status >= 500:
            return UnreachableError(
                f"the {self.name} is busy or broken (HTTP {status}); run again later"
            )
        if status in _OF_THE_INPUT:
            return MediaError(f"the {self.name} refuses this {self.given} (HTTP {status})")
        return ToolMissingError(
            f"the {self.name} refuses the request (HTTP {status}); check base_url, model and "
            f"{self.secret}, then run again"
        )


def client_for(base_url: str) -> openai.DefaultHttpxClient | None:
    """Make a client that no proxy and no redirection leads from this machine to another."""
    if not is_here(base_url):
        return None
    return openai.DefaultHttpxClient(trust_env=False, follow_redirects=False)
