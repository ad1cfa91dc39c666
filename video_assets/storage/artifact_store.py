"""The artifact store: the folder of this machine, and the object store behind it, if any."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from video_assets.artifact_place import SUPABASE
from video_assets.settings import Settings, SettingsError
from video_assets.storage.artifact_cache import Cache
from video_assets.storage.artifact_copies import Copies
from video_assets.storage.artifact_digests import MadeFile
from video_assets.storage.objects import Objects, StoreError, open_objects
from video_assets.storage.own_copies import open_own_cache
from video_assets.storage.postgres import Postgres
from video_assets.storage.rest import RestCatalogue
from video_assets.storage.way_in import WayIn

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ArtifactStore:
    """What a step needs of an object store; it travels to workers."""

    copies: Copies
    cache: Cache

    def publish(self, checksum: str, asset: str, document: Any) -> tuple[MadeFile, ...]:
        """Put what a result names into the object store, before it is saved."""
        return self.copies.publish(self.cache.root, checksum, asset, document)


def open_store(settings: Settings, catalogue: Postgres) -> ArtifactStore | None:
    """Open the object store of the settings, as the service; None where the folder is all."""
    if settings.artifacts.url is None:
        return None
    objects = open_objects(settings, settings.artifacts.url)
    copies = Copies(catalogue, objects, settings.local_only)
    limit_bytes = settings.artifacts.cache_bytes
    return ArtifactStore(copies, Cache(settings.artifacts_dir, copies.objects, copies, limit_bytes))


def open_cache(settings: Settings, catalogue: WayIn | None) -> Cache:
    """Open the folder of this machine, to read from it and from whatever is behind it."""
    if isinstance(catalogue, RestCatalogue):
        return open_own_cache(settings, catalogue)
    store = open_store(settings, catalogue) if isinstance(catalogue, Postgres) else None
    return Cache(settings.artifacts_dir) if store is None else store.cache


def share(settings: Settings, catalogue: Postgres, checksums: Sequence[str]) -> None:
    """Give whoever has just registered known contents the files that were made of these.

    What a store that does not answer keeps from them, the next clean-up gives.
    """
    store = open_store(settings, catalogue) if checksums else None
    if store is not None:
        try:
            store.copies.share(checksums)
        except StoreError as error:
            _log.warning("%s", error)


def open_named(settings: Settings, name: str) -> Objects:
    """Open a store by what it is called in the catalogue.

    Raises SettingsError for a bucket of another project.
    """
    if not name.startswith("supabase://"):
        return open_objects(settings, name)
    objects = open_objects(settings, SUPABASE)
    if objects.name != name:
        raise SettingsError(f"{name} is in another project than SUPABASE_URL names")
    return objects
