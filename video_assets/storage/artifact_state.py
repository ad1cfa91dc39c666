"""How the artifact store stands: whether it answers, what lies in it, and what does not yet."""

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosql

from video_assets.storage.artifact_store import ArtifactStore
from video_assets.storage.folder import Folder
from video_assets.storage.objects import NoObjectError, StoreError

queries: Any = aiosql.from_path(Path(__file__).with_suffix(".sql"), "psycopg")


@dataclass(frozen=True)
class StoreState:
    """An object store.

    trouble       why it cannot be read; None: it can
    elsewhere     files that it lacks, of which another store has a copy
    unknown       results whose files were never put into any store
    unneeded      objects that a clean-up would remove
    """

    name: str
    trouble: str | None
    files: int
    size_bytes: int
    elsewhere: int
    unknown: int
    unneeded: int
    cached_bytes: int
    cache_bytes: int

    @property
    def is_whole(self) -> bool:
        """Whether everything that results name lies in it."""
        return not self.elsewhere and not self.unknown


def look(store: ArtifactStore) -> StoreState:
    """Ask the store for something that is not there, and count what should be."""
    copies = store.copies
    with copies.catalogue.transaction() as connection:
        found = queries.state(connection, store=copies.objects.name)
        unknown = queries.unknown(connection)
    return StoreState(
        name=copies.objects.name,
        trouble=_trouble(store),
        unknown=unknown,
        cached_bytes=sum(item.size_bytes for item in Folder(store.cache.root).files()),
        cache_bytes=store.cache.limit_bytes,
        **found,
    )


def _trouble(store: ArtifactStore) -> str | None:
    try:
        for _ in store.copies.objects.read(f"{uuid.uuid4()}/none"):
            break
    except NoObjectError:
        return None
    except StoreError as error:
        return str(error)
    return None
