"""Batches that services have not answered yet, about clips that are to go."""

from collections.abc import Sequence
from uuid import UUID

from video_assets.interfaces.cli.faults import tell
from video_assets.interfaces.cli.wording import counted
from video_assets.storage import batch_calls
from video_assets.storage.postgres import Postgres


def withdraw_batches(
    catalogue: Postgres, owner: UUID, checksums: Sequence[str] | None = None
) -> None:
    """Cancel what an owner waits for; of some contents, or all. Say what could not be cancelled."""
    out = batch_calls.out(catalogue, owner, checksums)
    if not out:
        return
    from video_assets.services.withdrawal import withdraw  # loads clients of services

    if failed := withdraw(out):
        tell(
            f"{counted(failed, 'question')} could not be withdrawn from a service: what it answers "
            "may be charged, and is not kept"
        )
