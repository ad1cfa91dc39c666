"""What has arrived of an answer that is still coming, for whoever looks at the catalogue."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pydantic_core import from_json

from video_assets.services.paid_call import Billing

EVERY_S = 2.0

Show = Callable[[str, Callable[[Any], Any]], None]
"""Called with all the text that has arrived, and with what makes the contract's shape of it."""


@contextmanager
def shown(billing: Billing, model: str, *, is_wanted: bool) -> Iterator[Show]:
    """Give what shows parts of answers; when no whole one comes of it, they are taken away."""
    shown_at = float("-inf")

    def show(text: str, shape: Callable[[Any], Any]) -> None:
        nonlocal shown_at
        if not is_wanted or time.monotonic() - shown_at < EVERY_S:
            return
        document = shape(_begun(text))
        if isinstance(document, dict) and document:
            billing.show_partial(model, document)
            shown_at = time.monotonic()

    try:
        yield show
    except BaseException:
        if shown_at > float("-inf"):
            billing.hide_partial()
        raise


def _begun(text: str) -> Any:
    try:
        return from_json(text, allow_partial=True)
    except ValueError:
        return None
