"""Object stores: bytes below keys, on this machine or another one.

A key is used for the same bytes only, so that nothing of a store is ever changed: it is put there,
read and removed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from video_assets.artifact_place import BUCKET, SUPABASE
from video_assets.media.errors import UnreachableError
from video_assets.settings import Settings, SettingsError

CHUNK_BYTES = 1 << 20


class StoreError(UnreachableError):
    """The artifact store does not answer, or refuses; nothing is said of the clip."""


class NoObjectError(StoreError):
    """The artifact store lacks something; its key would tell whose it was."""

    def __init__(self, store: str) -> None:
        super().__init__(f"{store} lacks a file that it should have")


@dataclass(frozen=True)
class Upload:
    """A large upload, which is known by an address until it is finished.

    begun  where an earlier one was broken off, if it was
    note   called with the address of this one
    """

    begun: str | None
    note: Callable[[str], None]


class Objects(Protocol):
    """An object store."""

    @property
    def name(self) -> str:
        """What it is called in the catalogue: never the same for two stores."""
        ...

    @property
    def is_by_owner(self) -> bool:
        """Whether people read from it by themselves, so that keys begin with their id."""
        ...

    def put(self, key: str, path: Path, upload: Upload) -> None:
        """Put a file there."""
        ...

    def read(self, key: str) -> Iterator[bytes]:
        """Read what lies there; raises NoObjectError if that is nothing."""
        ...

    def copy(self, key: str, goal: str) -> None:
        """Put the same there under another key."""
        ...

    def remove(self, keys: Sequence[str]) -> None:
        """Remove these; what is not there is no error."""
        ...

    def link(self, key: str, valid_s: int) -> str:
        """Give an address by which anybody can read it for so long."""
        ...


def open_objects(settings: Settings, url: str) -> Objects:
    """Open the object store of an address, as the service; asks it nothing.

    Raises SettingsError where a key or a library is missing.
    """
    if url != SUPABASE:
        from video_assets.storage.fsspec_objects import FsspecObjects  # 0.2 s

        return FsspecObjects.of(url)
    from video_assets.storage.supabase_objects import SupabaseObjects

    project, key = settings.supabase_url, settings.supabase_secret_key
    if project is None or key is None:
        raise SettingsError(f"{SUPABASE} needs SUPABASE_URL and SUPABASE_SECRET_KEY")
    return SupabaseObjects(project, BUCKET, key)
