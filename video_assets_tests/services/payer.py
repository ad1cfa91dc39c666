"""Somebody who pays: a clip in a real catalogue, and what its calls came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from video_assets.media.discovery import discover
from video_assets.settings import LOCAL_OWNER
from video_assets.storage.ai_calls import Billing, Caps
from video_assets.storage.postgres import Postgres
from video_assets.storage.registration import Registrar


@dataclass(frozen=True)
class Payer:
    """One clip of the local owner."""

    catalogue: Postgres
    checksum: str

    def billing(self, *, local_only: tuple[Path, ...] = (), **caps: Decimal) -> Billing:
        """Who pays for a transcript of it."""
        return Billing(self.catalogue, self.checksum, "transcript", "run", Caps(**caps), local_only)

    def calls(self) -> Sequence[dict[str, Any]]:
        """Every attempt, in turn."""
        with self.catalogue.transaction() as connection:
            return connection.execute(
                "SELECT * FROM ai_calls WHERE file_checksum = %s ORDER BY sent_at",
                (self.checksum,),
            ).fetchall()

    def forget_pauses(self) -> None:
        """Let a service be asked again at once."""
        with self.catalogue.transaction() as connection:
            connection.execute("DELETE FROM private.ai_pauses")


def payer(catalogue: Postgres, folder: Path) -> Payer:
    """Register a clip that nobody has seen."""
    path = folder / f"{uuid4()}.mp4"
    path.write_text(path.name)
    (found,) = Registrar(catalogue, LOCAL_OWNER, "blake3").register(discover([path]).candidates)
    assert found.checksum is not None
    return Payer(catalogue, found.checksum)
