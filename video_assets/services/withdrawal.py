"""Withdrawing batches of clips that go: nobody will want their answers."""

import logging
from collections.abc import Iterable
from typing import Protocol

from video_assets.media.errors import ToolMissingError
from video_assets.services import claude, claude_batches, gemini, gemini_batches
from video_assets.services.batched_call import EndedError
from video_assets.services.service_errors import ServiceError

TIMEOUT_S = 10.0  # for each: whoever erases something waits for it

_log = logging.getLogger(__name__)


class Out(Protocol):
    """One batch that a service has: storage.batch_calls.Out."""

    @property
    def provider(self) -> str: ...  # noqa: D102
    @property
    def address(self) -> str: ...  # noqa: D102
    @property
    def batch(self) -> str: ...  # noqa: D102


def withdraw(batches: Iterable[Out]) -> int:
    """Cancel batches, and give how many could not be: their answers are paid and never fetched."""
    failed = 0
    for each in batches:
        try:
            _cancel(each)
        except EndedError:
            continue
        except (ServiceError, ToolMissingError) as error:
            failed += 1
            _log.warning("%s did not cancel %s: %s", each.provider, each.batch, error)
    return failed


def _cancel(out: Out) -> None:
    if out.provider == gemini.PROVIDER:
        client, _ = gemini.open_client(out.address, TIMEOUT_S)
        gemini_batches.cancel(client, out.batch)
    else:
        client, library = claude.open_client(out.address, TIMEOUT_S)
        claude_batches.cancel(client, library, claude.SECRET, out.batch)
