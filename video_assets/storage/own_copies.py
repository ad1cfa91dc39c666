"""Copies as their owner finds them: by what the project says of their files, and below their id."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from video_assets.artifact_place import BUCKET
from video_assets.settings import Settings
from video_assets.storage.artifact_cache import Cache
from video_assets.storage.artifact_copies import Kept
from video_assets.storage.artifact_digests import MadeFile
from video_assets.storage.rest import RestCatalogue

FileRows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class OwnCopies:
    """The copies of one owner in a project's bucket.

    ask  calls the function `artifact_files` of the project with names, as this owner
    """

    owner: UUID
    ask: Callable[[list[str]], FileRows]

    def find(self, names: Sequence[str], owner: UUID | None = None) -> dict[str, Kept]:
        """Say what files must be, and where a copy of each is: this owner's, unless told whose."""
        rows = self.ask(list(names)) if names else ()
        made = (MadeFile(row["name"], row["size_bytes"], row["blake3"]) for row in rows)
        return {each.name: Kept(each, each.key(owner or self.owner)) for each in made}

    def lose(self, key: str) -> None:
        """Leave it to the service to find out what is gone."""

    def is_in_hand(self, made: MadeFile) -> bool:
        """Nothing is made where somebody only reads."""
        return False

    def in_hand(self, checksums: Sequence[str]) -> set[str]:
        """Nothing is made where somebody only reads."""
        return set()


def open_own_cache(settings: Settings, catalogue: RestCatalogue) -> Cache:
    """Open the artifact folder of somebody who signed in; what lies in the project is fetched."""
    from video_assets.storage.supabase_objects import SupabaseObjects

    def ask(names: list[str]) -> FileRows:
        with catalogue.asking():
            return catalogue.client().rpc("artifact_files", {"names": names}).execute().data

    def token() -> SecretStr:
        client: Any = catalogue.client()
        return SecretStr(client.options.headers["Authorization"].removeprefix("Bearer "))

    client: Any = catalogue.client()
    objects = SupabaseObjects(catalogue.url, BUCKET, SecretStr(client.supabase_key), token)
    shelf = OwnCopies(catalogue.user, ask)
    return Cache(settings.artifacts_dir, objects, shelf, settings.artifacts.cache_bytes)
