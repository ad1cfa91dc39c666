"""Clips of a few bytes whose files lie in an object store, and machines that share it."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from video_assets.artifact_place import GB
from video_assets.storage import ledger
from video_assets.storage.artifact_cache import Cache
from video_assets.storage.artifact_copies import Copies
from video_assets.storage.artifact_store import ArtifactStore
from video_assets.storage.artifacts import ArtifactFolder
from video_assets.storage.copies_cleanup import CopiesCleaner
from video_assets.storage.deletions import Outcome, Wish
from video_assets.storage.objects import Objects
from video_assets_tests.storage.kept import MADE, Kept


@dataclass
class Stored:
    """One machine with an object store behind its artifact folder.

    kept  its catalogue and its folder
    """

    kept: Kept
    objects: Objects
    limit_bytes: int = GB
    store: ArtifactStore = field(init=False)

    def __post_init__(self) -> None:
        copies = Copies(self.kept.catalogue, self.objects)
        cache = Cache(self.kept.root, self.objects, copies, self.limit_bytes)
        self.store = ArtifactStore(copies, cache)

    @property
    def cache(self) -> Cache:
        return self.store.cache

    def elsewhere(self, root: Path) -> "Stored":
        """Another machine, whose folder is empty."""
        return Stored(replace(self.kept, root=root), self.objects)

    def make(self, checksum: str, asset: str, *, saved: bool = True, **files: bytes) -> list[str]:
        """Do what a worker does: write files, put them into the store, and save the result."""
        folder = ArtifactFolder.of(self.kept.root, checksum, asset)
        names = [folder.write(f"{name}.bin", data) for name, data in files.items()]
        folder.sweep()
        document = {"files": [{"name": name} for name in names]}
        made = self.store.publish(checksum, asset, document)
        if saved:
            ledger.save_done(
                self.kept.catalogue,
                asset=asset,
                checksum=checksum,
                made=MADE,
                document=document,
                problems={},
                seconds=0.1,
                cpu_seconds=0.1,
                run_id="run",
                files=made,
            )
        return names

    def there(self) -> list[str]:
        """What the catalogue says lies in the store."""
        query = "SELECT key FROM private.artifact_copies WHERE store = %s AND done_at IS NOT NULL"
        return sorted(row["key"] for row in self.kept.rows(query, self.objects.name))

    def cleaner(self, wait_s: float = 0.0, *, dry_run: bool = False) -> CopiesCleaner:
        """What cleans up the store."""
        wish = Wish("test", wait_s, dry_run)
        return CopiesCleaner(self.kept.catalogue, self.objects, wish)

    def clean(self, wait_s: float = 0.0, *, dry_run: bool = False) -> Outcome:
        """Clean up the store."""
        return self.cleaner(wait_s, dry_run=dry_run).clean()
