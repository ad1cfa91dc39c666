"""What has arrived of an answer, shown while the rest is still coming."""

import time
from collections.abc import Callable
from typing import Any

from pydantic_core import from_json

from video_assets.services.paid_call import Billing

EVERY_S = 2.0


class PartialAnswer:
    """Shows whole values of a text that is not whole yet, seldom enough for the database."""

    def __init__(
        self, billing: Billing, model: str, shape: Callable[[Any], Any] = lambda document: document
    ) -> None:
        """Show what `shape` makes of the text's document, in the contract's form."""
        self._billing, self._model, self._shape = billing, model, shape
        self._shown_at: float | None = None

    def show(self, text: str) -> None:
        """Show what can be read of a text, unless something was shown just now."""
        now = time.monotonic()
        if self._shown_at is not None and now - self._shown_at < EVERY_S:
            return
        try:
            document = self._shape(from_json(text, allow_partial=True))
        except ValueError:
            return  # it will not become an answer; whoever reads the whole says why
        if isinstance(document, dict) and document:
            self._billing.show_partial(self._model, document)
            self._shown_at = now
