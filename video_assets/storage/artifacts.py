"""The artifact store on disk: files that analyzers make of a clip, in a folder of its own.

`<root>/<first two of the checksum>/<checksum>/<asset>/<name>`. A name in a result is relative to
the root, so that the store can move.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

UNFINISHED = ".part"


@dataclass(frozen=True)
class ArtifactFolder:
    """Where one asset keeps its files of one clip."""

    path: Path
    written: set[str] = field(default_factory=set, compare=False)

    @classmethod
    def of(cls, root: Path, checksum: str, asset: str) -> "ArtifactFolder":
        """Find the folder of one asset of one clip."""
        return cls(root / checksum[:2] / checksum / asset)

    def write(self, name: str, data: bytes) -> str:
        """Write a file whole or not at all, and give its name relative to the store's root.

        Raises OSError, with nothing left behind, when the disk is full.
        """
        self._prepare()
        unfinished = self.path / f"{name}{UNFINISHED}"
        try:
            with unfinished.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.path / name)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        self.written.add(name)
        return "/".join((*self.path.parts[-3:], name))

    def sweep(self) -> None:
        """Remove what an earlier result left here and this one has not written again."""
        if self.path.is_dir():
            for path in self.path.iterdir():
                if path.name not in self.written:
                    path.unlink(missing_ok=True)

    def path_of(self, name: str) -> Path:
        """Find a file by its name, with or without the folder in front."""
        return self.path / name.rpartition("/")[2]

    def _prepare(self) -> None:
        """Make the folder, and remove what a killed worker left half-written in it."""
        self.path.mkdir(parents=True, exist_ok=True)
        for unfinished in self.path.glob(f"*{UNFINISHED}"):
            unfinished.unlink(missing_ok=True)
